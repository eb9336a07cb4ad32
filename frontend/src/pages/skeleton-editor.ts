import { find, findAll, instantiate, show } from "./dom";
import * as skeletons from "./skeleton";
import type { Skeleton } from "./skeleton";

const SVG = "http://www.w3.org/2000/svg";

/** The part of the category dialog that edits keypoints: a list, a picture, a list of edges. */
export class SkeletonEditor {
  private skeleton: Skeleton = skeletons.EMPTY;
  /** The keypoint chosen in the picture, counted from 1, or 0. */
  private chosen = 0;

  constructor(private readonly root: HTMLElement) {
    find(root, "[data-keypoint-add]").addEventListener("click", () => this.addOne());
    find(root, "[data-keypoint-person]").addEventListener("click", () => this.change(skeletons.PERSON));
    find(root, "[data-edge-add]").addEventListener("click", () => this.join());
  }

  get value(): Skeleton {
    // A row that was added and left empty is no keypoint.
    const empty = this.skeleton.names.findLastIndex((name) => name.trim() === "");
    if (empty === -1) return this.skeleton;
    this.skeleton = skeletons.remove(this.skeleton, empty);
    return this.value;
  }

  open(skeleton: Skeleton, used: boolean): void {
    const fold = this.root as HTMLDetailsElement;
    fold.open = skeleton.names.length > 0;
    show(find(this.root, "[data-keypoint-warning]"), used && skeleton.names.length > 0);
    this.change(skeleton);
  }

  private change(skeleton: Skeleton): void {
    this.skeleton = skeleton;
    this.chosen = 0;
    this.drawRows();
    this.drawRest();
  }

  private addOne(): void {
    this.change({ ...this.skeleton, names: [...this.skeleton.names, ""] });
    findAll<HTMLInputElement>(this.root, "[data-keypoint-list] input").at(-1)?.focus();
  }

  private drawRows(): void {
    const rows = this.skeleton.names.map((name, index) => this.row(name, index));
    find(this.root, "[data-keypoint-list]").replaceChildren(...rows);
  }

  private row(name: string, index: number): HTMLElement {
    const row = instantiate("keypoint-row");
    const field = find<HTMLInputElement>(row, "input");
    find(row, ".keypoint-number").textContent = String(index + 1);
    field.value = name;
    field.addEventListener("input", () => {
      this.skeleton = skeletons.rename(this.skeleton, index, field.value);
      this.drawRest();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.addOne();
    });
    field.addEventListener("paste", (event) => this.paste(event, index));
    this.bindMove(find<HTMLButtonElement>(row, "[data-up]"), index, -1);
    this.bindMove(find<HTMLButtonElement>(row, "[data-down]"), index, 1);
    find(row, "[data-remove]").addEventListener("click", () => {
      this.change(skeletons.remove(this.skeleton, index));
    });
    return row;
  }

  private bindMove(button: HTMLButtonElement, index: number, by: 1 | -1): void {
    button.disabled = index + by < 0 || index + by >= this.skeleton.names.length;
    button.addEventListener("click", () => {
      this.change(skeletons.move(this.skeleton, index, by));
      const rows = findAll(this.root, "[data-keypoint-list] li");
      const buttons = findAll<HTMLButtonElement>(rows[index + by]!, by === 1 ? "[data-down]" : "[data-up]");
      buttons[0]?.focus();
    });
  }

  /** Several names at once take the place of the row in which they were pasted. */
  private paste(event: ClipboardEvent, index: number): void {
    const names = skeletons.namesIn(event.clipboardData?.getData("text") ?? "");
    if (names.length < 2) return;
    event.preventDefault();
    const empty = this.skeleton.names[index] === "";
    const kept = empty ? skeletons.remove(this.skeleton, index) : this.skeleton;
    this.change(skeletons.add(kept, names));
  }

  private join(): void {
    const from = find<HTMLSelectElement>(this.root, "[data-edge-from]");
    const to = find<HTMLSelectElement>(this.root, "[data-edge-to]");
    this.skeleton = skeletons.toggleEdge(this.skeleton, Number(from.value), Number(to.value));
    this.drawRest();
  }

  private drawRest(): void {
    const { names, edges } = this.skeleton;
    const badge = find(this.root, "[data-keypoint-count]");
    badge.textContent = String(names.length);
    show(badge, names.length > 0);
    this.drawChoices();
    this.drawEdges();
    this.drawPicture(names, edges);
  }

  private label(end: number): string {
    const name = this.skeleton.names[end - 1] ?? "";
    return name === "" ? `keypoint ${end}` : name;
  }

  private drawChoices(): void {
    for (const [index, select] of findAll<HTMLSelectElement>(this.root, ".edge-line select").entries()) {
      const before = select.value === "" ? String(index + 1) : select.value;
      const options = this.skeleton.names.map((_, at) => new Option(this.label(at + 1), String(at + 1)));
      select.replaceChildren(...options);
      select.value = before;
      if (select.selectedIndex === -1) select.selectedIndex = 0;
    }
    show(find(this.root, ".edge-line"), this.skeleton.names.length > 1);
  }

  private drawEdges(): void {
    const rows = this.skeleton.edges.map(([a, b]) => {
      const row = instantiate("edge-row");
      find(row, "span").textContent = `${this.label(a)} – ${this.label(b)}`;
      find(row, "button").addEventListener("click", () => {
        this.skeleton = skeletons.toggleEdge(this.skeleton, a, b);
        this.drawRest();
      });
      return row;
    });
    find(this.root, "[data-edge-list]").replaceChildren(...rows);
  }

  private drawPicture(names: readonly string[], edges: readonly skeletons.Edge[]): void {
    const places = skeletons.places(names);
    const picture = find<SVGElement>(this.root, "[data-skeleton]");
    const lines = edges.map(([a, b]) => {
      const [from, to] = [places[a - 1] ?? [0, 0], places[b - 1] ?? [0, 0]];
      return shape("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
    });
    const points = names.map((_, index) => this.point(index + 1, places[index] ?? [0, 0]));
    picture.replaceChildren(...lines, ...points);
    // An SVG element has no `hidden` property, only the attribute.
    picture.toggleAttribute("hidden", names.length === 0);
  }

  private point(end: number, place: readonly [number, number]): SVGElement {
    const group = shape("g", {
      tabindex: 0,
      role: "button",
      "aria-pressed": String(this.chosen === end),
      "aria-label": this.label(end),
    });
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${end} ${this.label(end)}`;
    const text = shape("text", { x: place[0], y: place[1] + 3 });
    text.textContent = String(end);
    group.append(title, shape("circle", { cx: place[0], cy: place[1], r: 8 }), text);
    group.addEventListener("click", () => this.pick(end));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.pick(end);
    });
    return group;
  }

  /** The first point chosen waits; the second joins the two or parts them. */
  private pick(end: number): void {
    if (this.chosen !== 0 && this.chosen !== end) {
      this.skeleton = skeletons.toggleEdge(this.skeleton, this.chosen, end);
    }
    this.chosen = this.chosen === 0 ? end : 0;
    this.drawRest();
    findAll<SVGElement>(this.root, "[data-skeleton] g")[end - 1]?.focus();
  }
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

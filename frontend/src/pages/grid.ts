import { findAll } from "./dom";
import { requestHtml } from "./http";
import { sayError } from "./toast";

const AHEAD = "800px";
const grids = new WeakMap<HTMLElement, Grid>();

/**
 * A list that goes on while one scrolls: `data-next` is the address of the
 * items that follow. The last of them brings the address after it, on an
 * element with `data-following`.
 */
export function grid(root: HTMLElement, bind: (part: ParentNode) => void): void {
  grids.set(root, new Grid(root, bind));
}

/** Show another list in its place, from the start. */
export async function replaceGrid(root: HTMLElement, url: string): Promise<void> {
  await grids.get(root)?.replace(url);
}

/** Load more until that holds, or nothing is left or comes. */
export async function loadUntil(root: HTMLElement, holds: () => boolean): Promise<void> {
  await grids.get(root)?.loadUntil(holds);
}

class Grid {
  /** What is under way, so that whoever needs more waits for it. */
  private loading: Promise<void> | null = null;
  /** Counts the lists that were asked for in place of this one. */
  private asked = 0;
  private readonly observer = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void this.load();
    },
    { rootMargin: AHEAD },
  );

  constructor(
    private readonly root: HTMLElement,
    private readonly bind: (part: ParentNode) => void,
  ) {
    this.watch();
  }

  async replace(url: string): Promise<void> {
    const mine = ++this.asked;
    const part = await requestHtml(url);
    // Another one was chosen meanwhile, whose answer may have come first.
    if (mine !== this.asked) return;
    this.root.replaceChildren();
    this.append(part);
  }

  async loadUntil(holds: () => boolean): Promise<void> {
    while (!holds()) {
      const before = this.root.dataset["next"];
      await this.load();
      if (this.root.dataset["next"] === before) return;
    }
  }

  /** Put a part of the list at its end, and remember where it goes on. */
  private append(part: DocumentFragment): void {
    this.root.dataset["next"] = "";
    for (const marker of findAll(part, "[data-following]")) {
      this.root.dataset["next"] = marker.dataset["following"] ?? "";
      const { matching } = marker.dataset;
      if (matching !== undefined) this.root.dispatchEvent(new CustomEvent("matching", { detail: matching }));
      marker.remove();
    }
    this.bind(part);
    this.root.append(part);
    this.watch();
  }

  private load(): Promise<void> {
    this.loading ??= this.loadNext().finally(() => (this.loading = null));
    return this.loading;
  }

  private async loadNext(): Promise<void> {
    const url = this.root.dataset["next"] ?? "";
    if (url === "") return;
    this.observer.disconnect();
    try {
      const part = await requestHtml(url);
      // Filters may have put another list here in the meantime.
      if (url === this.root.dataset["next"]) this.append(part);
      // Its end may have come in sight while this was on its way.
      else this.watch();
    } catch (error) {
      // The list stays as it is; scrolling up and down tries again.
      sayError(error);
      setTimeout(() => this.watch(), 2000);
    }
  }

  /** Load more when the last item comes near. */
  private watch(): void {
    this.observer.disconnect();
    const last = this.root.lastElementChild;
    if (last !== null && (this.root.dataset["next"] ?? "") !== "") this.observer.observe(last);
  }
}

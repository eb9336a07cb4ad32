/**
 * The facade over everything that the editor page is about: document, history,
 * view, camera, categories and the hand. It knows neither DOM nor network.
 *
 * Whoever wants to follow along subscribes to topics and looks up what it needs:
 *
 *   document  an annotation changed        selection  another selection or hover
 *   facts     the server told something    view       hidden, locked
 *   camera    pan, zoom, size of the stage tool       tool, its state, options or preview
 *   category  the current category         settled    no gesture is under way
 *   categories  which there are, and how they look
 *   predictions  what models found, or which of it is shown
 */

import { encloses, meets, type Bounds } from "../geometry/bounds";
import * as cameras from "../geometry/camera";
import type { Camera, Size } from "../geometry/camera";
import { screenPoint, type ImagePoint, type ScreenPoint } from "../geometry/point";
import { AnnotationDocument, type Change } from "../model/document";
import { History, type Mark, type Replay } from "../model/history";
import { Predictions, type Decision, type Prediction } from "../model/predictions";
import type { Annotation, AnnotationKey, Category, ImageRecord } from "../model/records";
import * as shapes from "../shapes";
import type { Handle, ShapeContext } from "../shapes/shape";
import { Clipboard } from "./clipboard";
import type { Converter } from "./converting";
import type { Hand } from "./hand";
import { rememberPoses } from "./keypoints";
import { LastPoses } from "./last-poses";
import { leftAlone } from "./left-alone";
import { movedPoints, nudged } from "./moving";
import { tellOfLostBoxes } from "./own-boxes";
import { selectedPoints } from "./points";
import { OptionValues } from "./options";
import type { Display } from "./display";
import { instanceColor, sameLook, type Look } from "./look";
import type { Sight } from "./sight";
import { Signal } from "./signal";
import { below } from "./stacking";
import { View } from "./view";

export type Topic =
  | "document"
  | "facts"
  | "selection"
  | "view"
  | "camera"
  | "tool"
  | "category"
  | "categories"
  | "predictions"
  | "settled"
  | "notice";

/** Arrow keys pressed within this time are one movement. */
const BURST_MS = 500;
/** What has no category, or none that we know. */
const COLORLESS = "#95a0ae";

export interface EditorOptions {
  readonly image: ImageRecord;
  readonly categories: readonly Category[];
  readonly readOnly: boolean;
  /** Those that other editors share. */
  readonly clipboard?: Clipboard;
  readonly poses?: LastPoses;
}

export class Editor {
  readonly document = new AnnotationDocument();
  readonly predictions = new Predictions(() => this.signal.emit("predictions"));
  readonly history = new History(this.document, this.predictions);
  readonly view = new View();
  readonly signal = new Signal<Topic>();
  readonly options = new OptionValues(() => this.signal.emit("tool"));
  readonly clipboard: Clipboard;
  readonly poses: LastPoses;
  readonly readOnly: boolean;
  image: ImageRecord;
  camera: Camera = { scale: 1, x: 0, y: 0 };
  stage: Size = { width: 0, height: 0 };
  pointerAt: ImagePoint | null = null;
  notice: string | null = null;
  /** For large shapes; without one all are converted in place. */
  converter: Converter | null = null;
  #categories: readonly Category[];
  #categoryById: ReadonlyMap<number, Category>;
  #categoryId: number | null;
  #hand: Hand | null = null;
  #sight: Sight | null = null;
  #followsFit = true;
  #burst: { readonly mark: Mark; readonly selection: object } | null = null;

  constructor({ image, categories, readOnly, ...shared }: EditorOptions) {
    this.image = image;
    this.clipboard = shared.clipboard ?? new Clipboard();
    this.poses = shared.poses ?? new LastPoses();
    this.#categories = categories;
    this.readOnly = readOnly;
    this.#categoryById = new Map(categories.map((category) => [category.id, category]));
    this.#categoryId = categories[0]?.id ?? null;
    this.document.subscribe((diff) => {
      for (const { key, after } of diff) if (!after) this.#forget(key);
      this.signal.emit("document");
    });
    this.predictions.subscribe((diff, origin) => {
      // What undo opens again is selected, unless a gesture with something else is under way.
      const reopened = diff.findLast(({ after }) => after === "open");
      if (reopened && origin === "local" && !this.hand.busy) this.selectPrediction(reopened.prediction.id);
    });
    rememberPoses(this);
    tellOfLostBoxes(this);
  }

  get hand(): Hand {
    if (!this.#hand) throw new Error("The editor has no hand yet.");
    return this.#hand;
  }

  /** Called once, by whoever puts editor and tools together. */
  takeUp(hand: Hand): void {
    this.#hand = hand;
  }

  /** The picture, for tools that follow its colours; null without one. */
  get sight(): Sight | null {
    return this.#sight;
  }

  set sight(sight: Sight | null) {
    this.#sight = sight;
    this.signal.emit("tool");
  }

  // Categories

  get categories(): readonly Category[] {
    return this.#categories;
  }

  /** They are others now, or look differently; what has them is drawn and listed anew. */
  setCategories(categories: readonly Category[]): void {
    this.#categories = categories;
    this.#categoryById = new Map(categories.map((category) => [category.id, category]));
    if (!this.category(this.#categoryId)) this.#categoryId = categories[0]?.id ?? null;
    for (const topic of ["categories", "category", "document"] as const) this.signal.emit(topic);
  }

  get categoryId(): number | null {
    return this.#categoryId;
  }

  chooseCategory(id: number): void {
    if (!this.#categoryById.has(id)) return;
    this.#categoryId = id;
    this.signal.emit("category");
  }

  category(id: number | null): Category | null {
    return id === null ? null : (this.#categoryById.get(id) ?? null);
  }

  color(categoryId: number | null): string {
    return this.category(categoryId)?.color ?? COLORLESS;
  }

  /** In which an object is drawn: its category's, or one of its own. */
  colorOf(key: AnnotationKey): string {
    if (this.view.look.colorBy === "instance") return instanceColor(key);
    return this.color(this.document.get(key)?.category_id ?? null);
  }

  setDisplay(display: Display): void {
    this.view.display = display;
    this.signal.emit("view");
  }

  setLook(look: Look): void {
    if (sameLook(look, this.view.look)) return;
    this.view.look = look;
    this.signal.emit("view");
  }

  context(annotation: Annotation): ShapeContext {
    return this.category(annotation.category_id) ?? shapes.NO_CONTEXT;
  }

  // Changes

  /**
   * One undoable step. Inside a gesture use `history.mark` and `change` instead: the
   * step that a gesture has open belongs to it alone, and a panel has to wait.
   */
  transact(label: string, change: Change): void {
    if (this.#isHeld()) return;
    this.history.mark(label);
    this.change(change);
    this.history.commit();
    this.signal.emit("settled");
  }

  /** A decision about predictions as one undoable step, with the annotations that are made of them. */
  decide(label: string, predictions: readonly Prediction[], decision: Decision, made: Change): void {
    if (this.readOnly || this.#isHeld()) return;
    this.history.mark(label);
    this.change(made);
    this.predictions.decide(predictions, decision, "local");
    this.history.commit();
    this.signal.emit("settled");
  }

  /** Resolves when the tool in hand waits for no computation whose result would be drawn by itself. */
  computed(): Promise<void> {
    if (!this.hand.computing) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.signal.on(["tool"], () => {
        if (this.hand.computing) return;
        stop();
        resolve();
      });
    });
  }

  /** Whether a gesture has its step open; says what to do about it. */
  #isHeld(): boolean {
    const held = this.hand.busy && this.history.open;
    if (held) this.say("Finish the shape in hand or drop it, then change this.");
    return held;
  }

  change(change: Change): void {
    if (!this.readOnly) this.document.apply(change, "local");
  }

  /** The same edit to several annotations; those for which it gives null stay as they are. */
  edit(
    label: string,
    keys: Iterable<AnnotationKey>,
    edit: (annotation: Annotation) => Annotation | null,
  ): void {
    const change = new Map<AnnotationKey, Annotation>();
    for (const key of keys) {
      const annotation = this.document.get(key);
      const edited = annotation && edit(annotation);
      if (edited) change.set(key, edited);
    }
    this.transact(label, change);
  }

  /** What is locked stays, which is said. */
  remove(keys: Iterable<AnnotationKey>, label = "Delete"): void {
    const all = [...keys];
    const free = all.filter((key) => !this.view.locked.has(key));
    if (free.length < all.length) this.say("What is locked is not deleted. L unlocks it.");
    if (free.length > 0) this.transact(label, new Map(free.map((key) => [key, null])));
  }

  /** Moves the selection a little. Movements in quick succession are one step, saved once. */
  nudge(dx: number, dy: number): void {
    if (this.#isHeld()) return;
    const points = selectedPoints(this);
    const change = points.length > 0 ? movedPoints(this, points, dx, dy) : nudged(this, dx, dy);
    if (change.size === 0) return;
    // Another choice of objects or points begins another step.
    const selection = this.view.points ?? this.view.selection;
    const goesOn = this.#burst?.selection === selection && this.history.isOpen(this.#burst.mark);
    const mark = goesOn ? this.#burst!.mark : this.history.mark(points.length > 0 ? "Move points" : "Move");
    this.change(change);
    // A new object each time, so that only the last movement's timer finds its own.
    const burst = (this.#burst = { mark, selection });
    setTimeout(() => this.#burst === burst && this.settle(), BURST_MS);
  }

  /** Movements in quick succession are over, and are saved. */
  settle(): void {
    if (!this.#burst || !this.history.isOpen(this.#burst.mark)) return;
    this.history.commit();
    this.signal.emit("settled");
  }

  undo(): void {
    if (!this.hand.intend("step-back")) this.#replayed("undone", this.history.undo());
  }

  redo(): void {
    if (!this.hand.busy) this.#replayed("redone", this.history.redo());
  }

  #replayed(what: "undone" | "redone", replay: Replay | null): void {
    const told = replay && leftAlone(this, what, replay);
    if (told) this.say(told);
    if (replay) this.signal.emit("settled");
  }

  /** Whether a gesture under way may change this annotation: it began with it as it is. */
  holds(key: AnnotationKey): boolean {
    return this.hand.busy && (this.history.open || this.view.selection.has(key));
  }

  // Selection

  select(keys: Iterable<AnnotationKey>): void {
    this.view.select(keys);
    this.view.hoveredHandle = null;
    this.predictions.select(null);
    this.signal.emit("selection");
  }

  /** Instead of annotations: what keys do next is always about one kind of thing. */
  selectPrediction(id: number): void {
    if (this.view.selection.size > 0) this.select([]);
    this.predictions.select(id);
  }

  hover(key: AnnotationKey | null, handle: Handle | null = null): void {
    if (this.view.hovered === key && this.view.hoveredHandle === handle) return;
    this.view.hovered = key;
    this.view.hoveredHandle = handle;
    this.signal.emit("selection");
  }

  visible(key: AnnotationKey): boolean {
    return !this.view.hidden.has(key);
  }

  /** What lies under the point and may be touched, the uppermost first: the smallest, unless it was sent back. */
  under(at: ImagePoint, tolerance: number): AnnotationKey[] {
    const found: { key: AnnotationKey; annotation: Annotation }[] = [];
    for (const [key, annotation] of this.document.entries()) {
      const { bounds } = shapes.measures(annotation);
      if (!bounds || outside(bounds, at, tolerance)) continue;
      if (this.view.hidden.has(key) || this.view.locked.has(key)) continue;
      if (shapes.hits(annotation, at, tolerance)) found.push({ key, annotation });
    }
    return found.sort((a, b) => below(b.annotation, a.annotation)).map(({ key }) => key);
  }

  /** What lies in the bounds and may be touched: wholly, or with any part of it. */
  within(bounds: Bounds, touching: boolean): AnnotationKey[] {
    const found: AnnotationKey[] = [];
    for (const [key, annotation] of this.document.entries()) {
      const { bounds: extent } = shapes.measures(annotation);
      if (!extent || !meets(bounds, extent)) continue;
      if (this.view.hidden.has(key) || this.view.locked.has(key)) continue;
      const enclosed = encloses(bounds, extent);
      if (enclosed || (touching && shapes.touches(annotation, bounds))) found.push(key);
    }
    return found;
  }

  /** The predictions that are shown and lie under the point, the smallest first. */
  predictionsUnder(at: ImagePoint, tolerance: number): Prediction[] {
    if (!this.predictions.shown) return [];
    return this.predictions.listed
      .filter(({ shape }) => {
        const { bounds } = shapes.measures(shape);
        return bounds !== null && !outside(bounds, at, tolerance) && shapes.hits(shape, at, tolerance);
      })
      .sort((a, b) => shapes.measures(a.shape).area - shapes.measures(b.shape).area);
  }

  // Camera

  /** A length on the screen, in image pixels. */
  imageLength(cssPixels: number): number {
    return cssPixels / this.camera.scale;
  }

  toImage(p: ScreenPoint): ImagePoint {
    return cameras.toImage(this.camera, p);
  }

  moveCamera(camera: Camera): void {
    this.camera = camera;
    this.#followsFit = false;
    this.signal.emit("camera");
  }

  zoom(factor: number, at?: ScreenPoint): void {
    const middle = screenPoint(this.stage.width / 2, this.stage.height / 2);
    this.moveCamera(cameras.zoomAt(this.camera, at ?? middle, factor));
  }

  fit(): void {
    this.moveCamera(cameras.fit(this.image, this.stage, this.stage.width < 600 ? 12 : 24));
    this.#followsFit = true;
  }

  /** Shows this part of the image as large as the stage allows. */
  show({ left, top, right, bottom }: Bounds): void {
    const size = { width: right - left, height: bottom - top };
    const { scale, x, y } = cameras.fit(size, this.stage, Math.min(this.stage.width, this.stage.height) / 6);
    this.moveCamera({ scale, x: x - left * scale, y: y - top * scale });
  }

  /** Looks at the same part of the image as another editor does, by shares of width and height. */
  takeView({ camera, stage, image }: Editor): void {
    const [u, v] = [this.image.width / image.width, this.image.height / image.height];
    const { x, y } = cameras.toImage(camera, screenPoint(stage.width / 2, stage.height / 2));
    const { scale } = camera;
    this.stage = stage;
    this.moveCamera({ scale, x: stage.width / 2 - x * u * scale, y: stage.height / 2 - y * v * scale });
  }

  resize(stage: Size): void {
    const before = this.stage;
    this.stage = stage;
    if (this.#followsFit) this.fit();
    else this.moveCamera(cameras.recentre(this.camera, before, stage));
  }

  // Notices

  /** One sentence for the person, shown for a while; null takes it away. */
  say(text: string | null): void {
    this.notice = text;
    this.signal.emit("notice");
  }

  #forget(key: AnnotationKey): void {
    this.view.deselect(key);
    if (this.view.hovered === key) this.view.hovered = null;
  }
}

function outside(bounds: Bounds, at: ImagePoint, margin: number): boolean {
  return (
    at.x < bounds.left - margin ||
    at.x > bounds.right + margin ||
    at.y < bounds.top - margin ||
    at.y > bounds.bottom + margin
  );
}

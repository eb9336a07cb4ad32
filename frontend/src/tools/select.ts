/**
 * The select tool: pick, move, and take hold of handles.
 *
 * A click picks the smallest annotation under the pointer; clicking the same
 * place again goes one deeper. The handles of the one selected annotation come
 * before whatever lies under them.
 */

import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { movable, moved, type Originals } from "../editor/moving";
import { LAST_POINTS, reshapeable } from "../editor/points";
import { groupHandles, selectedGroup, type Group } from "../editor/resizing";
import { around } from "../geometry/bounds";
import * as cameras from "../geometry/camera";
import { distance, type ImagePoint, type ScreenPoint } from "../geometry/point";
import type { Prediction } from "../model/predictions";
import { sameValue, type Annotation, type AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { EdgePlace, Handle } from "../shapes/shape";
import { PressingLong, Spanning } from "./marquee";
import { Changing } from "./changing";
import { drawn, isDrag, pickRadius, shift } from "./pointing";
import { DraggingPoint, Erasing, SelectingPoints, type Grip } from "./points";
import { ReshapingPrediction } from "./predictions";
import { Resizing } from "./resizing";
import { SHARED, SNAP } from "./snapping";
import { State, Tool, type ToolKind } from "./tool";

/** Clicks within this distance are clicks on the same place. */
const SAME_PLACE_CSS_PIXELS = 4;
/** Outlines may be missed by this much. */
const OUTLINE_CSS_PIXELS = 3;
const EDGE_CSS_PIXELS = 6;

export class SelectTool extends Tool {
  /** Where the last click picked something. */
  lastPick: ScreenPoint | null = null;

  protected initial(): State {
    return new Idle(this);
  }

  idle(): void {
    this.become(new Idle(this));
  }

  /** The annotation whose handles are shown: the only selected one, if it can be touched. */
  grip(): Grip | null {
    const { view, document, readOnly } = this.editor;
    const key = view.only;
    if (readOnly || key === null || view.hidden.has(key) || view.locked.has(key)) return null;
    const annotation = document.get(key);
    return annotation && { key, annotation };
  }

  /** The selected prediction, whose handles are shown as long as no annotation is selected. */
  suggestion(): Prediction | null {
    const { view, predictions, readOnly } = this.editor;
    return readOnly || view.selection.size > 0 || !predictions.shown ? null : predictions.selected;
  }

  handleAt({ annotation }: Pick<Grip, "annotation">, input: PointerInput): Handle | null {
    const radius = this.#reach(annotation, pickRadius(input), 4);
    let best: Handle | null = null;
    let nearest = radius;
    const near = around(input.image, radius);
    for (const handle of shapes.handlesWithin(annotation, near, this.editor.context(annotation))) {
      const away = distance(handle.at, input.image);
      if (away <= nearest) [best, nearest] = [handle, away];
    }
    return best;
  }

  /** The frame around several selected ones and a handle of it at the pointer. */
  groupAt(input: PointerInput): { group: Group; handle: Handle } | null {
    const group = selectedGroup(this.editor);
    if (!group) return null;
    const { left, top, right, bottom } = group.bounds;
    const reach = this.#reachOf(right - left, bottom - top, pickRadius(input), 4);
    const [handle] = groupHandles(group.bounds)
      .filter(({ at }) => distance(at, input.image) <= reach)
      .sort((a, b) => distance(a.at, input.image) - distance(b.at, input.image));
    return handle ? { group, handle } : null;
  }

  edgeAt({ annotation }: Pick<Grip, "annotation">, input: PointerInput): EdgePlace | null {
    const place = shapes.edge(annotation, input.image);
    return place && place.distance <= this.#reach(annotation, EDGE_CSS_PIXELS, 2) ? place : null;
  }

  /**
   * How far from a handle or edge a press still means it, in image pixels. On a
   * small shape less than usual, or it had no inside left to move it by.
   */
  #reach(annotation: Annotation, cssPixels: number, least: number): number {
    const { bounds } = shapes.measures(annotation);
    const width = bounds ? bounds.right - bounds.left : 0;
    const height = bounds ? bounds.bottom - bounds.top : 0;
    return this.#reachOf(width, height, cssPixels, least);
  }

  #reachOf(width: number, height: number, cssPixels: number, least: number): number {
    const share = Math.min(width, height) / this.editor.imageLength(4);
    return this.editor.imageLength(Math.min(cssPixels, Math.max(share, least)));
  }

  under(input: PointerInput): AnnotationKey[] {
    return this.editor.under(input.image, this.editor.imageLength(OUTLINE_CSS_PIXELS));
  }

  predictionsUnder(input: PointerInput): Prediction[] {
    return this.editor.predictionsUnder(input.image, this.editor.imageLength(OUTLINE_CSS_PIXELS));
  }

  isSamePlace(press: PointerInput): boolean {
    return this.lastPick !== null && distance(this.lastPick, press.screen) <= SAME_PLACE_CSS_PIXELS;
  }

  /** Adds it to the selection or takes it away. */
  toggle(key: AnnotationKey): void {
    const { selection } = this.editor.view;
    const others = [...selection].filter((each) => each !== key);
    this.editor.select(selection.has(key) ? others : [...others, key]);
  }

  /** Selects the smallest prediction under the press, or with a repeated click the next one, and nothing else. */
  pickPrediction(press: PointerInput): void {
    const under = this.predictionsUnder(press);
    const last = this.editor.predictions.selected;
    const at = last && this.isSamePlace(press) ? under.indexOf(last) : -1;
    if (under.length === 0) return this.editor.select([]);
    this.editor.selectPrediction(under[(at + 1) % under.length]!.id);
    this.lastPick = press.screen;
  }
}

class Idle extends State<SelectTool> {
  override readonly name = "idle";
  #ghost: ImagePoint | null = null;
  #cursor = "default";

  override get cursor(): string {
    return this.#cursor;
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, ghost: this.#ghost };
  }

  override get hints(): readonly Hint[] {
    const select: Hint[] = [
      { gesture: "Click", does: "select, again goes deeper" },
      { gesture: "Shift click", does: "add" },
      { gesture: "Drag beside", does: "select many" },
    ];
    const grip = this.tool.grip();
    if (this.tool.suggestion()) return [...select, { gesture: "Drag the prediction", does: "accept it changed" }];
    if (!grip && selectedGroup(this.editor)) return [...select, { gesture: "Drag a handle", does: "resize all" }];
    if (!grip) return select;
    const hints: Hint[] = [{ gesture: "Drag", does: "move" }];
    if (shapes.hasEdges(grip.annotation)) {
      hints.push({ gesture: "Click on edge", does: "new point" });
      hints.push({ gesture: "Shift drag", does: "drop points" });
      hints.push({ gesture: "Alt drag", does: "select points" });
    }
    return [...hints, { gesture: "1–9", does: "category" }, { gesture: "Del", does: "delete" }];
  }

  override move(input: PointerInput): void {
    const grip = this.tool.grip();
    const handle = grip && this.tool.handleAt(grip, input);
    const resizing = grip ? null : this.tool.groupAt(input);
    if (resizing) return this.#overFrame(resizing.handle);
    const place = grip && !handle ? this.tool.edgeAt(grip, input) : null;
    const under = handle || place ? [] : this.tool.under(input);
    this.#ghost = place?.at ?? null;
    this.#cursor = this.#cursorOver(handle, place, under);
    // Suggestions come after what is there already.
    if (this.#cursor === "default") this.#cursor = this.#cursorOverSuggestions(input);
    this.editor.hover(handle || place ? grip!.key : (under[0] ?? null), handle);
  }

  override down(input: PointerInput): void {
    if (input.long) return this.tool.become(new PressingLong(this.tool, input));
    const grip = this.tool.grip();
    const handle = grip && this.tool.handleAt(grip, input);
    if (grip && input.alt && reshapeable(this.editor)) return this.tool.become(new SelectingPoints(this.tool, input, handle));
    if (grip && handle) return this.#takeHandle(grip, handle, input);
    const resizing = grip ? null : this.tool.groupAt(input);
    if (resizing) return this.tool.become(new Resizing(this.tool, resizing.group, resizing.handle, input));
    const place = grip && !input.shift ? this.tool.edgeAt(grip, input) : null;
    if (grip && place) return this.#insert(grip, place, input);
    const under = this.tool.under(input);
    if (this.#takeSuggestion(input, under.length > 0)) return;
    this.tool.become(
      under.length > 0 ? new Pointing(this.tool, input, under) : new PointingNothing(this.tool, input),
    );
  }

  /** Handles of the selected prediction come before what lies under them, its inside after it. */
  #takeSuggestion(input: PointerInput, covered: boolean): boolean {
    const prediction = this.tool.suggestion();
    if (!prediction) return false;
    const { shape } = prediction;
    const handle = this.tool.handleAt({ annotation: shape }, input);
    const place = handle ? null : this.tool.edgeAt({ annotation: shape }, input);
    const within = !covered && !input.shift && this.tool.predictionsUnder(input).some(({ id }) => id === prediction.id);
    if (!handle && !place && !within) return false;
    const longer = place && shapes.insert(shape, { ...place, at: drawn(this.editor, place.at) });
    const grip = { start: longer?.annotation ?? shape, handle: longer?.handle ?? handle };
    this.tool.become(new ReshapingPrediction(this.tool, prediction, input, grip));
    return true;
  }

  #overFrame({ cursor }: Handle): void {
    this.#ghost = null;
    this.#cursor = cursor;
    this.editor.hover(null);
  }

  #cursorOverSuggestions(input: PointerInput): string {
    const selected = this.tool.suggestion();
    const handle = selected && this.tool.handleAt({ annotation: selected.shape }, input);
    if (handle) return handle.cursor;
    if (selected && this.tool.edgeAt({ annotation: selected.shape }, input)) return "copy";
    const under = this.tool.predictionsUnder(input);
    if (selected && under.includes(selected)) return "move";
    return under.length > 0 ? "pointer" : "default";
  }

  #cursorOver(handle: Handle | null, place: EdgePlace | null, under: AnnotationKey[]): string {
    if (handle) return handle.cursor;
    if (place) return "copy";
    if (under.length === 0) return "default";
    const { selection } = this.editor.view;
    return !this.editor.readOnly && under.some((key) => selection.has(key)) ? "move" : "pointer";
  }

  #takeHandle({ key, annotation }: Grip, handle: Handle, input: PointerInput): void {
    if (!input.shift) {
      this.editor.history.mark("Move point");
      this.tool.become(new DraggingPoint(this.tool, { key, annotation }, handle, input));
      return;
    }
    if (!shapes.removeHandles(annotation, [handle])) return this.editor.say(LAST_POINTS);
    this.editor.history.mark("Delete points");
    const erasing = new Erasing(this.tool, key, input);
    this.tool.become(erasing);
    erasing.erase(annotation, [handle]);
  }

  #insert({ key, annotation }: Grip, place: EdgePlace, input: PointerInput): void {
    const at = drawn(this.editor, place.at);
    const inserted = shapes.insert(annotation, { ...place, at });
    this.editor.history.mark("Insert point");
    this.editor.change(new Map([[key, inserted.annotation]]));
    const { annotation: longer, handle } = inserted;
    this.tool.become(new DraggingPoint(this.tool, { key, annotation: longer }, handle, input));
  }
}

/** The button is down on an annotation; a click or a move may come of it. */
class Pointing extends State<SelectTool> {
  override readonly name = "pointing";
  override readonly busy = true;
  readonly #press: PointerInput;
  readonly #under: readonly AnnotationKey[];

  constructor(tool: SelectTool, press: PointerInput, under: readonly AnnotationKey[]) {
    super(tool);
    this.#press = press;
    this.#under = under;
  }

  override get hints(): readonly Hint[] {
    return [{ gesture: "Drag", does: this.#press.primary ? "select many" : "move" }];
  }

  override move(input: PointerInput): void {
    if (!isDrag(this.#press.screen, input)) return;
    // With Ctrl a marquee begins anywhere: some objects leave no empty space.
    if (this.#press.primary) return this.tool.become(new Spanning(this.tool, this.#press, input));
    if (this.editor.readOnly) return;
    const { selection } = this.editor.view;
    if (!this.#under.some((key) => selection.has(key))) this.editor.select([this.#under[0]!]);
    this.editor.history.mark("Move");
    const moving = new Moving(this.tool, this.#press.image);
    this.tool.become(moving);
    moving.move(input);
  }

  override up(): void {
    this.tool.idle();
    const smallest = this.#under[0]!;
    if (this.#press.shift || this.#press.primary) this.tool.toggle(smallest);
    else if (this.#isThrough()) this.tool.pickPrediction(this.#press);
    else this.editor.select([this.#deeper() ?? smallest]);
    this.tool.lastPick = this.#press.screen;
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return intent === "cancel";
  }

  /** Whether repeated clicks have come through all annotations, to the predictions. */
  #isThrough(): boolean {
    const last = this.#under.at(-1)!;
    if (!this.tool.isSamePlace(this.#press) || this.editor.view.only !== last) return false;
    return this.tool.predictionsUnder(this.#press).length > 0;
  }

  /** What lies below the selected one, when this is a repeated click. */
  #deeper(): AnnotationKey | null {
    if (!this.tool.isSamePlace(this.#press)) return null;
    const { only } = this.editor.view;
    const depth = only === null ? -1 : this.#under.indexOf(only);
    return depth < 0 ? null : this.#under[(depth + 1) % this.#under.length]!;
  }
}

/** The button is down where nothing is. */
class PointingNothing extends State<SelectTool> {
  override readonly name = "pointing_nothing";
  override readonly busy = true;
  readonly #press: PointerInput;
  #last: ScreenPoint;
  #panned = false;

  constructor(tool: SelectTool, press: PointerInput) {
    super(tool);
    this.#press = press;
    this.#last = press.screen;
  }

  override get hints(): readonly Hint[] {
    return [{ gesture: "Release", does: "select nothing" }];
  }

  /** A finger that drags the empty image pans it; anything else selects what is in the way. */
  override move(input: PointerInput): void {
    if (input.device !== "touch") {
      if (isDrag(this.#press.screen, input)) this.tool.become(new Spanning(this.tool, this.#press, input));
      return;
    }
    this.#panned ||= isDrag(this.#press.screen, input);
    if (!this.#panned) return;
    const { x, y } = this.#last;
    this.editor.moveCamera(
      cameras.pan(this.editor.camera, input.screen.x - x, input.screen.y - y),
    );
    this.#last = input.screen;
  }

  override up(input: PointerInput): void {
    this.tool.idle();
    if (this.#panned || input.shift) return;
    this.tool.pickPrediction(input);
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return intent === "cancel";
  }
}

class Moving extends Changing {
  override readonly name = "moving";
  readonly #from: ImagePoint;
  readonly #originals: Originals;
  #by: readonly [number, number] = [0, 0];

  constructor(tool: SelectTool, from: ImagePoint) {
    super(tool);
    this.#from = from;
    this.#originals = movable(tool.editor);
  }

  override get cursor(): string {
    return this.#originals.size > 0 ? "move" : "not-allowed";
  }

  override move(input: PointerInput): void {
    const { dx, dy } = shift(this.#from, input.image);
    const by = shapes.reach(this.#originals.values(), dx, dy);
    // Within a pixel a mask stays where it is, and is not made anew.
    if (sameValue(by, this.#by)) return;
    this.#by = by;
    this.editor.change(moved(this.#originals, ...by));
  }
}

export const select: ToolKind = {
  info: {
    id: "select",
    label: "Select",
    icon: "mouse-pointer-2",
    key: "V",
    help: "Pick, move and reshape what is there.",
    edits: false,
    handles: "all",
    options: [SNAP, SHARED],
  },
  create: (editor) => new SelectTool(editor),
};

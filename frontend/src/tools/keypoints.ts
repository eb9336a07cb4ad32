/**
 * The keypoints tool: points in the order of the category, or a whole pose at once.
 *
 * It adds to the one selected annotation as long as that lacks points, and otherwise begins a new
 * one. Placing is one gesture and one step of undo, from the first point to the last; every point
 * that was placed within it can be taken back. A drag before the first point spans a whole pose.
 */

import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { editablePose, layoutFor, limbsTo, selectedPose, withKeypoints, type Pose } from "../editor/keypoints";
import { boundsOfBox, boxBetween } from "../geometry/bounds";
import { distance, imagePoint, type ImagePoint } from "../geometry/point";
import { EMPTY_ANNOTATION, newKey, type Annotation, type AnnotationKey, type Category } from "../model/records";
import * as shapes from "../shapes";
import * as poses from "../shapes/poses";
import type { Handle } from "../shapes/shape";
import { Changing } from "./changing";
import { drawn, isDrag, mayDraw, pickRadius } from "./pointing";
import { State, Tool, type ToolKind } from "./tool";

/** What points are placed on, from which on. */
interface Target {
  /** Null for a new annotation. */
  readonly pose: Pose | null;
  readonly category: Category;
  readonly next: number;
}

const numbersOf = ({ pose }: Target): poses.Numbers | null => pose?.annotation.keypoints ?? null;

class KeypointsTool extends Tool {
  /** A pose that was finished with points left out: the next press begins another one. */
  finished: ReadonlySet<AnnotationKey> | null = null;

  protected initial(): State {
    return new Ready(this);
  }

  idle(): void {
    this.become(new Ready(this));
  }

  /** Null when the category at hand has no keypoints. */
  target(): Target | null {
    const { editor } = this;
    const pose = editablePose(editor);
    const chosen = editor.view.keypoint;
    if (pose && (chosen !== null || editor.view.selection !== this.finished)) {
      const count = pose.category.keypoints.length;
      const next = chosen ?? poses.nextAbsent(pose.annotation.keypoints, count);
      if (next !== null) return { pose, category: pose.category, next };
    }
    const category = editor.category(editor.categoryId);
    if (!category || category.keypoints.length === 0) return null;
    return { pose: null, category, next: 0 };
  }

  /** A labelled point of the selected pose at the pointer. */
  handleAt(input: PointerInput): { pose: Pose; handle: Handle } | null {
    const pose = editablePose(this.editor);
    // A point that was chosen by its name is placed, whatever lies there.
    if (!pose || this.editor.view.keypoint !== null) return null;
    const radius = this.editor.imageLength(pickRadius(input));
    let best: Handle | null = null;
    let nearest = radius;
    for (const handle of shapes.handles(pose.annotation, pose.category)) {
      const away = distance(handle.at, input.image);
      if (handle.shape === "keypoints" && away <= nearest) [best, nearest] = [handle, away];
    }
    return best && { pose, handle: best };
  }

  /** Why nothing can be placed, in words for a person. */
  get obstacle(): string {
    const { editor } = this;
    const { only } = editor.view;
    const category = editor.category(editor.categoryId);
    if (!category) return "This dataset has no categories yet.";
    if (only && selectedPose(editor) && !editablePose(editor)) return "The selection is hidden or locked.";
    return `The category “${category.name}” has no keypoints. Choose one that has, or add some on the dataset's page.`;
  }
}

const blank = (category: Category): Annotation => ({ ...EMPTY_ANNOTATION, category_id: category.id });

class Ready extends State<KeypointsTool> {
  override readonly name = "ready";
  #at: ImagePoint | null = null;
  #over = false;

  override get cursor(): string {
    return this.#over ? "move" : "crosshair";
  }

  override get preview(): Preview {
    const target = this.tool.target();
    if (!target || this.editor.readOnly) return NO_PREVIEW;
    const { pose, category, next } = target;
    const keypoint = pose ? next : null;
    const at = this.editor.pointerAt && this.#at;
    if (!at || this.#over) return { ...NO_PREVIEW, keypoint };
    const limbs = limbsTo(numbersOf(target), category, next, at);
    return { ...NO_PREVIEW, keypoint, limbs, label: { at, text: category.keypoints[next]! } };
  }

  override get hints(): readonly Hint[] {
    const target = this.tool.target();
    if (!target) return [{ gesture: "No keypoints", does: this.tool.obstacle }];
    const hints: Hint[] = [
      { gesture: "Click", does: target.category.keypoints[target.next]! },
      { gesture: "Shift click", does: "hidden" },
    ];
    if (!poses.hasPoint(numbersOf(target))) return [...hints, { gesture: "Drag", does: "whole pose" }];
    return [
      ...hints,
      { gesture: "Drag point", does: "move" },
      { gesture: "Shift V", does: "hidden or visible" },
    ];
  }

  override move(input: PointerInput): void {
    const found = this.tool.handleAt(input);
    this.#over = found !== null;
    this.#at = drawn(this.editor, input.image);
    this.editor.hover(found?.pose.key ?? null, found?.handle ?? null);
  }

  override down(input: PointerInput): void {
    const found = this.tool.handleAt(input);
    if (found) {
      this.editor.history.mark("Move keypoint");
      return this.tool.become(new Moving(this.tool, found.pose, found.handle, input));
    }
    if (!mayDraw(this.editor)) return;
    const target = this.tool.target();
    if (target) this.tool.become(new Pressing(this.tool, target, input));
    else this.editor.say(this.tool.obstacle);
  }
}

/** The button is down before the first point; a point or a whole pose may come of it. */
class Pressing extends State<KeypointsTool> {
  override readonly name = "pointing";
  override readonly busy = true;
  readonly #target: Target;
  readonly #press: PointerInput;

  constructor(tool: KeypointsTool, target: Target, press: PointerInput) {
    super(tool);
    this.#target = target;
    this.#press = press;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "place the point" },
      { gesture: "Drag", does: this.#hasNone ? "whole pose" : "place it elsewhere" },
    ];
  }

  get #hasNone(): boolean {
    return !poses.hasPoint(numbersOf(this.#target)) && this.editor.view.keypoint === null;
  }

  override move(input: PointerInput): void {
    if (!isDrag(this.#press.screen, input)) return;
    if (this.#hasNone) this.tool.become(new Spanning(this.tool, this.#target, this.#press, input));
    else this.#place().move(input);
  }

  override up(): void {
    this.#place().up();
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return true;
  }

  #place(): Placing {
    const { pose, category } = this.#target;
    const key = pose?.key ?? newKey();
    this.editor.history.mark("Place keypoints");
    if (!pose) {
      // In the document from the first point on, so that it is drawn like any other.
      this.editor.change(new Map([[key, blank(category)]]));
      this.editor.select([key]);
    }
    const placing = new Placing(this.tool, key, this.#target);
    this.tool.become(placing);
    placing.down(this.#press);
    return placing;
  }
}

/** A drag that spans a whole pose. */
class Spanning extends State<KeypointsTool> {
  override readonly name = "spanning";
  override readonly busy = true;
  readonly #target: Target;
  readonly #layout: poses.Layout;
  readonly #from: ImagePoint;
  #to: ImagePoint;

  constructor(tool: KeypointsTool, target: Target, press: PointerInput, input: PointerInput) {
    super(tool);
    this.#target = target;
    this.#layout = layoutFor(tool.editor, target.category);
    this.#from = press.image;
    this.#to = input.image;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "place the pose" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  /** A pose that reaches beyond the image keeps its shape: what of it is outside is absent. */
  get #numbers(): poses.Numbers {
    const { width, height } = this.editor.image;
    const numbers = poses.scaled(this.#layout, boundsOfBox(boxBetween(this.#from, this.#to)));
    return shapes.keypointsWithin(numbers, boundsOfBox([0, 0, width, height]));
  }

  override get preview(): Preview {
    const numbers = this.#numbers;
    const { skeleton, keypoints } = this.#target.category;
    const there = (index: number): boolean => poses.visibilityOf(numbers, index) > 0;
    const limbs = skeleton
      .filter(([a, b]) => there(a - 1) && there(b - 1))
      .map(([a, b]) => [poses.pointOf(numbers, a - 1), poses.pointOf(numbers, b - 1)] as const);
    const dots = keypoints.flatMap((_, i) => (there(i) ? poses.pointOf(numbers, i) : []));
    const { x, y } = this.#to;
    const frame = [this.#from, imagePoint(x, this.#from.y), this.#to, imagePoint(this.#from.x, y)];
    return { ...NO_PREVIEW, limbs, dots, line: frame, closed: true };
  }

  override move(input: PointerInput): void {
    this.#to = input.image;
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.tool.idle();
    const [, , width, height] = boxBetween(this.#from, this.#to);
    if (width === 0 || height === 0) return;
    if (!poses.hasPoint(this.#numbers)) return this.editor.say("No point of the pose would lie in the image.");
    const { pose, category } = this.#target;
    const key = pose?.key ?? newKey();
    const posed = withKeypoints(pose?.annotation ?? blank(category), this.#numbers);
    this.editor.transact("Place pose", new Map([[key, posed]]));
    if (!pose) this.editor.select([key]);
    this.tool.finished = this.editor.view.selection;
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return true;
  }
}

/** From the first point to the last. */
class Placing extends State<KeypointsTool> {
  override readonly name = "placing";
  override readonly busy = true;
  readonly #key: AnnotationKey;
  readonly #category: Category;
  readonly #isNew: boolean;
  /** What there was before each step, and which point was the next one. */
  readonly #steps: { readonly annotation: Annotation; readonly next: number | null }[] = [];
  #next: number | null;
  /** The point under the pressed button. */
  #held: number | null = null;
  #last: number | null = null;
  #at: ImagePoint | null = null;

  constructor(tool: KeypointsTool, key: AnnotationKey, { pose, category, next }: Target) {
    super(tool);
    this.#key = key;
    this.#category = category;
    this.#isNew = pose === null;
    this.#next = next;
  }

  get #annotation(): Annotation {
    return this.editor.document.get(this.#key)!;
  }

  get #name(): string {
    return this.#next === null ? "" : this.#category.keypoints[this.#next]!;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override get preview(): Preview {
    const at = this.editor.pointerAt && this.#at;
    const keypoint = this.#held ?? this.#next;
    if (!at || this.#held !== null || this.#next === null) return { ...NO_PREVIEW, keypoint };
    const limbs = limbsTo(this.#annotation.keypoints, this.#category, this.#next, at);
    return { ...NO_PREVIEW, keypoint, limbs, label: { at, text: this.#name } };
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: this.#name },
      { gesture: "Shift click", does: "hidden" },
      { gesture: "Shift S", does: "skip" },
      { gesture: "Shift V", does: "last one hidden or visible" },
      { gesture: "Backspace", does: "back" },
      { gesture: "Enter", does: "finish" },
    ];
  }

  override down(input: PointerInput): void {
    // A point chosen by its name comes next, also one that is placed already.
    this.#next = this.editor.view.keypoint ?? this.#next;
    if (this.#next === null) return;
    this.#remember();
    this.#set(this.#next, drawn(this.editor, input.image), input.shift ? 1 : 2);
    this.#held = this.#last = this.#next;
    this.#advance(this.#next);
  }

  override move(input: PointerInput): void {
    this.#at = drawn(this.editor, input.image);
    if (this.#held === null) return;
    const visibility = poses.visibilityOf(this.#annotation.keypoints, this.#held);
    this.#set(this.#held, this.#at, visibility);
  }

  override up(): void {
    this.#held = null;
    if (this.#next === null) this.#finish();
  }

  override intend(intent: Intent): boolean {
    const does: Partial<Record<Intent, () => void>> = {
      complete: () => this.#finish(),
      cancel: () => this.#cancel(),
      "step-back": () => this.#back(),
      skip: () => this.#skip(),
      hide: () => this.#hide(),
    };
    does[intent]?.();
    return true;
  }

  override interrupt(): void {
    if (this.#held !== null) this.#back();
  }

  #set(index: number, at: ImagePoint, visibility: poses.Visibility): void {
    const annotation = this.#annotation;
    const count = this.#category.keypoints.length;
    const numbers = poses.withPoint(annotation.keypoints, count, index, at, visibility);
    this.editor.change(new Map([[this.#key, withKeypoints(annotation, numbers)]]));
  }

  #advance(from: number): void {
    this.editor.view.keypoint = null;
    this.#next = poses.nextAbsent(this.#annotation.keypoints, this.#category.keypoints.length, from + 1);
  }

  #remember(): void {
    this.#steps.push({ annotation: this.#annotation, next: this.#next });
  }

  #skip(): void {
    if (this.#next === null || this.#held !== null) return;
    this.#remember();
    this.#advance(this.#next);
    if (this.#next === null) this.#finish();
  }

  #hide(): void {
    if (this.#last === null) return;
    const numbers = this.#annotation.keypoints!;
    const now = poses.visibilityOf(numbers, this.#last);
    if (now > 0) this.#set(this.#last, poses.pointOf(numbers, this.#last), now === 2 ? 1 : 2);
  }

  #back(): void {
    const step = this.#steps.pop();
    if (!step || this.#steps.length === 0) return this.#cancel();
    this.editor.change(new Map([[this.#key, step.annotation]]));
    this.#next = step.next;
    this.#last = null;
    this.#held = null;
  }

  #finish(): void {
    if (this.#isNew && !poses.hasPoint(this.#annotation.keypoints)) return this.#cancel();
    this.editor.history.commit();
    this.tool.finished = this.editor.view.selection;
    this.tool.idle();
  }

  #cancel(): void {
    this.editor.history.cancel();
    this.tool.idle();
  }
}

class Moving extends Changing<KeypointsTool> {
  override readonly name = "moving";
  readonly #pose: Pose;
  readonly #handle: Handle;
  readonly #press: PointerInput;
  #dragged = false;

  constructor(tool: KeypointsTool, pose: Pose, handle: Handle, press: PointerInput) {
    super(tool);
    this.#pose = pose;
    this.#handle = handle;
    this.#press = press;
  }

  override get cursor(): string {
    return "move";
  }

  override move(input: PointerInput): void {
    this.#dragged ||= isDrag(this.#press.screen, input);
    if (!this.#dragged) return;
    // The point keeps its distance to the pointer, so that taking hold moves nothing.
    const { x, y } = this.#handle.at;
    const dx = input.image.x - this.#press.image.x;
    const dy = input.image.y - this.#press.image.y;
    const at = drawn(this.editor, imagePoint(x + dx, y + dy));
    const { key, annotation } = this.#pose;
    this.editor.change(new Map([[key, shapes.drag(annotation, this.#handle, at)]]));
  }
}

export const keypoints: ToolKind = {
  info: {
    id: "keypoints",
    label: "Keypoints",
    icon: "person-standing",
    key: "K",
    help: "Points in the order of the category; a drag places a whole pose.",
    edits: true,
    handles: "keypoints",
  },
  create: (editor) => new KeypointsTool(editor),
};

/** What several tools ask about a press: how far, how near, and which exact point. */

import type { Editor } from "../editor/editor";
import type { PointerInput } from "../editor/input";
import { distance, imagePoint, type ImagePoint, type ScreenPoint } from "../geometry/point";
import { EMPTY_ANNOTATION, newKey, type Annotation } from "../model/records";

/** A press that moves further than this is a drag. */
const DRAG_CSS_PIXELS = 4;

/** How near is near enough, at every zoom. A finger covers more than it means. */
export function pickRadius(input: PointerInput): number {
  return input.device === "touch" ? 20 : 8;
}

export function isDrag(from: ScreenPoint, input: PointerInput): boolean {
  return distance(from, input.screen) > DRAG_CSS_PIXELS * (input.device === "touch" ? 2 : 1);
}

const DOUBLE_CLICK_MS = 400;
const DOUBLE_CLICK_CSS_PIXELS = 6;

export type Press = Pick<PointerInput, "screen" | "time">;

export function isDoubleClick(last: Press, input: PointerInput): boolean {
  const reach = DOUBLE_CLICK_CSS_PIXELS * (input.device === "touch" ? 4 : 1);
  return input.time - last.time < DOUBLE_CLICK_MS && distance(last.screen, input.screen) < reach;
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

/**
 * The point that a press at this place draws: inside the image, in hundredths of
 * a pixel. The preview shows this very point, so what is drawn is what is stored.
 */
export function drawn(editor: Editor, at: ImagePoint): ImagePoint {
  const { width, height } = editor.image;
  const within = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  return imagePoint(hundredths(within(at.x, width)), hundredths(within(at.y, height)));
}

/** A shift in hundredths of a pixel. */
export function shift(from: ImagePoint, to: ImagePoint): { dx: number; dy: number } {
  return { dx: hundredths(to.x - from.x), dy: hundredths(to.y - from.y) };
}

/** Whether a shape can be begun; says why not. */
export function mayDraw(editor: Editor): boolean {
  if (editor.readOnly) return false;
  if (editor.categoryId !== null) return true;
  editor.say("This dataset has no categories yet. Add one on its page, then draw.");
  return false;
}

/** A new annotation of the current category, selected, as one step. */
export function add(editor: Editor, label: string, geometry: Partial<Annotation>): void {
  const key = newKey();
  const annotation = { ...EMPTY_ANNOTATION, category_id: editor.categoryId, ...geometry };
  editor.transact(label, new Map([[key, annotation]]));
  editor.select([key]);
}

/** The redraw tool: another stretch of border for the selected outline, from one place on it to another. */

import type { PointerInput } from "../editor/input";
import type { Hint } from "../editor/hand";
import { redrawn, wayAlong } from "../geometry/along";
import type { Region } from "../geometry/clipping";
import { distance, type ImagePoint } from "../geometry/point";
import { sameValue, type AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import { OutlineTool, type Points } from "./outline";
import { outlineAt, SNAP, type OnOutline } from "./snapping";
import type { ToolKind } from "./tool";

class RedrawTool extends OutlineTool {
  override readonly filled = false;
  override readonly endHint = { gesture: "Click on the border", does: "replace the shorter stretch, with Alt the other one" };
  #from: OnOutline | null = null;
  #to: OnOutline | null = null;
  /** Alt is held: the other stretch goes. */
  #longer = false;

  override get readyHints(): readonly Hint[] {
    const whose = this.editor.view.only === null ? "a border" : "the border";
    return [
      { gesture: `Click on ${whose}`, does: "begin the new stretch" },
      { gesture: `Drag from ${whose}`, does: "freehand" },
    ];
  }

  override get gone(): Points {
    const [from, to] = [this.#from, this.#to];
    return from && to ? wayAlong(from.ring, from, to, this.#longer) : [];
  }

  begin(input: PointerInput): ImagePoint | null {
    const { view } = this.editor;
    if (this.editor.readOnly) return null;
    // A mask's border are its pixels, which are painted.
    const mayBe = (key: AnnotationKey): boolean =>
      (view.only === null || key === view.only) && !view.locked.has(key) && this.#region(key) !== null;
    this.#from = outlineAt(this.editor, input.image, input, mayBe);
    if (!this.#from) {
      this.editor.say(this.#whereToBegin);
      return null;
    }
    if (view.only === null) this.editor.select([this.#from.key]);
    return this.#from.point;
  }

  /** A place on the same outline, other than the one that it began at. */
  end(points: Points, input: PointerInput): ImagePoint | null {
    const from = this.#from;
    if (!from || points.length < 2) return null;
    const found = outlineAt(this.editor, input.image, input, (key) => key === from.key);
    const ends = found?.part === from.part && distance(found.point, from.point) > 0;
    this.#to = ends ? found : null;
    this.#longer = input.alt;
    return this.#to?.point ?? null;
  }

  get #whereToBegin(): string {
    const { only } = this.editor.view;
    if (only === null) return "Begin on the border of a polygon or box.";
    if (this.#region(only)) return "Begin on the border of the selected object.";
    return "The selected object has no outline to redraw. A mask is changed by the brush, or turned into polygons by Shift M.";
  }

  #region(key: AnnotationKey): Region | null {
    const annotation = this.editor.document.get(key);
    return annotation && shapes.region(annotation);
  }

  complete(): void {
    this.editor.say("Click on the border to end the new stretch.");
  }

  finish(points: Points): void {
    const [from, to] = [this.#from!, this.#to!];
    this.ready();
    const annotation = this.editor.document.get(from.key);
    const region = annotation && shapes.region(annotation);
    const outlines = region ? [...region.rings, ...region.holes] : [];
    if (!annotation || !region || !sameValue(outlines[from.part], from.ring)) {
      this.editor.say("The outline has changed meanwhile; draw the stretch again.");
      return;
    }
    outlines[from.part] = redrawn(from.ring, from, to, points.slice(1), this.#longer);
    const count = region.rings.length;
    const after = shapes.withRegion(annotation, { rings: outlines.slice(0, count), holes: outlines.slice(count) });
    this.editor.transact("Redraw border", new Map([[from.key, after]]));
  }
}

export const redraw: ToolKind = {
  info: {
    id: "redraw",
    label: "Redraw",
    icon: "spline",
    key: "Shift+P",
    help: "Draws another stretch of the selected outline, from one place on its border to another.",
    edits: true,
    options: [SNAP],
  },
  create: (editor) => new RedrawTool(editor),
};

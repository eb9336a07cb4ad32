/**
 * What is looked at rather than stored: the selection, what the pointer is over,
 * and what is hidden or locked. None of it enters the document or undo.
 */

import type { AnnotationKey } from "../model/records";
import { DEFAULT_DISPLAY, type Display } from "./display";
import { DEFAULT_LOOK, type Look } from "./look";
import type { Handle } from "../shapes/shape";
import type { PointSelection } from "./points";

export class View {
  #selection: ReadonlySet<AnnotationKey> = new Set();
  readonly hidden = new Set<AnnotationKey>();
  readonly locked = new Set<AnnotationKey>();
  /** How objects are drawn; another object each time that it changes. */
  look: Look = DEFAULT_LOOK;
  /** How the picture is shown; another object each time that it changes. */
  display: Display = DEFAULT_DISPLAY;
  /** What was hidden before the selection was isolated; null while it is not. */
  beforeIsolation: ReadonlySet<AnnotationKey> | null = null;
  hovered: AnnotationKey | null = null;
  hoveredHandle: Handle | null = null;
  /** The keypoint of the one selected annotation that was chosen by its name. */
  keypoint: number | null = null;
  points: PointSelection | null = null;

  get selection(): ReadonlySet<AnnotationKey> {
    return this.#selection;
  }

  select(keys: Iterable<AnnotationKey>): void {
    this.#selection = new Set(keys);
    this.keypoint = null;
    this.points = null;
  }

  deselect(key: AnnotationKey): void {
    if (this.#selection.has(key)) this.select([...this.#selection].filter((other) => other !== key));
  }

  /** The one selected annotation, or null when none or several are. */
  get only(): AnnotationKey | null {
    if (this.#selection.size !== 1) return null;
    return this.#selection.values().next().value ?? null;
  }
}

export function toggle<T>(set: Set<T>, value: T): void {
  if (!set.delete(value)) set.add(value);
}

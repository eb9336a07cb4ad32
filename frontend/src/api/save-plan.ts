/**
 * Which request brings the server from what it has to what it shall have: data
 * in, plan out.
 *
 * | server has | shall have | request                                            |
 * |------------|------------|----------------------------------------------------|
 * | nothing    | something  | create, or restore when it was there before        |
 * | something  | nothing    | delete                                             |
 * | something  | something  | restore when it is exactly an earlier version, else |
 * |            |            | change the fields that differ                      |
 *
 * Restoring an earlier version, rather than sending its fields again, brings
 * back what no field says: the number text of an imported record, its own area.
 */

import type { Annotation, AnnotationKey, ServerFacts } from "../model/records";
import { sameAnnotation } from "../model/records";
import { pathTo, type Ask, type Schemas } from "./client";
import { changeBody, createBody } from "./wire";

/** What the queue knows of one annotation. */
export interface SaveState {
  readonly key: AnnotationKey;
  readonly base: Annotation | null;
  readonly target: Annotation | null;
  readonly facts: ServerFacts | null;
  /** The version that our own deletion made; unknown when someone else deleted it. */
  readonly deletedAs: number | undefined;
  /** What was sent to be created, when no answer has come to that. */
  readonly attempted: Annotation | null;
  /** The id of the annotation that a new one is a copy of. */
  readonly copyOf: number | null;
  /** The version under which the server keeps exactly this state, if it does. */
  readonly savedAs: (state: Annotation) => number | undefined;
}

export interface Plan {
  readonly kind: "create" | "restore" | "delete" | "change";
  readonly ask: Ask;
  /** What the server is asked to have; null for nothing, and when it alone knows. */
  readonly sent: Annotation | null;
}

export function plan(imageId: number, state: SaveState): Plan | null {
  const { base, target, facts } = state;
  if (!facts) return planCreation(imageId, state);
  if (sameAnnotation(base, target)) return null;
  const { id, version } = facts;
  const path = pathTo("/api/annotations/{annotation_id}", id);
  if (!target) {
    return { kind: "delete", ask: { method: "DELETE", path, version }, sent: null };
  }
  const earlier = state.savedAs(target);
  if (!base || earlier !== undefined) {
    const ask: Ask = {
      method: "POST",
      path: pathTo("/api/annotations/{annotation_id}/restore", id),
      body: { version: earlier ?? version } satisfies Schemas["RestoreIn"],
      version: base ? version : state.deletedAs,
    };
    return { kind: "restore", ask, sent: earlier === undefined ? null : target };
  }
  const body = changeBody(base, target);
  return { kind: "change", ask: { method: "PATCH", path, body, version }, sent: target };
}

/**
 * The key makes a second try safe: the server answers with the annotation that
 * the first one made. That is why one that was taken back meanwhile is created
 * once more before it can be deleted.
 */
function planCreation(imageId: number, { key, target, attempted, copyOf }: SaveState): Plan | null {
  const wanted = attempted ?? target;
  if (!wanted) return null;
  const copied = copyOf === null ? {} : { copy_of: copyOf };
  const body: Schemas["NewAnnotation"] = { ...createBody(wanted), client_key: key, ...copied };
  const path = pathTo("/api/images/{image_id}/annotations", imageId);
  return { kind: "create", ask: { method: "POST", path, body }, sent: wanted };
}

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
 * | who knows  | the same   | look, where a request of before had no answer      |
 *
 * An annotation that is made of a prediction is created by accepting that:
 *
 * | the prediction is | shall be | annotation | request                              |
 * |-------------------|----------|------------|--------------------------------------|
 * | not accepted      | accepted | something  | accept, with what was changed of it  |
 * | open              | rejected | nothing    | reject; so when it was accepted, and |
 * |                   |          |            | deleted before the server heard      |
 * | rejected          | open     | nothing    | reopen                               |
 * | accepted          | open     | nothing    | reopen, once the annotation is gone  |
 *
 * Where a decision had no answer it is made once more before another one follows from it.
 *
 * Restoring an earlier version, rather than sending its fields again, brings
 * back what no field says: the number text of an imported record, its own area.
 */

import type { Annotation, ServerFacts } from "../model/records";
import type { Decision } from "../model/predictions";
import { sameAnnotation } from "../model/records";
import { pathTo, type Ask, type Schemas } from "./client";
import type { Deletion } from "./save-slot";
import { changeBody, createBody } from "./wire";

/** What is decided about a prediction, and what it shows. */
export interface DecisionState {
  readonly id: number;
  readonly shape: Annotation;
  /** As the server has it. */
  readonly decided: Decision;
  /** As the person has it. */
  readonly wanted: Decision;
  /** As the server may have it by our own doing. */
  readonly unheard: readonly Decision[];
}

/** What the queue knows of one annotation. */
export interface SaveState {
  readonly clientKey: string;
  readonly base: Annotation | null;
  readonly target: Annotation | null;
  readonly facts: ServerFacts | null;
  /** Our own deletion; null when someone else deleted it. */
  readonly deletion: Deletion | null;
  /** What was sent to be created, when no answer has come to that. */
  readonly attempted: Annotation | null;
  /** The id of the annotation that a new one is a copy of. */
  readonly copyOf: number | null;
  /** The prediction that it is made of. */
  readonly prediction: DecisionState | null;
  /** Whether a request had no answer since the last one that came: then nobody knows what the server has. */
  readonly unheard: boolean;
  /** The version under which the server keeps exactly this state, if it does. */
  readonly savedAs: (state: Annotation) => number | undefined;
}

export interface Plan {
  readonly kind: "create" | "restore" | "delete" | "change" | "reject" | "reopen" | "look";
  readonly ask: Ask;
  /** Whether it tells what is decided about a prediction. */
  readonly decides?: true;
  /** What the server is asked to have; null for nothing, and when it alone knows. */
  readonly sent: Annotation | null;
}

export function plan(imageId: number, state: SaveState): Plan | null {
  const { base, target, facts, prediction } = state;
  if (prediction && prediction.decided !== "accepted") return planDecision(prediction, state);
  if (prediction && !base && mayReopen(prediction, state)) return planReopening(prediction, facts);
  if (!facts) return planCreation(imageId, state);
  const { id, version } = facts;
  if (sameAnnotation(base, target)) return state.unheard ? planLook(id, target) : null;
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
      version: base ? version : state.deletion?.version,
    };
    return { kind: "restore", ask, sent: earlier === undefined ? (state.deletion?.of ?? null) : target };
  }
  const body = changeBody(base, target);
  return { kind: "change", ask: { method: "PATCH", path, body, version }, sent: target };
}

/** What was made of it is gone, and so is the decision, or maybe. A restoration without an answer may have brought it back. */
const mayReopen = ({ wanted, unheard }: DecisionState, { target, unheard: mayBeThere }: SaveState): boolean =>
  unheard.includes("open") || (wanted !== "accepted" && !target && !mayBeThere);

/** One that was asked for is accepted once more before it can be taken back: it may have been. */
function planDecision(prediction: DecisionState, { clientKey, target, attempted, facts }: SaveState): Plan | null {
  const { id, decided, wanted, shape, unheard } = prediction;
  const sent = attempted ?? (wanted === "accepted" ? target : null);
  if (sent) {
    const own = { expected_state: decided, client_key: clientKey };
    const body: Schemas["AcceptIn"] = { ...changeBody(shape, sent), ...own };
    const path = pathTo("/api/predictions/{prediction_id}/accept", id);
    return { kind: "create", decides: true, ask: { method: "POST", path, body }, sent };
  }
  if (wanted === "open") {
    const isRejected = decided === "rejected" || unheard.includes("rejected");
    return isRejected ? planReopening({ ...prediction, decided: "rejected" }, facts) : null;
  }
  if (decided !== "open" && !unheard.includes("open")) return null;
  const path = pathTo("/api/predictions/{prediction_id}/reject", id);
  return { kind: "reject", decides: true, ask: { method: "POST", path }, sent: null };
}

/** Only the decision that is known here is undone, not one that somebody else has made since. */
function planReopening({ id, decided }: DecisionState, facts: ServerFacts | null): Plan {
  const made = decided === "accepted" && facts ? { expected_annotation_id: facts.id } : {};
  const body: Schemas["ReopenIn"] = { expected_state: decided, ...made };
  const path = pathTo("/api/predictions/{prediction_id}/reopen", id);
  return { kind: "reopen", decides: true, ask: { method: "POST", path, body }, sent: null };
}

/** What was done and undone again may have reached the server in between. */
function planLook(id: number, sent: Annotation | null): Plan {
  return { kind: "look", ask: { method: "GET", path: pathTo("/api/annotations/{annotation_id}", id) }, sent };
}

/**
 * The key makes a second try safe: the server answers with the annotation that
 * the first one made. That is why one that was taken back meanwhile is created
 * once more before it can be deleted.
 */
function planCreation(imageId: number, { clientKey, target, attempted, copyOf }: SaveState): Plan | null {
  const wanted = attempted ?? target;
  if (!wanted) return null;
  const copied = copyOf === null ? {} : { copy_of: copyOf };
  const body: Schemas["NewAnnotation"] = { ...createBody(wanted), client_key: clientKey, ...copied };
  const path = pathTo("/api/images/{image_id}/annotations", imageId);
  return { kind: "create", ask: { method: "POST", path, body }, sent: wanted };
}

/**
 * Deciding about predictions. Each decision is a step of the same history as every
 * edit; an accepted prediction is an annotation from then on, like any other.
 */

import type { Change } from "../model/document";
import type { Prediction } from "../model/predictions";
import type { Annotation } from "../model/records";
import { plural } from "../shapes/shape";
import type { Editor } from "./editor";

export function accept(editor: Editor, chosen: readonly Prediction[]): void {
  editor.decide(`Accept ${counted(chosen)}`, chosen, "accepted", made(editor, chosen));
}

export function reject(editor: Editor, chosen: readonly Prediction[]): void {
  editor.decide(`Reject ${counted(chosen)}`, chosen, "rejected", new Map());
}

/** It becomes an annotation that is in hand at once: selected, with its handles. */
export function acceptAndEdit(editor: Editor, prediction: Prediction): void {
  accept(editor, [prediction]);
  takeUp(editor, prediction);
}

/** It becomes an annotation of this shape; one undo opens it again as it was found. */
export function acceptAs(editor: Editor, prediction: Prediction, shape: Annotation): void {
  editor.decide("Accept prediction", [prediction], "accepted", made(editor, [{ ...prediction, shape }]));
  takeUp(editor, prediction);
}

function made({ predictions }: Editor, chosen: readonly Prediction[]): Change {
  return new Map(chosen.map(({ id, shape }) => [predictions.keyOf(id), shape]));
}

function takeUp(editor: Editor, { id }: Prediction): void {
  const key = editor.predictions.keyOf(id);
  if (!editor.document.get(key) || editor.hand.busy) return;
  editor.hand.choose("select");
  editor.select([key]);
}

const counted = ({ length }: readonly Prediction[]): string =>
  length === 1 ? "prediction" : plural(length, "prediction");

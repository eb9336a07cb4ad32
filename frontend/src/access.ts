/** What the person may still do with an image, and how that is told when it becomes less. */

import { get, RequestError, type Transport } from "./api/client";
import type { Known } from "./api/wire";
import type { AnnotationDocument } from "./model/document";
import type { PageData } from "./session";
import { plural } from "./shapes/shape";

/** What answers that it is not there, to this person: the image alone, or the dataset as well. */
export type Absence = "image" | "dataset";

export const ABSENCE_LABELS: Readonly<Record<Absence, string>> = { image: "Image deleted", dataset: "No access" };

export const ABSENCE_TEXTS: Readonly<Record<Absence, string>> = {
  image: "This image was deleted.",
  dataset: "You have no access to this dataset any more, or it was deleted.",
};

/** Strangers hear that an image is not there, too; the dataset tells the two apart. */
export async function findAbsence(transport: Transport, datasetId: number): Promise<Absence> {
  try {
    await get(transport, "/api/datasets/{dataset_id}", datasetId);
    return "image";
  } catch (error) {
    return error instanceof RequestError && error.problem.status === 404 ? "dataset" : "image";
  }
}

/** Of these annotations those that the server had at some time. */
export function savedIn(document: AnnotationDocument): Known[] {
  return [...document.entries()].flatMap(([key, annotation]) => {
    const facts = document.facts(key);
    return facts ? [{ annotation, facts }] : [];
  });
}

export const absenceText = (absence: Absence, unsaved: number): string => ABSENCE_TEXTS[absence] + keptText(unsaved);

export function roleText(role: PageData["role"], unsaved: number): string {
  if (role !== "viewer") return `You may draw here now: your role in this dataset is ${role}.`;
  return `You may only look at this dataset now: your role in it was changed to viewer.${keptText(unsaved)}`;
}

function keptText(unsaved: number): string {
  if (unsaved === 0) return "";
  return ` ${plural(unsaved, "change")} could not be saved and ${unsaved === 1 ? "stays" : "stay"} in this browser.`;
}

/** The same way to the server, with somebody who hears of each refusal. */
export function noticing(transport: Transport, refused: () => void): Transport {
  return async (ask) => {
    const answer = await transport(ask);
    if (answer.status === 403 && ask.method !== "GET") refused();
    return answer;
  };
}

/** What the person may still do with an image, and how that is told when it becomes less. */

import { pathTo, succeeded, type RequestError, type Transport } from "./api/client";
import { Pause } from "./api/pause";
import type { SaveQueue } from "./api/save-queue";
import type { Known } from "./api/wire";
import type { AnnotationDocument } from "./model/document";
import type { PageData } from "./session";
import { plural } from "./shapes/shape";

/**
 * What answers that it is not there, to this person: the image alone, or the dataset as well. As long
 * as nobody answers which of them, that is `unknown`.
 */
export type Absence = "image" | "dataset" | "unknown";

export const ABSENCE_LABELS: Readonly<Record<Absence, string>> = {
  image: "Image deleted",
  dataset: "No access",
  unknown: "Not available",
};

export const ABSENCE_TEXTS: Readonly<Record<Absence, string>> = {
  image: "This image was deleted.",
  dataset: "You have no access to this dataset any more, or it was deleted.",
  unknown: "This image was deleted, or you have no access to it any more.",
};

/**
 * Why an image is not there; null when it is. Strangers hear that it is not there, too: the dataset
 * tells the two apart, and the image, asked after it, that nobody was a stranger for a moment only.
 */
export async function findAbsence(transport: Transport, imageId: number, datasetId: number): Promise<Absence | null> {
  const dataset = await transport({ method: "GET", path: pathTo("/api/datasets/{dataset_id}", datasetId) });
  if (dataset.status === 404) return "dataset";
  if (!succeeded(dataset)) return "unknown";
  const image = await transport({ method: "GET", path: pathTo("/api/images/{image_id}", imageId) });
  if (succeeded(image)) return null;
  return image.status === 404 ? "image" : "unknown";
}

/** The same once it is known: asked again and again, less and less often, as long as it is `wanted`. */
export async function awaitAbsence(
  find: () => Promise<Absence | null>,
  wanted: () => boolean,
  pause = new Pause(),
): Promise<Absence | null> {
  let found: Absence | null = "unknown";
  while (found === "unknown" && wanted()) {
    await new Promise<void>((resolve) => pause.wait(null, resolve));
    if (wanted()) found = await find();
  }
  return found;
}

/** Of these annotations those that the server had at some time, as it had them. */
export function savedIn(document: AnnotationDocument, queue: Pick<SaveQueue, "baseOf">): Known[] {
  return [...document.entries()].flatMap(([key, annotation]) => {
    const facts = document.facts(key);
    return facts ? [{ annotation: queue.baseOf(key) ?? annotation, facts }] : [];
  });
}

/** What could not be saved, and whether the browser keeps it. */
export interface Left {
  readonly unsaved: number;
  readonly isKept: boolean;
}

/** Why a change of an image is not saved. */
export const vainText = (why: Absence | "viewer"): string =>
  why === "viewer" ? "You may only look at this dataset now." : ABSENCE_TEXTS[why];

export const absenceText = (absence: Absence, left: Left): string => ABSENCE_TEXTS[absence] + keptText(left);

export function roleText(role: PageData["role"], left: Left): string {
  if (role !== "viewer") return `You may draw here now: your role in this dataset is ${role}.`;
  return `You may only look at this dataset now: your role in it was changed to viewer.${keptText(left)}`;
}

function keptText({ unsaved, isKept }: Left): string {
  if (unsaved === 0) return "";
  const stays = unsaved === 1 ? "stays" : "stay";
  const where = isKept ? `${stays} in this browser` : `${stays} here as long as this page is open`;
  return ` ${plural(unsaved, "change")} could not be saved and ${where}.`;
}

/** Why an image does not open, when the one on the stage is absent or not. */
export function failureText({ problem: { status, detail } }: RequestError, absence: Absence | null): string {
  if (status === 404 && absence === "dataset") return ABSENCE_TEXTS.dataset;
  if (status === 404) return "That image is not there any more, or not for you.";
  if (status === 401) return "You are signed out. Sign in again, then go on.";
  return `The image does not open. ${detail}`;
}

/** The same way to the server, with somebody who hears of each refusal. */
export function noticing(transport: Transport, refused: () => void): Transport {
  return async (ask) => {
    const answer = await transport(ask);
    if (answer.status === 403 && ask.method !== "GET") refused();
    return answer;
  };
}

/**
 * What of an annotation the editor cannot show as it is, or leaves alone: in words for a person. None
 * of it keeps an annotation from being selected, deleted or given another category.
 */

import type { Annotation, Category } from "../model/records";
import { isMask } from "./mask";
import { measures } from ".";

type Named = Pick<Category, "name" | "keypoints">;

export function oddities(
  annotation: Annotation,
  category: Named | null,
  otherKeys: readonly string[] = [],
): string[] {
  return [
    ...segmentationOddities(annotation),
    ...boxOddities(annotation),
    ...keypointOddities(annotation, category),
    ...recordOddities(otherKeys),
  ];
}

function segmentationOddities(annotation: Annotation): string[] {
  const { segmentation } = annotation;
  if (isMask(segmentation) && measures(annotation).bounds === null) {
    return ["Its mask has no pixel, or cannot be read: there is nothing to be seen of it."];
  }
  return [];
}

function boxOddities({ bbox }: Annotation): string[] {
  if (!bbox) return [];
  const [, , width, height] = bbox;
  if (width < 0 || height < 0) return ["Its box has a negative size; it is shown mirrored, and stays so until it is moved."];
  return width === 0 || height === 0 ? ["Its box has no extent: it is found in this list only."] : [];
}

function keypointOddities({ keypoints }: Annotation, category: Named | null): string[] {
  if (!keypoints) return [];
  const names = category?.keypoints.length ?? 0;
  if (keypoints.length !== 3 * names) {
    const found = `Its keypoints are ${keypoints.length} numbers`;
    const wanted = names === 0 ? "has no keypoints" : `has ${names} points, three numbers each`;
    return [`${found}, but ${category ? `“${category.name}”` : "its category"} ${wanted}. They stay as they are.`];
  }
  const odd = keypoints.some((value, i) => i % 3 === 2 && ![0, 1, 2].includes(value));
  return odd ? ["A keypoint has a visibility other than 0, 1 and 2. It stays as it is."] : [];
}

function recordOddities(otherKeys: readonly string[]): string[] {
  const others = otherKeys.filter((key) => key !== "segmentation");
  const told: string[] = [];
  if (others.length < otherKeys.length) {
    told.push("The file writes its segmentation in a way of its own; the record keeps it until the shape is changed.");
  }
  if (others.length > 0) {
    const what = others.some((key) => key.startsWith("dp_")) ? "a DensePose record" : "more in its record";
    const names = others.length > 6 ? `${others.slice(0, 6).join(", ")}, …` : others.join(", ");
    told.push(`It has ${what} (${names}), which is not shown here and stays as it is.`);
  }
  return told;
}

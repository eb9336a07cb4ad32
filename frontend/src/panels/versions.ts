/** Where two versions of one annotation differ, as rows of a table: data in, texts out. */

import { boxOfBounds } from "../geometry/bounds";
import { vertexCount, type Ring } from "../geometry/ring";
import { differences, type Difference } from "../model/conflict";
import { sameValue, type Annotation, type Category } from "../model/records";
import { describe, measures } from "../shapes";
import { visibilityOf } from "../shapes/poses";
import { plural } from "../shapes/shape";
import { attributeNames, valueText } from "./properties";
import { areaText } from "./text";

export interface VersionRow {
  readonly name: string;
  readonly mine: string;
  readonly theirs: string;
  /** Who changed it since the version that both began with. */
  readonly byMe: boolean;
  readonly byThem: boolean;
}

interface Versions {
  /** What both began with, where it is known. */
  readonly base: Annotation | null;
  readonly mine: Annotation;
  readonly theirs: Annotation;
}

type CategoryOf = (id: number | null) => Category | null | undefined;
type Texts = Omit<VersionRow, "byMe" | "byThem">;

/** More points or attributes than this would push the choice out of sight. */
const MOST_ROWS = 6;
const VISIBILITIES = ["absent", "hidden", "visible"] as const;

/** Only what differs, each as a person would say it. */
export function versionRows(versions: Versions, categoryOf: CategoryOf): VersionRow[] {
  const { base, mine, theirs } = versions;
  return differences(base, mine, theirs).flatMap((found) =>
    textsOf(found, versions, categoryOf).map((texts) => ({ ...texts, byMe: found.mine, byThem: found.theirs })),
  );
}

function textsOf({ subject }: Difference, versions: Versions, categoryOf: CategoryOf): Texts[] {
  const { mine, theirs } = versions;
  const row = (name: string, text: (version: Annotation) => string): Texts => ({
    name,
    mine: text(mine),
    theirs: text(theirs),
  });
  if (subject === "shape") return shapeRows(versions);
  if (subject === "keypoints") return short(keypointRows(mine, theirs, categoryOf), "keypoint");
  if (subject === "attributes") return short(attributeRows(mine, theirs), "attribute");
  if (subject === "category") return [row("Category", ({ category_id: id }) => categoryOf(id)?.name ?? "no category")];
  if (subject === "crowd") return [row("Crowd", ({ iscrowd }) => (iscrowd ? "yes" : "no"))];
  if (subject === "score") return [row("Score", ({ score }) => String(score ?? "none"))];
  return [row("Caption", ({ caption }) => caption ?? "none")];
}

/** By kind and size; by the points that were moved where those are alike. */
function shapeRows({ base, mine, theirs }: Versions): Texts[] {
  const texts: readonly [string, (version: Annotation) => string][] = [
    ["Shape", describe],
    ["Points moved", (version) => movedText(base, version)],
    ["Box", sizeText],
    ["Area", (version) => areaText(measures(version).area)],
  ];
  const rows = texts.map(([name, text]) => ({ name, mine: text(mine), theirs: text(theirs) }));
  const differ = rows.filter((row) => row.mine !== row.theirs && row.mine !== "" && row.theirs !== "");
  return differ.length > 0 ? differ : rows.slice(0, 1);
}

/** `x 12, y 30.5, 40 × 80`: the extent of whatever the shape is. */
function sizeText(version: Annotation): string {
  const { bounds } = measures(version);
  if (!bounds) return "none";
  const [x, y, width, height] = boxOfBounds(bounds).map(short2);
  return `x ${x}, y ${y}, ${width} × ${height}`;
}

const short2 = (value: number): string => String(Math.round(value * 100) / 100);

const ringsOf = ({ segmentation, holes }: Annotation): readonly Ring[] =>
  Array.isArray(segmentation) ? [...(segmentation as readonly Ring[]), ...holes] : [];

/** How many points of the outlines lie elsewhere than at first; empty where points came or went. */
function movedText(base: Annotation | null, version: Annotation): string {
  const [before, now] = [base ? ringsOf(base) : [], ringsOf(version)];
  if (before.length === 0 || !sameValue(before.map(vertexCount), now.map(vertexCount))) return "";
  const [from, to] = [before.flat(), now.flat()];
  const far: number[] = [];
  for (let i = 0; i < from.length; i += 2) {
    const distance = Math.hypot(to[i]! - from[i]!, to[i + 1]! - from[i + 1]!);
    if (distance > 0) far.push(distance);
  }
  return far.length === 0 ? "none" : `${far.length}, by up to ${short2(Math.max(...far))} px`;
}

function keypointRows(mine: Annotation, theirs: Annotation, categoryOf: CategoryOf): Texts[] {
  const names = categoryOf(mine.category_id)?.keypoints ?? [];
  const count = Math.max(mine.keypoints?.length ?? 0, theirs.keypoints?.length ?? 0) / 3;
  return Array.from({ length: count }, (_, i) => ({
    name: names[i] ?? `Keypoint ${i + 1}`,
    mine: pointText(mine.keypoints, i),
    theirs: pointText(theirs.keypoints, i),
  })).filter((row) => row.mine !== row.theirs);
}

function pointText(numbers: readonly number[] | null, index: number): string {
  const visibility = VISIBILITIES[visibilityOf(numbers, index)];
  if (!numbers || visibility === "absent") return "absent";
  return `${short2(numbers[3 * index]!)}, ${short2(numbers[3 * index + 1]!)}, ${visibility}`;
}

function attributeRows(mine: Annotation, theirs: Annotation): Texts[] {
  const text = ({ attributes }: Annotation, name: string): string =>
    Object.hasOwn(attributes, name) ? valueText(attributes[name]) : "none";
  return attributeNames([mine, theirs])
    .filter((name) => !sameValue(mine.attributes[name], theirs.attributes[name]))
    .map((name) => ({ name, mine: text(mine, name), theirs: text(theirs, name) }));
}

function short(rows: Texts[], one: string): Texts[] {
  if (rows.length <= MOST_ROWS) return rows;
  const left = plural(rows.length - MOST_ROWS + 1, `other ${one}`);
  return [...rows.slice(0, MOST_ROWS - 1), { name: `And ${left}`, mine: "…", theirs: "…" }];
}

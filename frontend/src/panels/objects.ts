/** The rows of the object list and the counts of the category list: data in, rows out. */

import type { Editor } from "../editor/editor";
import type { Annotation, AnnotationKey, Category } from "../model/records";
import { isLabel, measures } from "../shapes";
import { words } from "./command-list";
import { areaText } from "./text";

export interface ObjectRow {
  readonly kind: "object";
  readonly key: AnnotationKey;
  readonly name: string;
  /** The text of a caption of the image, by which one is told from another. */
  readonly caption: string | null;
  readonly categoryId: number | null;
  /** The COCO id as text; empty for one that the server has not seen. */
  readonly id: string;
  readonly area: number;
}

/** The line above the objects of one category. */
export interface GroupRow {
  readonly kind: "group";
  readonly name: string;
  readonly categoryId: number | null;
  readonly count: number;
  readonly folded: boolean;
}

export type ListRow = ObjectRow | GroupRow;

export const SORTS = {
  area: "Largest first",
  category: "By category",
  newest: "Newest first",
  order: "As in the file",
  id: "By id",
} as const;

export type Sort = keyof typeof SORTS;

export interface ListOptions {
  readonly sort: Sort;
  /** Words of category, id, text or attributes, all of which must be there. */
  readonly filter?: string;
}

/** What the annotation is called in lists. */
export function objectName(editor: Editor, { category_id: id, caption }: Annotation): string {
  return editor.category(id)?.name ?? (caption === null ? "no category" : "caption");
}

export function objectRows(editor: Editor, { sort, filter = "" }: ListOptions): ObjectRow[] {
  const rows: ObjectRow[] = [];
  const parts = words(filter);
  for (const [key, annotation] of editor.document.entries()) {
    const facts = editor.document.facts(key);
    const name = objectName(editor, annotation);
    const id = facts ? String(facts.coco_id) : "";
    if (parts.length > 0 && !mentionsAll(`${name} ${id} ${searchText(annotation)}`, parts)) continue;
    const area = facts?.area ?? measures(annotation).area;
    const categoryId = annotation.category_id;
    const caption = categoryId === null ? annotation.caption : null;
    rows.push({ kind: "object", key, name, caption, categoryId, id, area });
  }
  return rows.sort(ORDERS[sort](editor));
}

/** What a row cuts off, in full. */
export function rowTip({ name, caption, id, area }: ObjectRow): string {
  const what = caption === null ? name : `${name} “${caption}”`;
  const size = area > 0 && areaText(area);
  return [what, `COCO id ${id || "not there yet"}`, size].filter(Boolean).join(", ");
}

type Order = (a: ObjectRow, b: ObjectRow) => number;

/** Sorting is stable, so that equals stay in the order of the file. */
const ORDERS: Readonly<Record<Sort, (editor: Editor) => Order>> = {
  area: () => (a, b) => b.area - a.area,
  category: (editor) => {
    const rank = categoryRanks(editor);
    const of = ({ categoryId }: ObjectRow): number => rank.get(categoryId) ?? -1;
    return (a, b) => of(a) - of(b) || b.area - a.area;
  },
  newest: (editor) => {
    const place = new Map([...editor.document.entries()].map(([key], i) => [key, i]));
    return (a, b) => place.get(b.key)! - place.get(a.key)!;
  },
  order: () => () => 0,
  id: () => (a, b) => {
    // What has no id yet comes last; ids that are no numbers after those that are.
    const [left, right] = [idNumber(a.id), idNumber(b.id)];
    return left === right ? (a.id < b.id ? -1 : a.id > b.id ? 1 : 0) : left - right;
  },
};

const idNumber = (id: string): number => (id === "" || Number.isNaN(Number(id)) ? Infinity : Number(id));

/** Places of the categories by name: comparing numbers is a hundred times faster than names. */
function categoryRanks(editor: Editor): Map<number | null, number> {
  const sorted = [...editor.categories].sort((a, b) => a.name.localeCompare(b.name));
  return new Map(sorted.map(({ id }, i) => [id, i]));
}

/** The same rows under a line for each category; the rows of a folded one are left out. */
export function grouped(editor: Editor, rows: readonly ObjectRow[], folded: ReadonlySet<number | null>): ListRow[] {
  const groups = new Map<number | null, ObjectRow[]>();
  for (const row of rows) {
    const group = groups.get(row.categoryId);
    if (group) group.push(row);
    else groups.set(row.categoryId, [row]);
  }
  const rank = categoryRanks(editor);
  const ids = [...groups.keys()].sort((a, b) => (rank.get(a) ?? -1) - (rank.get(b) ?? -1));
  return ids.flatMap((categoryId): ListRow[] => {
    const members = groups.get(categoryId)!;
    const { name } = members[0]!;
    const isFolded = folded.has(categoryId);
    const head: GroupRow = { kind: "group", name, categoryId, count: members.length, folded: isFolded };
    return isFolded ? [head] : [head, ...members];
  });
}

const searchTexts = new WeakMap<Annotation, string>();

/** Caption and attributes, as `name:value`, in small letters. */
function searchText(annotation: Annotation): string {
  let text = searchTexts.get(annotation);
  if (text === undefined) {
    const attributes = Object.entries(annotation.attributes).map(([name, value]) => `${name}:${plain(value)}`);
    text = [annotation.caption ?? "", ...attributes, annotation.iscrowd ? "crowd" : ""].join(" ");
    searchTexts.set(annotation, text);
  }
  return text;
}

const plain = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function mentionsAll(text: string, parts: readonly string[]): boolean {
  const small = text.toLowerCase();
  return parts.every((part) => small.includes(part));
}

/** The keys between two rows, both included, for a click with Shift. */
export function keysBetween(rows: readonly ListRow[], from: number, to: number): AnnotationKey[] {
  const [first, last] = [Math.min(from, to), Math.max(from, to)];
  return rows.slice(first, last + 1).flatMap((row) => (row.kind === "object" ? [row.key] : []));
}

/** The nearest row with an object from `at` on in the direction of `step`; null when there is none. */
export function objectFrom(rows: readonly ListRow[], at: number, step: 1 | -1): number | null {
  for (let i = at; i >= 0 && i < rows.length; i += step) if (rows[i]!.kind === "object") return i;
  return null;
}

/** How many objects there are of each category; a label of the image is none of them. */
export function countsByCategory(editor: Editor): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [, annotation] of editor.document.entries()) {
    const { category_id: id } = annotation;
    if (id !== null && !isLabel(annotation)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Where in a list of `count` rows a key leads from row `at` (-1: none); null when nowhere. */
export function rowAfter(key: string, at: number, count: number): number | null {
  const rows: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1 };
  const row = rows[key];
  return row === undefined || count === 0 ? null : Math.min(Math.max(row, 0), count - 1);
}

/** More categories than this, and those of this image come first. */
const SHORT_LIST = 9;

/**
 * The categories in the order of the panel. Decided once per image: a list that
 * sorts itself anew while one works cannot be learnt.
 */
export function categoryOrder(editor: Editor): readonly Category[] {
  if (editor.categories.length <= SHORT_LIST) return editor.categories;
  const counts = countsByCategory(editor);
  const count = ({ id }: Category): number => counts.get(id) ?? 0;
  return [...editor.categories].sort((a, b) => count(b) - count(a));
}

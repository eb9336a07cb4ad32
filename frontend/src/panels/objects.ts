/** The rows of the object list and the counts of the category list: data in, rows out. */

import type { Editor } from "../editor/editor";
import type { AnnotationKey, Category } from "../model/records";
import { measures } from "../shapes";

export interface ObjectRow {
  readonly key: AnnotationKey;
  readonly name: string;
  readonly color: string;
  readonly area: number;
}

export const SORTS = {
  area: "Largest first",
  category: "By category",
  newest: "Newest first",
} as const;

export type Sort = keyof typeof SORTS;

export function objectRows(editor: Editor, sort: Sort): ObjectRow[] {
  const rows: ObjectRow[] = [];
  for (const [key, annotation] of editor.document.entries()) {
    const { category_id: categoryId, caption } = annotation;
    rows.push({
      key,
      name: editor.category(categoryId)?.name ?? (caption === null ? "no category" : "caption"),
      color: editor.color(categoryId),
      area: editor.document.facts(key)?.area ?? measures(annotation).area,
    });
  }
  if (sort === "area") rows.sort((a, b) => b.area - a.area);
  else if (sort === "newest") rows.reverse();
  else rows.sort((a, b) => a.name.localeCompare(b.name) || b.area - a.area);
  return rows;
}

export function countsByCategory(editor: Editor): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [, { category_id: id }] of editor.document.entries()) {
    if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
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

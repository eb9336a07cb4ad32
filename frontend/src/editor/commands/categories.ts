/** Choosing the category of the next shape, and of the selection. */

import type { Editor } from "../editor";
import type { Command } from "./command";

/** With the select tool a digit also gives the selection the category. */
export function pickCategory(editor: Editor, categoryId: number): void {
  editor.chooseCategory(categoryId);
  if (editor.hand.toolId !== "select" || editor.hand.busy || editor.readOnly) return;
  if (editor.view.selection.size === 0) return;
  editor.edit("Change category", editor.view.selection, (annotation) =>
    annotation.category_id === categoryId ? null : { ...annotation, category_id: categoryId },
  );
}

type Shelf = "hidden" | "locked";

/** The categories all of whose objects are hidden, or locked. */
export function categoriesWhollyIn({ document, view }: Editor, shelf: Shelf): Set<number> {
  const wholly = new Set<number>();
  const not = new Set<number>();
  for (const [key, { category_id: id }] of document.entries()) {
    if (id === null) continue;
    (view[shelf].has(key) ? wholly : not).add(id);
  }
  for (const id of not) wholly.delete(id);
  return wholly;
}

/** Hides or locks every object of the category or, when all are, none. What is drawn later is neither. */
export function toggleCategory(editor: Editor, categoryId: number, shelf: Shelf): void {
  const { document, view, signal } = editor;
  const all = categoriesWhollyIn(editor, shelf).has(categoryId);
  for (const [key, { category_id: id }] of document.entries()) {
    if (id !== categoryId) continue;
    if (all) view[shelf].delete(key);
    else view[shelf].add(key);
  }
  signal.emit("view");
}

function categoryCommand(id: string, shelf: Shelf, label: string, help: string): Command {
  return {
    id,
    label,
    group: "Category",
    help,
    keys: [],
    when: (editor) => editor.categoryId !== null,
    run: (editor) => editor.categoryId !== null && toggleCategory(editor, editor.categoryId, shelf),
  };
}

function digitCommand(digit: number): Command {
  return {
    id: `category-${digit}`,
    label: `Category ${digit}`,
    group: "Category",
    help: "For the next shape, and with the select tool for the selection.",
    keys: [String(digit)],
    together: "The first nine categories",
    when: (editor) => editor.categories.length >= digit,
    run: (editor) => pickCategory(editor, editor.categories[digit - 1]!.id),
  };
}

export const CATEGORIES: readonly Command[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(digitCommand),
  categoryCommand(
    "hide-category",
    "hidden",
    "Hide or show every object of the category",
    "Of the category that the next shape will have.",
  ),
  categoryCommand(
    "lock-category",
    "locked",
    "Lock or unlock every object of the category",
    "Of the category that the next shape will have.",
  ),
];

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

export const CATEGORIES: readonly Command[] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(digitCommand);

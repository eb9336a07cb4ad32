/** What is still in hand on the next image, and after the page was closed. */

import { readDisplay } from "./editor/display";
import type { Editor } from "./editor/editor";

const TOOL = "maskwright-tool";

/** Tool, category and clipboard hold for this window, what the tools were set to for the person. */
export function remember(editor: Editor, datasetId: number, userId: number): void {
  editor.clipboard.keepIn(sessionStorage);
  rememberCategory(editor, `maskwright-category-${datasetId}`);
  rememberTool(editor);
  rememberOptions(editor, `maskwright-tool-options-${userId}`);
  rememberDisplay(editor, `maskwright-display-${userId}`);
}

function rememberCategory(editor: Editor, place: string): void {
  const category = sessionStorage.getItem(place);
  if (category) editor.chooseCategory(Number(category));
  editor.signal.on(["category"], () => {
    sessionStorage.setItem(place, String(editor.categoryId));
  });
}

function rememberTool(editor: Editor): void {
  editor.hand.choose(sessionStorage.getItem(TOOL) ?? "");
  let remembered = editor.hand.toolId;
  editor.signal.on(["tool"], () => {
    // The signal comes with every movement of the pointer; the store is slow.
    if (editor.hand.toolId === remembered) return;
    remembered = editor.hand.toolId;
    sessionStorage.setItem(TOOL, remembered);
  });
}

function rememberDisplay(editor: Editor, place: string): void {
  try {
    editor.setDisplay(readDisplay(JSON.parse(localStorage.getItem(place) ?? "null")));
  } catch {
    // Whoever wrote something else there: the picture is shown as it is.
  }
  let kept = editor.view.display;
  editor.signal.on(["view"], () => {
    if (editor.view.display === kept) return;
    kept = editor.view.display;
    localStorage.setItem(place, JSON.stringify(kept));
  });
}

function rememberOptions({ options, signal }: Editor, place: string): void {
  let kept = localStorage.getItem(place) ?? "{}";
  try {
    options.restore(JSON.parse(kept));
  } catch {
    // Whoever wrote something else there: the tools begin as they were made.
    kept = "{}";
  }
  signal.on(["tool"], () => {
    const chosen = JSON.stringify(options.chosen);
    if (chosen === kept) return;
    kept = chosen;
    localStorage.setItem(place, chosen);
  });
}

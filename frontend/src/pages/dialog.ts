import { find, findAll } from "./dom";

/**
 * Dialogs are <dialog> elements. A button with `data-opens="ID"` opens one, one
 * with `data-close` inside closes it at once, as Cancel does. One with `data-dismiss`,
 * Escape and a click beside it close it unless something is to be asked first.
 *
 * `data-fill` on the opening button holds values for the dialog, as JSON; in
 * the dialog, `data-fill-to="NAME:text"` or `"NAME:action"` says where each goes.
 */
export function bindDialogs(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest<HTMLElement>("[data-opens]");
    if (opener !== null) {
      openDialog(opener.dataset["opens"] ?? "", opener.dataset["fill"]);
    } else if (event.target.closest("[data-close]") !== null) {
      event.target.closest("dialog")?.close();
    } else if (event.target.closest("dialog [data-dismiss]") !== null) {
      requestClose(event.target.closest("dialog")!);
    }
  });
  document.addEventListener("keydown", closeByEscape);
  for (const dialog of findAll<HTMLDialogElement>(document, "dialog")) closeOutside(dialog);
}

/**
 * Here and not in the browser, which lets nobody object to several Escapes in a
 * row and closes all dialogs with one of them.
 */
function closeByEscape(event: KeyboardEvent): void {
  if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
  // A question stands behind all others in the page, and above them on the screen.
  const topmost = findAll<HTMLDialogElement>(document, "dialog:modal").at(-1);
  if (!topmost) return;
  event.preventDefault();
  if (!event.repeat) requestClose(topmost);
}

/** Whoever has something to say against it can. */
function requestClose(dialog: HTMLDialogElement): void {
  if (dialog.dispatchEvent(new Event("cancel", { cancelable: true }))) dialog.close();
}

function openDialog(id: string, fill?: string): HTMLDialogElement {
  const dialog = find<HTMLDialogElement>(document, `dialog#${id}`);
  if (fill !== undefined) fillDialog(dialog, JSON.parse(fill) as Record<string, string>);
  dialog.showModal();
  return dialog;
}

function fillDialog(dialog: HTMLElement, values: Readonly<Record<string, string>>): void {
  for (const element of findAll(dialog, "[data-fill-to]")) {
    const [name = "", place] = (element.dataset["fillTo"] ?? "").split(":");
    const value = values[name] ?? "";
    if (place === "action") element.setAttribute("action", value);
    else element.textContent = value;
  }
}

/** A press that begins and ends on the backdrop closes; dragging out of a text field does not. */
function closeOutside(dialog: HTMLDialogElement): void {
  let pressed = false;
  dialog.addEventListener("pointerdown", (event) => {
    pressed = event.target === dialog;
  });
  dialog.addEventListener("click", (event) => {
    if (pressed && event.target === dialog) requestClose(dialog);
  });
}

/** Ask a question that can be answered by a named deed or by leaving things alone. */
export function confirm(question: { title: string; text: string; yes: string }): Promise<boolean> {
  const dialog = find<HTMLDialogElement>(document, "dialog#confirm");
  find(dialog, "[data-confirm-title]").textContent = question.title;
  find(dialog, "[data-confirm-text]").textContent = question.text;
  find(dialog, "[data-confirm-yes]").textContent = question.yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

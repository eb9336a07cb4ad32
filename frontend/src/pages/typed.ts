import { confirm } from "./dialog";

/** Forms in which somebody typed since they were shown, and which are not saved. */
const typed = new Set<HTMLFormElement>();

/** What was typed into a form is not dropped by Escape, the cross, a press beside the dialog, or a reload, without a question. */
export function bindTyped(): void {
  document.addEventListener("input", ({ target }) => {
    const form = formOf(target);
    if (form) typed.add(form);
  });
  // What concerns one dialog does not bubble.
  document.addEventListener("close", ({ target }) => forget(target), true);
  document.addEventListener("cancel", keepOpen, true);
  addEventListener("beforeunload", (event) => {
    if ([...typed].some(isWaiting)) event.preventDefault();
  });
}

/** It is saved, or was dropped on purpose. */
export function forget(place: EventTarget | null): void {
  for (const form of typed) if (place instanceof Node && place.contains(form)) typed.delete(form);
}

/** Text alone: what is searched for, chosen or secret is not missed. */
function formOf(target: EventTarget | null): HTMLFormElement | null {
  const isText = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type === "text");
  return isText && !target.matches("[data-typed-name]") ? target.form : null;
}

/** One that is being sent leaves the page by itself; one that was taken has given its place to what came of it. */
const isWaiting = (form: HTMLFormElement): boolean =>
  form.checkVisibility() && form.getAttribute("aria-busy") !== "true";

function keepOpen(event: Event): void {
  // Fields for files are cancelled as well.
  const dialog = event.target;
  if (!(dialog instanceof HTMLDialogElement) || ![...typed].some((form) => dialog.contains(form) && isWaiting(form))) return;
  event.preventDefault();
  const question = { title: "Drop what you typed?", text: "It is not saved yet.", yes: "Drop it" };
  void confirm(question).then((yes) => yes && dialog.close());
}

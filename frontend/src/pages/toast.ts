import { find, instantiate } from "./dom";

const KEPT = "maskwright-said";
const SHOWN_MS = 6000;

/** Say something in the corner of the page; errors stay until they are dismissed. */
export function say(message: string, kind: "note" | "error" = "note"): void {
  const toast = instantiate("toast");
  find(toast, "p").textContent = message;
  toast.classList.toggle("toast-error", kind === "error");
  find(toast, "button").addEventListener("click", () => toast.remove());
  find(document, "#toasts").append(toast);
  if (kind === "note") setTimeout(() => toast.remove(), SHOWN_MS);
}

/** Say an error, whatever it is. */
export function sayError(error: unknown): void {
  say(error instanceof Error ? error.message : String(error), "error");
}

/** Say it on the next page, because this one is about to go. */
export function sayNext(message: string): void {
  sessionStorage.setItem(KEPT, message);
}

/** Say what the page before asked to be said. */
export function sayKept(): void {
  const message = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (message !== null) say(message);
}

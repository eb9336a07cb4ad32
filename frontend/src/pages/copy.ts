import { find } from "./dom";
import { say } from "./toast";

/** Buttons with `data-copy="ID"` copy that field's text. */
export function bindCopy(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const id = event.target.closest<HTMLElement>("[data-copy]")?.dataset["copy"];
    if (id !== undefined) void copy(find<HTMLInputElement>(document, `#${CSS.escape(id)}`));
  });
}

async function copy(field: HTMLInputElement): Promise<void> {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say("Copied.");
  } catch {
    // Browsers offer the clipboard only over https and on localhost.
    say("Your browser does not let this page copy; the text is selected, so press Ctrl+C.");
  }
}

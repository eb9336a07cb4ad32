import { find, findAll } from "./dom";

/** The API reference: a search over its routes, and links that open what they point to. */
export function reference(root: HTMLElement): void {
  const field = find<HTMLInputElement>(root, "[data-narrow]");
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase().split(/\s+/);
    for (const entry of findAll(root, "[data-text]")) {
      const text = (entry.dataset["text"] ?? "").toLowerCase();
      entry.hidden = !words.every((word) => text.includes(word));
    }
    for (const section of findAll(root, "section[id]")) {
      section.hidden = section.querySelector("[data-text]:not([hidden])") === null;
    }
  });
  addEventListener("hashchange", openTarget);
  openTarget();
}

function openTarget(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView({ block: "start" });
  }
}

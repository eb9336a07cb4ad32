import { findAll } from "./dom";

/** A <details> that behaves like a menu: Escape and a click elsewhere close it. */
export function menu(root: HTMLElement): void {
  const details = root as HTMLDetailsElement;
  const close = (): void => {
    details.open = false;
  };
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !details.contains(event.target)) close();
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    close();
    details.querySelector("summary")?.focus();
  });
  details.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !details.contains(event.relatedTarget)) close();
  });
  details.querySelector(".menu-list")?.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("button") !== null) close();
  });
  const search = details.querySelector<HTMLInputElement>("[data-narrow]");
  if (search !== null) narrowChoices(details, search);
}

function narrowChoices(details: HTMLDetailsElement, search: HTMLInputElement): void {
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const choice of findAll(details, ".choice")) {
      choice.hidden = !(choice.textContent ?? "").toLowerCase().includes(wanted);
    }
  });
  details.addEventListener("toggle", () => {
    if (details.open) search.focus();
  });
}

/** A search field that hides the rows of a table whose `data-text` lacks what is typed. */
export function narrow(root: HTMLElement): void {
  const field = root as HTMLInputElement;
  const rows = document.getElementById(field.dataset["rows"] ?? "");
  if (rows === null) return;
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of findAll(rows, "[data-text]")) {
      row.hidden = !(row.dataset["text"] ?? "").toLowerCase().includes(wanted);
    }
  });
}

import { findAll } from "./dom";

/**
 * Menus are <details class="menu">. Escape, a click elsewhere and moving on by
 * keys close them. One set of listeners serves all of them: a grid has
 * hundreds, and more come while one scrolls.
 */
export function bindMenus(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const chosen = target?.closest("button, a") ?? null;
    closeAll((menu) => target === null || !menu.contains(target) || (chosen !== null && menu.contains(chosen)));
  });
  document.addEventListener("keydown", (event) => {
    const menu = menuAround(event.target);
    if (event.key !== "Escape" || menu === null || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  document.addEventListener("focusout", (event) => {
    const next = event.relatedTarget;
    // A press on what takes no focus gives it to an element around the menu: nobody has moved on.
    if (next instanceof Node) closeAll((menu) => !menu.contains(next) && !next.contains(menu));
  });
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && "narrow" in field.dataset) narrowChoices(field);
  });
  document.addEventListener("toggle", focusSearch, { capture: true });
}

function menuAround(target: EventTarget | null): HTMLDetailsElement | null {
  return target instanceof Element ? target.closest<HTMLDetailsElement>("details.menu") : null;
}

function closeAll(which: (menu: HTMLDetailsElement) => boolean): void {
  for (const menu of findAll<HTMLDetailsElement>(document, "details.menu[open]")) {
    if (which(menu)) menu.open = false;
  }
}

/** The field at the head of a long menu hides the choices that lack what is typed. */
function narrowChoices(field: HTMLInputElement): void {
  const wanted = field.value.trim().toLowerCase();
  for (const choice of findAll(menuAround(field) ?? document, ".choice")) {
    choice.hidden = !(choice.textContent ?? "").toLowerCase().includes(wanted);
  }
}

function focusSearch(event: Event): void {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.open || !menu.matches(".menu")) return;
  menu.querySelector<HTMLInputElement>("[data-narrow]")?.focus();
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

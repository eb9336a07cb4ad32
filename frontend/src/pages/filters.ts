import { debounce, find, findAll, show } from "./dom";
import { replaceGrid } from "./grid";
import { sayError } from "./toast";

const TYPING_MS = 250;

/** The fields of a filter form as a query; empty ones are left out. */
function queryOf(form: HTMLFormElement): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value.trim() !== "") query.append(name, value.trim());
  }
  return query;
}

/** The row of filters above the images: changes the grid and the address while one chooses. */
export function filters(root: HTMLElement): void {
  const form = root as HTMLFormElement;
  const images = find(document, "#images");
  const start = find<HTMLAnchorElement>(form, "[data-start]");
  const page = location.pathname;
  let asked = 0;

  async function apply(): Promise<void> {
    const text = queryOf(form).toString();
    const query = text === "" ? "" : `?${text}`;
    history.replaceState(null, "", page + query);
    start.href = `${page}/start${query}`;
    showChosen(form);
    const mine = ++asked;
    images.setAttribute("aria-busy", "true");
    try {
      await replaceGrid(images, `${page}/images${query}`);
    } catch (error) {
      if (mine === asked) sayError(error);
    }
    if (mine === asked) images.removeAttribute("aria-busy");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void apply();
  });
  form.addEventListener("change", (event) => {
    if (!isSearch(event.target)) void apply();
  });
  const soon = debounce(TYPING_MS, () => void apply());
  form.addEventListener("input", (event) => {
    if (isSearch(event.target) && event.target.name !== "") soon();
  });
  images.addEventListener("matching", (event) => {
    find(form, "[data-matching]").textContent = (event as CustomEvent<string>).detail;
  });
  find(form, "[data-clear]").addEventListener("click", (event) => {
    // A reset would bring back what the page was loaded with.
    event.preventDefault();
    clear(form);
    void apply();
  });
}

function isSearch(target: EventTarget | null): target is HTMLInputElement {
  return target instanceof HTMLInputElement && target.type === "search";
}

function showChosen(form: HTMLFormElement): void {
  const chosen = findAll<HTMLInputElement>(form, "[name=category]:checked").length;
  const badge = form.querySelector("[data-chosen]");
  if (badge !== null) {
    badge.textContent = String(chosen);
    show(badge, chosen > 0);
  }
  const names = [...queryOf(form).keys()].filter((name) => name !== "sort");
  show(find(form, "[data-clear]"), names.length > 0);
}

function clear(form: HTMLFormElement): void {
  for (const box of findAll<HTMLInputElement>(form, "[type=checkbox]")) box.checked = false;
  for (const field of findAll<HTMLInputElement>(form, "[type=search]")) field.value = "";
  for (const select of findAll<HTMLSelectElement>(form, "select:not([name=sort])")) select.value = "";
}

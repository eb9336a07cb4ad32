import { find, findAll, show } from "./dom";

/** A form's choices as an export's query: what is at its default is left out. */
export function exportQuery(form: HTMLFormElement): URLSearchParams {
  const query = new URLSearchParams();
  for (const select of findAll<HTMLSelectElement>(form, "select[name]")) {
    if (select.value !== (select.dataset["default"] ?? "")) query.append(select.name, select.value);
  }
  for (const box of findAll<HTMLInputElement>(form, "[type=checkbox]:checked")) {
    if (box.closest("[hidden]") === null) query.append(box.name, box.value);
  }
  return query;
}

/** The address after the dataset's, and the name that the server gives the file, too. */
export function exportTarget(what: string, stem: string): { path: string; name: string } {
  if (what.endsWith(".zip")) return { path: what, name: `${stem}_${what}` };
  return { path: `${what}.json`, name: `${what}_${stem}.json` };
}

/** A subset as part of a file name, like `file_stem` on the server. */
function harmless(subset: string): string {
  const kept = subset.replace(/[^\p{L}\p{N}_-]/gu, "_").replace(/^_+|_+$/g, "");
  return kept.slice(0, 80) || "dataset";
}

/** The export dialog: its choices are an address, to follow or to give to a script. */
export function exportDialog(root: HTMLElement): void {
  const form = find<HTMLFormElement>(root, "form");
  const download = find<HTMLAnchorElement>(root, "[data-download]");

  function update(): void {
    const task = find<HTMLSelectElement>(form, "[data-task]").value;
    const query = exportQuery(form).toString();
    const path = `${root.dataset["url"] ?? ""}${task}.json${query === "" ? "" : `?${query}`}`;
    // The name that the server gives the file, too.
    const subset = find<HTMLSelectElement>(form, "[name=subset]").value;
    const stem = subset === "" ? (root.dataset["stem"] ?? "") : harmless(subset);
    const name = `${task}_${stem}.json`;
    download.href = path;
    download.download = name;
    find<HTMLTextAreaElement>(form, "[data-curl]").value =
      `curl -H 'Authorization: Bearer TOKEN' -o '${name}' '${location.origin}${path}'`;
    const chosen = findAll(form, "[name=category]:checked").length;
    const badge = form.querySelector("[data-chosen]");
    if (badge !== null) {
      badge.textContent = String(chosen);
      show(badge, chosen > 0);
    }
  }
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
}

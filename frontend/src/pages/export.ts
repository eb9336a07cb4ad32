import { find, findAll, show } from "./dom";

/** A form's choices as an export's query: what is at its default is left out. */
function exportQuery(form: HTMLFormElement): URLSearchParams {
  const query = new URLSearchParams();
  const shown = (element: Element): boolean => element.closest("[hidden]") === null;
  for (const select of findAll<HTMLSelectElement>(form, "select[name]").filter(shown)) {
    if (select.value !== (select.dataset["default"] ?? "")) query.append(select.name, select.value);
  }
  const boxes = findAll<HTMLInputElement>(form, "[type=checkbox]:checked").filter(shown);
  for (const box of boxes.filter((box) => box.name !== "tasks")) query.append(box.name, box.value);
  const tasks = boxes.filter((box) => box.name === "tasks").map((box) => box.value);
  if (tasks.length > 0) query.append("tasks", tasks.join(","));
  return query;
}

/** A subset as part of a file name, like `file_stem` on the server. */
function harmless(subset: string): string {
  const kept = subset.replace(/[^\p{L}\p{N}_-]/gu, "_").replace(/^_+|_+$/g, "");
  return kept.slice(0, 80) || "dataset";
}

/** The choices that are zips of COCO files, and what each adds to the query. */
const ZIPS: Readonly<Record<string, readonly [name: string, value: string] | null>> = {
  zip: null,
  images: ["images", "true"],
  panoptic_zip: ["tasks", "panoptic"],
};

/** The address after the dataset's, and the name that the server gives the file, too. */
function exportTarget(file: string, stem: string): { path: string; name: string } {
  if (file in ZIPS) return { path: ".zip", name: `${stem}.zip` };
  if (file.endsWith(".zip")) return { path: `/${file}`, name: `${stem}_${file}` };
  return { path: `/${file}.json`, name: `${file}_${stem}.json` };
}

/** What is exported: one COCO file, a zip of them, with images or without, or another format. */
function exportKind(file: string): string {
  if (file === "panoptic_zip") return "panoptic";
  if (file === "zip" || file === "images") return file;
  return file.endsWith(".zip") ? "folder" : "file";
}

/** The export dialog: its choices are an address, to follow or to give to a script. */
export function exportDialog(root: HTMLElement): void {
  const form = find<HTMLFormElement>(root, "form");
  const download = find<HTMLAnchorElement>(root, "[data-download]");

  function update(): void {
    const file = find<HTMLSelectElement>(form, "[data-task]").value;
    for (const part of findAll(form, "[data-for]")) {
      show(part, (part.dataset["for"] ?? "").split(" ").includes(exportKind(file)));
    }
    const query = exportQuery(form);
    const own = ZIPS[file] ?? null;
    if (own !== null) query.append(...own);
    // The name that the server gives the file, too.
    const subset = find<HTMLSelectElement>(form, "[name=subset]").value;
    const stem = subset === "" ? (root.dataset["stem"] ?? "") : harmless(subset);
    const target = exportTarget(file, stem);
    const path = `${root.dataset["url"] ?? ""}${target.path}${query.size === 0 ? "" : `?${query.toString()}`}`;
    const name = target.name;
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

import { count, find, findAll, instantiate, number, show } from "./dom";
import { chosenFiles, droppedFiles, isJson, type Pick } from "./files";
import { replaceGrid } from "./grid";
import { refreshHead } from "./head";
import type { Problem } from "./http";
import { offerImport } from "./import";
import { Uploader, type Rejected, type Totals, type Watcher } from "./uploader";

/** Rows that are kept in the list when their files have arrived. */
const KEPT_ROWS = 30;

/** The panel in the corner: one row for each file on its way, and each that went wrong. */
class Panel implements Watcher {
  private readonly panel = find(document, "#uploads");
  private readonly list = find(this.panel, "[data-list]");
  private readonly rows = new Map<Pick, HTMLElement>();
  private readonly done: HTMLElement[] = [];
  private cancelled = false;
  /** Why files could not be sent. */
  private reason = "";

  open(): void {
    this.cancelled = false;
    show(this.panel, true);
    show(find(this.panel, "[data-dismiss]"), false);
    show(find(this.panel, "[data-cancel]"), true);
    find(this.panel, "[data-cancel]").textContent = "Cancel";
  }

  cancelling(): void {
    this.cancelled = true;
  }

  close(): void {
    show(this.panel, false);
    this.list.replaceChildren();
    this.rows.clear();
    this.done.length = 0;
  }

  moving(pick: Pick, share: number): void {
    // A row for each file that waits would be ten thousand rows for a large folder.
    if (share === 0) return;
    const row = this.rows.get(pick) ?? this.addRow(pick);
    find<HTMLProgressElement>(row, "progress").value = share;
    find(row, ".uploads-state").textContent = share < 1 ? `${Math.round(share * 100)} %` : "Being read";
  }

  arrived(pick: Pick, rejected: Rejected | undefined): void {
    const row = this.rows.get(pick) ?? this.addRow(pick);
    if (rejected !== undefined) {
      this.refuse(row, rejected.message);
    } else {
      row.classList.add("is-done");
      find(row, ".uploads-state").textContent = "Done";
      this.done.push(row);
      if (this.done.length > KEPT_ROWS) this.done.shift()?.remove();
    }
    this.rows.delete(pick);
  }

  lost(pick: Pick, problem: Problem): void {
    this.reason = problem.body.detail;
    this.refuse(this.rows.get(pick) ?? this.addRow(pick), "Not sent");
    this.rows.delete(pick);
  }

  progress(totals: Totals): void {
    const bar = find<HTMLProgressElement>(this.panel, "[data-overall]");
    bar.max = Math.max(1, totals.bytes);
    bar.value = totals.sent;
    find(this.panel, "[data-title]").textContent = `Uploading ${count(totals.files, "file")}`;
    const percent = totals.bytes === 0 ? 0 : Math.floor((100 * totals.sent) / totals.bytes);
    this.note(`${percent} % sent, ${count(totals.images, "image")} taken in so far`);
  }

  finished(totals: Totals): void {
    this.listZipped(totals);
    const title = this.cancelled ? "Upload cancelled" : totals.lost.length > 0 ? "Upload interrupted" : "Upload finished";
    find(this.panel, "[data-title]").textContent = title;
    const parts = [`${count(totals.images, "image")} taken in`];
    if (totals.rejected.length > 0) parts.push(`${number(totals.rejected.length)} refused, see below`);
    this.note(`${parts.join(" · ")}.`);
    if (totals.lost.length > 0) {
      parts.push(`${count(totals.lost.length, "file")} not sent`);
      this.note(`${parts.join(" · ")}. ${this.reason} What has arrived stays.`);
    }
    show(find(this.panel, "[data-dismiss]"), true);
    show(find(this.panel, "[data-cancel]"), totals.lost.length > 0);
    find(this.panel, "[data-cancel]").textContent = "Try again";
    if (this.cancelled) for (const row of this.rows.values()) row.remove();
    this.rows.clear();
  }

  private note(text: string): void {
    find(this.panel, "[data-note]").textContent = text;
  }

  private addRow(pick: Pick): HTMLElement {
    const row = instantiate("upload-row");
    const name = find(row, ".uploads-name");
    name.textContent = pick.name;
    name.title = pick.name;
    this.rows.set(pick, row);
    this.list.prepend(row);
    return row;
  }

  private refuse(row: HTMLElement, reason: string): void {
    row.classList.add("is-refused");
    find(row, ".uploads-state").textContent = reason;
    // Above the ones that went well: these need somebody to look at them.
    this.list.prepend(row);
  }

  /** Files refused inside zips have no row of their own yet. */
  private listZipped(totals: Totals): void {
    const shown = new Set(findAll(this.list, ".uploads-name").map((name) => name.title));
    for (const rejected of totals.rejected) {
      if (shown.has(rejected.file_name)) continue;
      const row = instantiate("upload-row");
      const name = find(row, ".uploads-name");
      name.textContent = name.title = rejected.file_name;
      this.refuse(row, rejected.message);
    }
  }
}

/** The upload dialog, dropping anywhere on the page, and the panel that shows the progress. */
export function upload(root: HTMLElement, bind: (part: ParentNode) => void): void {
  const dialog = root as HTMLDialogElement;
  const id = find(document, "[data-dataset]").dataset["dataset"] ?? "";
  const panel = new Panel();
  const uploader = new Uploader(`/api/datasets/${id}/images`, {
    moving: (pick, share) => panel.moving(pick, share),
    arrived: (pick, rejected) => panel.arrived(pick, rejected),
    lost: (pick, problem) => panel.lost(pick, problem),
    progress: (totals) => panel.progress(totals),
    finished: (totals) => {
      panel.finished(totals);
      void refresh(bind);
    },
  });

  function start(picks: readonly Pick[]): void {
    if (picks.length === 0) return;
    dialog.close();
    panel.open();
    uploader.add(picks, find<HTMLInputElement>(dialog, "[data-subset]").value.trim());
  }

  for (const input of findAll<HTMLInputElement>(dialog, "[data-files]")) {
    input.addEventListener("change", () => start(chosenFiles(input)));
  }
  bindPanel(panel, uploader);
  bindDrop((picks) => {
    const [json] = picks.filter((pick) => isJson(pick.file));
    start(picks.filter((pick) => !isJson(pick.file)));
    if (json !== undefined) offerImport(json.file);
  });
  addEventListener("beforeunload", (event) => {
    if (uploader.busy) event.preventDefault();
  });
}

function bindPanel(panel: Panel, uploader: Uploader): void {
  const element = find(document, "#uploads");
  find(element, "[data-cancel]").addEventListener("click", () => {
    if (uploader.busy) {
      panel.cancelling();
      uploader.cancel();
    } else {
      panel.open();
      uploader.retry();
    }
  });
  find(element, "[data-dismiss]").addEventListener("click", () => panel.close());
  const fold = find(element, "[data-fold]");
  fold.addEventListener("click", () => {
    const folded = element.classList.toggle("is-folded");
    fold.setAttribute("aria-expanded", String(!folded));
  });
}

/** Files dropped anywhere on the page; the veil shows that they will be taken. */
function bindDrop(dropped: (picks: Pick[]) => void): void {
  const veil = find(document, "#drop-veil");
  let depth = 0;
  const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const onImport = (event: DragEvent): boolean =>
    event.target instanceof Element && event.target.closest("#import") !== null;
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    show(veil, !onImport(event) && document.querySelector("dialog[open]") === null);
  });
  addEventListener("dragleave", (event) => {
    if (!holdsFiles(event)) return;
    depth -= 1;
    if (depth <= 0) show(veil, false);
  });
  addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    depth = 0;
    show(veil, false);
    if (!holdsFiles(event) || event.dataTransfer === null || onImport(event)) return;
    event.preventDefault();
    void droppedFiles(event.dataTransfer).then(dropped);
  });
}

/** Show what has come: the counts, and the images from the first one. */
async function refresh(bind: (part: ParentNode) => void): Promise<void> {
  const fresh = await refreshHead();
  if (fresh === null) return;
  const images = document.getElementById("images");
  if (images !== null) {
    await replaceGrid(images, `${location.pathname}/images${location.search}`);
  } else if (fresh.getElementById("images") !== null) {
    showFirstImages(fresh, bind);
  }
}

/** The first images bring filters and a grid with them, which the page does not have yet. */
function showFirstImages(fresh: Document, bind: (part: ParentNode) => void): void {
  const page = find(document, ".page-dataset");
  find(page, ".empty").replaceWith(...findAll(fresh, ".filters, #images"));
  // Nothing in here was alive before: an empty dataset's page has no controllers.
  bind(page);
}

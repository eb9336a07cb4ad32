/**
 * One visit to the editor page: the only place where editor, tools, queue and
 * network meet. The panels show it and call its methods.
 */

import {
  fetchTransport,
  get,
  listAll,
  pathTo,
  problemOf,
  succeeded,
  type Schemas,
  type Transport,
} from "./api/client";
import { Decisions } from "./api/decisions";
import { IndexedDbStore, type PendingEntry, type PendingStore } from "./api/pending-store";
import { SaveQueue } from "./api/save-queue";
import { read, readCategory, readPrediction, write } from "./api/wire";
import { COMMANDS, type Command } from "./editor/commands";
import { Editor } from "./editor/editor";
import { Signal } from "./editor/signal";
import type { Category, ImageRecord, ImageStatus } from "./model/records";
import { readPicture, type Picture } from "./render/image-layer";
import { Stage } from "./render/stage";
import RasterWorker from "./render/raster.worker?worker";
import { toolCommands } from "./tools";
import { Toolbox } from "./tools/toolbox";

export interface PageData {
  readonly image: ImageRecord;
  readonly dataset: { readonly id: number; readonly name: string };
  readonly user: { readonly id: number; readonly email: string; readonly name: string };
  readonly role: "owner" | "annotator" | "viewer";
  /** The filters of the grid that the person came from. */
  readonly query: string;
}

export type PictureState = "loading" | "shown" | "absent" | "broken";

/** Left pages wait this long for the last save; then the browser's store has it anyway. */
const LEAVE_MS = 3_000;
/** Large enough for the stage, when the browser cannot show the file itself (TIFF). */
const SUBSTITUTE_PIXELS = 2048;

export class Session {
  readonly page: PageData;
  readonly editor: Editor;
  readonly queue: SaveQueue;
  readonly decisions: Decisions;
  readonly commands: readonly Command[];
  readonly signal = new Signal<"page">();
  readonly #transport: Transport;
  neighbours: Schemas["NeighboursOut"] | null = null;
  pictureState: PictureState = "loading";
  /** Images with changes of an earlier visit that the server does not have. */
  otherUnsaved: readonly number[] = [];
  #stage: Stage | null = null;
  #picture: Picture | null = null;
  #wasUnsaved = false;
  #shown = (): void => undefined;
  /** Resolves when there is nothing more to wait for before working. */
  readonly ready = new Promise<void>((resolve) => (this.#shown = resolve));

  constructor(page: PageData, categories: readonly Category[], transport: Transport, store: PendingStore) {
    this.page = page;
    this.#transport = transport;
    const readOnly = page.role === "viewer";
    this.editor = new Editor({ image: page.image, categories, readOnly });
    const toolbox = new Toolbox(this.editor);
    this.editor.takeUp(toolbox);
    this.queue = new SaveQueue({
      document: this.editor.document,
      imageId: page.image.id,
      userId: page.user.id,
      transport,
      store,
      held: () => this.editor.history.open,
    });
    this.decisions = new Decisions({ editor: this.editor, queue: this.queue, transport });
    this.commands = [
      ...this.decisions.commands,
      ...toolCommands(toolbox.tools),
      ...COMMANDS,
      ...this.#pageCommands(),
    ];
    this.editor.signal.on(["settled"], () => this.queue.pump());
    this.queue.subscribe(() => this.#saveChanged());
    this.decisions.subscribe(() => this.#saveChanged());
  }

  /** Fetches what the page needs. Throws a RequestError when it does not come. */
  static async open(page: PageData): Promise<Session> {
    const transport = fetchTransport(fetch.bind(window), () => document.cookie);
    const store = new IndexedDbStore();
    const [categories, annotations, pending] = await Promise.all([
      listAll(transport, "/api/datasets/{dataset_id}/categories", page.dataset.id),
      listAll(transport, "/api/images/{image_id}/annotations", page.image.id),
      // Some private windows have no store; then there is nothing to recover.
      store.list(page.user.id).catch((): PendingEntry[] => []),
    ]);
    const session = new Session(page, categories.map(readCategory), transport, store);
    session.queue.load(annotations.map(read));
    if (!session.editor.readOnly) session.#recover(pending);
    session.#remember();
    session.#rememberOptions();
    void session.#findNeighbours();
    void session.#findPredictions();
    void session.#loadPicture();
    return session;
  }

  /** Shows the editor in an element; the function it gives takes it away again. */
  mount(element: HTMLElement): () => void {
    const { editor, queue } = this;
    const worker = new RasterWorker();
    const stage = new Stage({ element, editor, worker, refused: () => queue.refused });
    this.#stage = stage;
    if (this.#picture) stage.show(this.#picture);
    const unsubscribe = queue.subscribe(() => stage.request());
    return () => {
      unsubscribe();
      stage.destroy();
    };
  }

  imageToClient(x: number, y: number): { x: number; y: number } {
    if (!this.#stage) throw new Error("The editor is not on the page yet.");
    return this.#stage.imageToClient(x, y);
  }

  /** Plain copies of the records, in the form of the API. */
  get annotations(): object[] {
    const { document, image } = this.editor;
    return [...document.entries()].map(([key, annotation]) =>
      write(annotation, document.facts(key), image.id),
    );
  }

  /** What undo would take back: a decision about a prediction, or an edit; null for nothing. */
  get undoLabel(): string | null {
    return this.decisions.undoable ? "Decision" : this.editor.history.undoLabel;
  }

  undo(): void {
    if (this.decisions.undoable && !this.editor.hand.busy) void this.decisions.undo();
    else this.editor.undo();
  }

  async setStatus(status: ImageStatus): Promise<void> {
    const path = pathTo("/api/images/{image_id}", this.editor.image.id);
    const body = { status } satisfies Schemas["ImageChange"];
    const answer = await this.#transport({ method: "PATCH", path, body });
    if (succeeded(answer)) this.#setImage(answer.body as Schemas["ImageOut"]);
    else this.editor.say(`The status is not saved. ${problemOf(answer).detail}`);
  }

  /** To another image with the same filters, once everything here is saved. */
  async go(imageId: number | null | undefined): Promise<void> {
    if (typeof imageId !== "number") return;
    await this.#lastSaves();
    location.assign(this.href(imageId));
  }

  async signOut(): Promise<void> {
    await this.#lastSaves();
    const answer = await this.#transport({ method: "DELETE", path: pathTo("/api/session") });
    if (succeeded(answer) || answer.status === 401) location.assign("/login");
    else this.editor.say(`You are still signed in. ${problemOf(answer).detail}`);
  }

  href(imageId: number): string {
    return `/images/${imageId}${this.page.query ? `?${this.page.query}` : ""}`;
  }

  async #lastSaves(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
    await Promise.race([Promise.all([this.queue.settled(), this.decisions.settled()]), late]);
  }

  #pageCommands(): Command[] {
    const idle = (editor: Editor): boolean => !editor.hand.busy;
    return [
      {
        id: "previous-image",
        label: "Previous image",
        group: "Image",
        help: "With the filters of the grid that you came from.",
        keys: ["A"],
        when: (editor) => idle(editor) && typeof this.neighbours?.previous === "number",
        run: () => void this.go(this.neighbours?.previous),
      },
      {
        id: "next-image",
        label: "Next image",
        group: "Image",
        help: "With the filters of the grid that you came from.",
        keys: ["D"],
        when: (editor) => idle(editor) && typeof this.neighbours?.next === "number",
        run: () => void this.go(this.neighbours?.next),
      },
      {
        id: "save",
        label: "Save now what is not saved yet",
        group: "Image",
        help: "Everything else is saved already.",
        keys: ["Mod+S"],
        run: () => this.queue.retry(),
      },
      {
        id: "mark-done",
        label: "Mark the image done",
        group: "Image",
        help: "Sets the status that the grid shows and filters by.",
        keys: ["Mod+Enter"],
        when: (editor) => !editor.readOnly && editor.image.status !== "done",
        run: () => void this.setStatus("done"),
      },
    ];
  }

  #recover(pending: readonly PendingEntry[]): void {
    const { id } = this.editor.image;
    const here = pending.filter((entry) => entry.imageId === id);
    const elsewhere = pending.filter((entry) => entry.imageId !== id);
    this.otherUnsaved = [...new Set(elsewhere.map((entry) => entry.imageId))];
    this.queue.recover(here);
    if (here.length > 0) this.editor.say("Changes of an earlier visit were not saved; they are here again.");
  }

  /** Tool and category of the last image are still in hand. */
  #remember(): void {
    const { editor } = this;
    editor.clipboard.keepIn(sessionStorage);
    const categoryKey = `maskwright-category-${this.page.dataset.id}`;
    const category = sessionStorage.getItem(categoryKey);
    if (category) editor.chooseCategory(Number(category));
    editor.hand.choose(sessionStorage.getItem("maskwright-tool") ?? "");
    editor.signal.on(["category"], () => {
      sessionStorage.setItem(categoryKey, String(editor.categoryId));
    });
    let remembered = editor.hand.toolId;
    editor.signal.on(["tool"], () => {
      // The signal comes with every movement of the pointer; the store is slow.
      if (editor.hand.toolId === remembered) return;
      remembered = editor.hand.toolId;
      sessionStorage.setItem("maskwright-tool", remembered);
    });
  }

  /** What the tools were set to comes with the person, on this browser. */
  #rememberOptions(): void {
    const { options, signal } = this.editor;
    const place = `maskwright-tool-options-${this.page.user.id}`;
    let kept = localStorage.getItem(place) ?? "{}";
    try {
      options.restore(JSON.parse(kept));
    } catch {
      // Whoever wrote something else there: the tools begin as they were made.
      kept = "{}";
    }
    signal.on(["tool"], () => {
      const chosen = JSON.stringify(options.chosen);
      if (chosen === kept) return;
      kept = chosen;
      localStorage.setItem(place, chosen);
    });
  }

  #saveChanged(): void {
    const { status, id } = this.editor.image;
    this.editor.signal.emit("facts");
    const unsaved = this.queue.unsaved > 0 || this.decisions.underWay > 0;
    const finished = this.#wasUnsaved && !unsaved;
    this.#wasUnsaved = unsaved;
    // The first annotation makes the server begin the image.
    if (!finished || (status !== "new" && status !== "empty")) return;
    get(this.#transport, "/api/images/{image_id}", id).then(
      (image) => this.#setImage(image),
      // The status in the bar is late then, and nothing else.
      () => undefined,
    );
  }

  #setImage(image: ImageRecord): void {
    this.editor.image = image;
    this.signal.emit("page");
  }

  async #findNeighbours(): Promise<void> {
    const { image, query } = this.page;
    try {
      this.neighbours = await get(this.#transport, "/api/images/{image_id}/neighbours", image.id, query);
    } catch {
      // Without an answer the way to the next image stays closed; the work here goes on.
      return;
    }
    this.signal.emit("page");
  }

  async #findPredictions(): Promise<void> {
    const open = { state: "open" };
    const route = "/api/images/{image_id}/predictions";
    try {
      const found = await listAll(this.#transport, route, this.page.image.id, open);
      if (found.length === 0) return;
      const sets = await get(this.#transport, "/api/datasets/{dataset_id}/predictions", this.page.dataset.id);
      this.editor.predictions.load(found.map(readPrediction), sets.items);
    } catch {
      this.editor.say("What models found in this image could not be loaded.");
    }
  }

  async #loadPicture(): Promise<void> {
    const { id, has_file: hasFile } = this.page.image;
    if (hasFile) {
      const file = pathTo("/api/images/{image_id}/picture", id);
      const substitute = `${pathTo("/api/images/{image_id}/thumbnail", id)}?size=${SUBSTITUTE_PIXELS}`;
      this.#picture = (await fetchPicture(file)) ?? (await fetchPicture(substitute));
      this.pictureState = this.#picture ? "shown" : "broken";
      if (this.#picture) this.#stage?.show(this.#picture);
    } else this.pictureState = "absent";
    this.signal.emit("page");
    this.#shown();
  }
}

async function fetchPicture(path: string): Promise<Picture | null> {
  try {
    const response = await fetch(path, { credentials: "same-origin" });
    return response.ok ? await readPicture(await response.blob()) : null;
  } catch {
    // No answer, or not a picture that this browser can decode.
    return null;
  }
}

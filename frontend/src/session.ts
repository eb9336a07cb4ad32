/**
 * One image in the editor: where its document, tools, queue and network meet.
 * The panels show it and call its methods. The workspace opens sessions and
 * brings one of them on the stage; one that has left it may still be saving.
 */

import {
  get,
  pathTo,
  problemOf,
  RequestError,
  succeeded,
  type Schemas,
  type Transport,
} from "./api/client";
import type { CategoryOnPage } from "./api/categories";
import { naming, type PendingEntry, type PendingStore } from "./api/pending-store";
import { fetchSmall, fetchWhole, isLarger, type LoadedPicture } from "./api/pictures";
import { Order } from "./api/order";
import { SaveQueue } from "./api/save-queue";
import type { EndReason } from "./api/live";
import { loadVersions, type KnownVersion } from "./api/versions";
import type { AheadPicture } from "./api/prefetch";
import { loadAnnotations, loadNeighbours, type Neighbours, type Visit } from "./api/visit";
import { write } from "./api/wire";
import type { Clipboard } from "./editor/clipboard";
import type { LastPoses } from "./editor/last-poses";
import { COMMANDS, type Command } from "./editor/commands";
import { Editor } from "./editor/editor";
import { Inspection } from "./editor/inspection";
import type { Look } from "./editor/look";
import ProblemsWorker from "./editor/problems.worker?worker";
import { awaitAbsence, findAbsence, savedIn, vainText, type Absence } from "./access";
import { FindingPredictions } from "./finding-predictions";
import { Following } from "./following";
import { imageCommands } from "./image-commands";
import { Signal } from "./editor/signal";
import type { Size } from "./geometry/camera";
import { lendWorkers } from "./lent-workers";
import { promised } from "./promised";
import { isOlder, type AnnotationKey, type Category, type ImageRecord, type ImageStatus } from "./model/records";
import { frameOf, ShapesLayer } from "./render/shapes-layer";
import { Stage } from "./render/stage";
import RasterWorker from "./render/raster.worker?worker";
import { toolCommands } from "./tools";
import { Toolbox } from "./tools/toolbox";

export interface PageData {
  readonly image: ImageRecord;
  readonly dataset: { readonly id: number; readonly name: string };
  /** `since` is when the account was made. */
  readonly user: { readonly id: number; readonly email: string; readonly name: string; readonly since: string };
  readonly role: "owner" | "annotator" | "viewer";
  readonly categories: readonly CategoryOnPage[];
  /** A text that changes with them. */
  readonly categories_digest: string;
  readonly preferences: Schemas["PreferencesOut"];
  /** The filters of the grid that the person came from. */
  readonly query: string;
  /** Images of more pixels come in tiles. */
  readonly tiled_from_pixels: number;
}

/** What of the page is there before its data. */
export interface Early {
  /** Draws the shapes. */
  readonly worker: Worker;
  /** Where they will be seen; null while that cannot be told. */
  readonly stage: () => Size | null;
}

export type PictureState = "loading" | "shown" | "absent" | "broken";

export interface SessionOptions {
  readonly page: PageData;
  readonly visit: Visit;
  readonly categories: readonly Category[];
  readonly transport: Transport;
  readonly store: PendingStore;
  readonly clipboard: Clipboard;
  readonly poses: LastPoses;
  /** One that was started early, to draw the shapes. */
  readonly worker?: Worker | null;
  /** A text that changes with the dataset's categories came from the server. */
  readonly categoriesSeen: (digest: string) => void;
  /** What the person may do in the dataset came from the server. */
  readonly roleSeen: (role: PageData["role"]) => void;
  /** The image is not there any more, or not for this person; null when it is there again. */
  readonly absent: (absence: Absence | null) => void;
  /** That is known already: it can be looked at as it was, and asks the server for nothing. */
  readonly absence?: Absence | null;
}

/** So long after the shapes are there the first look for problems begins. */
const INSPECTION_MS = 50;
/** Tiles that are there already come sooner. */
const STAND_IN_MS = 400;

export class Session {
  readonly page: PageData;
  readonly editor: Editor;
  readonly queue: SaveQueue;
  readonly inspection: Inspection;
  readonly following: Following;
  readonly #predictions: FindingPredictions;
  readonly commands: readonly Command[];
  /** `page` for status, neighbours and picture, `saved` for what is left to save. */
  readonly signal = new Signal<"page" | "saved">();
  readonly #transport: Transport;
  #worker: Worker | null;
  readonly absence: Absence | null;
  readonly #record: Visit["image"];
  readonly #absent: SessionOptions["absent"];
  /** What waits and cannot be saved from here. */
  onlySeen: readonly PendingEntry[] = [];
  #isLost = false;
  neighbours: Neighbours | null;
  pictureState: PictureState = "loading";
  /** What the annotations here belong to, at least. */
  #revision: number;
  #stage: Stage | null = null;
  /** From when its shapes are drawn first until nobody is expected here any more. */
  #shapes: ShapesLayer | null = null;
  #picture: LoadedPicture | null = null;
  /** Ends the fetching of a picture that nobody waits for any more. */
  #loading: AbortController | null = null;
  /** Counts the times that it came on the stage or left it. */
  #turn = 0;
  /** Two looks at what others did may be under way. */
  readonly #looks = new Order();
  /** Ends when the last status that was asked for has its answer. */
  #marked: Promise<unknown> = Promise.resolve();
  #wasUnsaved = false;
  #shown = promised();
  #mounted = promised();

  constructor(options: SessionOptions) {
    const { page, visit, categories, transport, store, clipboard, poses, worker, categoriesSeen, roleSeen } = options;
    this.#worker = worker ?? null;
    this.absence = options.absence ?? null;
    [this.#absent, this.#record] = [options.absent, visit.image];
    this.page = { ...page, image: visit.image };
    this.neighbours = visit.neighbours;
    this.#revision = visit.image.revision;
    this.#transport = transport;
    const readOnly = page.role === "viewer" || this.absence !== null;
    this.editor = new Editor({ image: visit.image, categories, readOnly, clipboard, poses });
    const toolbox = new Toolbox(this.editor);
    this.editor.takeUp(toolbox);
    this.queue = new SaveQueue({
      document: this.editor.document,
      predictions: this.editor.predictions,
      imageId: visit.image.id,
      userId: page.user.id,
      transport,
      store: naming(store, visit.image.file_name),
      held: () => this.editor.history.open,
      overruled: (prediction, made, told) => {
        this.editor.history.disown(prediction, made);
        this.editor.say(told);
      },
      gone: () => this.#ended("gone"),
      overtaken: (key) => this.editor.history.overtaken(key),
      inHand: (key) => this.editor.holds(key),
    });
    this.inspection = new Inspection(this.editor, () => this.queue.refused);
    this.#predictions = new FindingPredictions({ editor: this.editor, queue: this.queue, transport });
    this.following = new Following({
      editor: this.editor,
      queue: this.queue,
      transport,
      userId: page.user.id,
      image: (image) => this.#setImage(image),
      refresh: () => this.#catchUp(true),
      reloadPredictions: () => this.#predictions.find(),
      categories: categoriesSeen,
      role: roleSeen,
      people: () => this.signal.emit("page"),
      ended: (reason) => this.#ended(reason),
    });
    this.commands = [
      ...toolCommands(toolbox.tools),
      ...COMMANDS,
      ...this.inspection.commands,
      ...imageCommands((status) => this.setStatus(status)),
    ];
    this.queue.load(visit.annotations);
    this.editor.signal.on(["settled"], () => this.queue.pump());
    this.queue.subscribe(() => this.#saveChanged());
  }

  get image(): ImageRecord {
    return this.editor.image;
  }

  get id(): number {
    return this.editor.image.id;
  }

  /** Resolves when there is nothing more to wait for before working. */
  get ready(): Promise<void> {
    return Promise.all([this.#shown.promise, this.#mounted.promise]).then(() => undefined);
  }

  get unsaved(): number {
    return this.queue.unsaved;
  }

  /** Resolves when the server has everything, what is still being computed included. */
  async settled(): Promise<void> {
    await this.editor.computed();
    await this.queue.settled();
  }

  /** What was on the stage last, for whoever may only look at it from now on. */
  get visit(): Visit {
    const annotations = savedIn(this.editor.document, this.queue);
    return { image: { ...this.#record, ...this.image }, neighbours: this.neighbours, annotations };
  }

  /** Takes up what an earlier visit could not save. Who may only look sees it, and no more. */
  recover(entries: readonly PendingEntry[]): void {
    if (entries.length === 0) return;
    if (this.editor.readOnly) {
      this.onlySeen = entries;
      return this.queue.onlySeen.show(entries, vainText(this.absence ?? "viewer"));
    }
    this.queue.recover(entries);
    this.editor.say("Changes of an earlier visit that had not been saved are here again, and are being saved.");
  }

  /** What waited and could not be saved from here was given up. */
  forget(): void {
    this.onlySeen = [];
    this.queue.onlySeen.forget();
  }

  /** Draws the shapes off the stage as they will be seen on one of this size. */
  prepare(stage: Size, look: Look): void {
    const { editor } = this;
    if (stage.width === 0) return;
    editor.resize(stage);
    editor.setLook(look);
    this.#shapesLayer().draw(frameOf(editor));
  }

  /** Nobody is expected here; what it held for the stage is let go. */
  close(): void {
    this.#shapes?.destroy();
    this.#shapes = null;
  }

  #shapesLayer(): ShapesLayer {
    this.#shapes ??= new ShapesLayer(this.editor, this.#worker ?? new RasterWorker());
    this.#worker = null;
    return this.#shapes;
  }

  /** On the stage now. What was made ready of it may have grown old meanwhile. */
  begin({ picture, stop }: AheadPicture, fresh: boolean): void {
    const turn = ++this.#turn;
    if (!fresh) void this.refresh();
    if (!this.absence) this.following.start();
    if (!this.absence) void this.#predictions.find();
    if (this.absence === "unknown") void this.#findOut(turn);
    this.#loading = stop;
    void this.#loadPicture(turn, picture, stop.signal);
  }

  /** Follows what others do again, where that had ended or failed. */
  resume(): void {
    this.following.lookAgain();
    if (!this.absence) this.following.start();
  }

  /** Off the stage; hands over its picture. */
  leave(): LoadedPicture | null {
    this.#turn += 1;
    this.#loading?.abort();
    this.following.stop();
    this.#putDown();
    const picture = this.#picture;
    this.#picture = null;
    // Whoever waited for this image waits for nothing any more.
    this.#shown.resolve();
    this.#shown = promised();
    return picture;
  }

  /** An open step would keep everything here from being saved, and nobody could end it any more. */
  #putDown(): void {
    const { hand, history, signal } = this.editor;
    if (hand.busy) hand.intend("cancel");
    history.commit();
    signal.emit("settled");
  }

  /** Shows the editor in an element; the function it gives takes it away again. */
  mount(element: HTMLElement): () => void {
    const { editor, queue } = this;
    const shapes = this.#shapesLayer();
    const stage = new Stage({ element, editor, shapes, refused: () => queue.refused });
    this.#stage = stage;
    if (this.#picture) stage.show(this.#picture.picture);
    stage.draw();
    const takeBack = lendWorkers(editor, this.page);
    const unsubscribe = queue.subscribe(() => stage.request());
    let uninspect = (): void => undefined;
    const inspect = (): void => {
      if (this.#stage === stage) uninspect = this.inspection.follow(() => new ProblemsWorker());
    };
    void shapes.drawn.then(() => {
      if (this.#stage !== stage) return;
      this.#mounted.resolve();
      // What is drawn is to be seen first.
      setTimeout(inspect, INSPECTION_MS);
    });
    return () => {
      this.#stage = null;
      this.#mounted = promised();
      unsubscribe();
      uninspect();
      stage.destroy();
      takeBack();
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

  /** Only owners may, as the server says. */
  get mayRecolor(): boolean {
    return this.page.role === "owner";
  }

  /** Gives a category another colour, in the whole dataset. */
  async recolor(categoryId: number, color: string): Promise<void> {
    const { editor } = this;
    const path = pathTo("/api/categories/{category_id}", categoryId);
    const answer = await this.#transport({ method: "PATCH", path, body: { color } });
    if (!succeeded(answer)) return editor.say(`The colour is not saved. ${problemOf(answer).detail}`);
    editor.setCategories(editor.categories.map((each) => (each.id === categoryId ? { ...each, color } : each)));
  }

  /** The versions of an annotation, the newest first. Throws a RequestError when they do not come. */
  async versions(key: AnnotationKey): Promise<readonly KnownVersion[]> {
    const facts = this.editor.document.facts(key);
    return facts ? loadVersions(this.#transport, facts.id) : [];
  }

  /** Brings an earlier version back, as a step that undo takes back. */
  restore(key: AnnotationKey, { annotation, number }: KnownVersion): void {
    if (!annotation) return;
    this.queue.knowVersion(key, annotation, number);
    this.editor.transact(`Restore version ${number}`, new Map([[key, annotation]]));
  }

  /** False when the server does not take it, which is told. One after the other, so that the last one stays. */
  setStatus(status: ImageStatus): Promise<boolean> {
    const marked = this.#marked.then(() => this.#mark(status));
    this.#marked = marked;
    return marked;
  }

  async #mark(status: ImageStatus): Promise<boolean> {
    const path = pathTo("/api/images/{image_id}", this.id);
    const body = { status } satisfies Schemas["ImageChange"];
    const answer = await this.#transport({ method: "PATCH", path, body });
    if (succeeded(answer)) this.#setImage(answer.body as Schemas["ImageOut"]);
    else this.editor.say(`The status is not saved. ${problemOf(answer).detail}`);
    return succeeded(answer);
  }

  #saveChanged(): void {
    const { status } = this.editor.image;
    this.editor.signal.emit("facts");
    const unsaved = this.unsaved > 0;
    const finished = this.#wasUnsaved && !unsaved;
    this.#wasUnsaved = unsaved;
    this.signal.emit("saved");
    // The first annotation makes the server begin the image.
    if (!finished || (status !== "new" && status !== "empty")) return;
    get(this.#transport, "/api/images/{image_id}", this.id).then(
      (image) => this.#setImage(image),
      // The status in the bar is late then, and nothing else.
      () => undefined,
    );
  }

  /** Answers and events come on several ways, and one may overtake another. */
  #setImage(image: ImageRecord): void {
    if (isOlder(image, this.editor.image)) return;
    this.editor.image = image;
    this.signal.emit("page");
  }

  /** Takes over what others did meanwhile; what waits to be saved here stays. */
  async refresh(): Promise<void> {
    if (!this.absence && !(await this.#catchUp(false))) this.following.lookAgain();
  }

  /** False when something is left to be taken over: there was no answer, or it is in hand. */
  async #catchUp(quiet: boolean): Promise<boolean> {
    try {
      const isNewest = this.#looks.ask();
      const [image, neighbours] = await Promise.all([
        get(this.#transport, "/api/images/{image_id}", this.id),
        loadNeighbours(this.#transport, this.id, this.page.query),
      ]);
      if (neighbours && isNewest()) this.neighbours = neighbours;
      this.#setImage(image);
      if (image.revision === this.#revision) return true;
      const known = this.queue.versions();
      const all = await loadAnnotations(this.#transport, this.id);
      const whole = this.queue.catchUp(all, known, (key) => this.editor.holds(key));
      if (whole) this.#revision = image.revision;
      return whole;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const { status } = error.problem;
      if (status === 404) this.#ended("gone");
      else if (status === 401) this.#ended("signed_out");
      else if (!quiet) this.editor.say(`What others changed here meanwhile could not be loaded. ${error.message}`);
      return false;
    }
  }

  #ended(reason: EndReason): void {
    if (reason !== "too_many") this.following.stop();
    if (reason === "gone") this.#lose();
    if (reason === "signed_out") this.queue.signedOut();
  }

  #lose(): void {
    this.queue.lost();
    // Where it is there again already, that is found out a moment later.
    if (!this.#isLost) void this.#findAbsence().then((found) => this.#absent(found ?? "unknown"));
    this.#isLost = true;
  }

  #findAbsence(): Promise<Absence | null> {
    return findAbsence(this.#transport, this.id, this.page.dataset.id);
  }

  async #findOut(turn: number): Promise<void> {
    const wanted = (): boolean => turn === this.#turn;
    const found = await awaitAbsence(() => this.#findAbsence(), wanted);
    if (wanted()) this.#absent(found);
  }

  async #loadPicture(turn: number, ahead: AheadPicture["picture"], signal: AbortSignal): Promise<void> {
    const { image } = this.page;
    this.#setPicture(turn, image.has_file ? "loading" : "absent", await ahead);
    if (image.has_file && !this.#picture?.whole && turn === this.#turn) {
      const tiledFrom = this.page.tiled_from_pixels;
      const whole = fetchWhole(image, tiledFrom, signal);
      // The first time that somebody asks for tiles, they have to be made.
      if (isLarger(image, tiledFrom) && !this.#picture) await this.#standIn(turn, whole, signal);
      const picture = await whole;
      this.#setPicture(turn, picture ? "shown" : "broken", picture && { picture, whole: true });
    }
    if (turn === this.#turn) this.#shown.resolve();
  }

  /** Shows the small picture when the whole one is not there within a moment. */
  async #standIn(turn: number, whole: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const late = new Promise<"late">((resolve) => setTimeout(resolve, STAND_IN_MS, "late"));
    if ((await Promise.race([whole, late])) !== "late") return;
    const stop = new AbortController();
    void whole.then(() => stop.abort());
    const picture = await fetchSmall(this.id, AbortSignal.any([signal, stop.signal]));
    this.#setPicture(turn, "loading", picture && { picture, whole: false });
  }

  #setPicture(turn: number, state: PictureState, loaded: LoadedPicture | null): void {
    if (turn !== this.#turn) {
      if (loaded) loaded.picture.close();
      return;
    }
    this.pictureState = loaded ? "shown" : state;
    this.signal.emit("page");
    if (!loaded) return;
    const before = this.#picture;
    this.#picture = loaded;
    this.#stage?.show(loaded.picture);
    if (before) before.picture.close();
  }
}

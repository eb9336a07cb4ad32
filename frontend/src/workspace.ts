/**
 * The editor page as long as it is open: which image is on the stage, the way to
 * the next one without a page load, and what of other images is not saved yet.
 *
 * A session that leaves the stage goes on saving. While the server does not have
 * everything of it, and a little longer, coming back to its image brings back
 * the very same session with its undo.
 */

import { Account } from "./account";
import { fetchTransport, get, RequestError, type Transport } from "./api/client";
import { absenceText, failureText, noticing, roleText, type Absence } from "./access";
import { AccountSettings } from "./api/account-settings";
import { DatasetCategories } from "./api/categories";
import { IndexedDbStore, type PendingEntry } from "./api/pending-store";
import { lookOf } from "./api/look-commands";
import { nothingAhead, type Ahead, type Prefetch } from "./api/prefetch";
import { loadVisit, type Visit } from "./api/visit";
import { Clipboard } from "./editor/clipboard";
import { LastPoses } from "./editor/last-poses";
import type { Command } from "./editor/commands";
import { firstPicture, imageInAddress, setAddress, takeTyped } from "./address";
import { EarlierChanges, type InVain } from "./earlier-changes";
import { Elsewhere, pageFor, viewerText } from "./elsewhere";
import { Signal } from "./editor/signal";
import { LeftSessions } from "./left-sessions";
import { LookingAhead } from "./looking-ahead";
import { Navigation, type Destination } from "./navigation";
import { ViewPreferences } from "./view-preferences";
import { Remembered } from "./remember";
import { Session, type Early, type PageData } from "./session";
import { workspaceCommands } from "./workspace-commands";

interface Parts {
  readonly transport: Transport;
  readonly store: IndexedDbStore;
  readonly settings: AccountSettings;
  readonly categories: DatasetCategories;
  readonly earlier: EarlierChanges;
}

export class Workspace {
  /** The page as it was opened, with what the person may do here by now. */
  page: PageData;
  /** `session` for another image, `elsewhere` for what other images have left to save. */
  readonly signal = new Signal<"session" | "elsewhere">();
  readonly viewPreferences: ViewPreferences;
  readonly settings: AccountSettings;
  readonly navigation: Navigation;
  readonly account: Account;
  readonly #transport: Transport;
  readonly #store: IndexedDbStore;
  readonly #ahead: LookingAhead;
  readonly #prefetch: Prefetch<Session>;
  readonly #remembered: Remembered;
  readonly #categories: DatasetCategories;
  readonly #clipboard: Clipboard;
  readonly #poses: LastPoses;
  readonly #left = new LeftSessions();
  readonly earlier: EarlierChanges;
  readonly elsewhere: Elsewhere;
  readonly #firstRole: PageData["role"];
  #session: Session;
  #switching: Promise<void> = Promise.resolve();
  #turn = 0;
  /** The image that is on its way to the stage, and what ends the asking for it. */
  #heading: Destination | null = null;
  #asking: AbortController | null = null;
  /** Counts the ways that are no steps from image to image. */
  #way = 0;

  private constructor(page: PageData, parts: Parts, visit: Visit, early: Early | null) {
    this.page = page;
    this.#firstRole = page.role;
    this.viewPreferences = new ViewPreferences(page.user.id);
    this.#clipboard = new Clipboard(localStorage, page.user);
    this.#poses = new LastPoses(localStorage, page.user.id);
    this.settings = parts.settings;
    this.#transport = parts.transport;
    this.navigation = new Navigation({
      transport: parts.transport,
      datasetId: page.dataset.id,
      query: page.query,
      session: () => this.#session,
      destination: () => this.#heading ?? this.#session,
      way: () => this.#way,
      go: (id) => void this.#goTo(id),
    });
    this.account = new Account({
      transport: parts.transport,
      user: page.user,
      signedIn: () => this.retry(),
      settled: () => this.settled(),
      say: (text) => this.#session.editor.say(text),
    });
    this.#store = parts.store;
    this.#categories = parts.categories;
    this.#ahead = new LookingAhead({
      make: (id, signal) => this.#make(id, signal),
      shown: () => this.#session,
      near: () => this.navigation.near(this.#session),
      left: this.#left,
      tiledFrom: page.tiled_from_pixels,
    });
    this.#prefetch = this.#ahead.sessions;
    this.#remembered = new Remembered(page.dataset.id, page.user.id);
    this.earlier = parts.earlier;
    this.earlier.changed = () => this.signal.emit("elsewhere");
    const shown = (): Session => this.#session;
    const open = (id: number): Promise<void> => this.#openBeside(id);
    this.elsewhere = new Elsewhere({ earlier: this.earlier, left: this.#left, shown, open, retry: () => this.retry() });
    this.#session = this.#open(visit, early?.worker);
    this.#remembered.handTo(this.#session.editor);
    window.addEventListener("popstate", () => void this.#follow());
    // Only what other tabs store is told.
    window.addEventListener("storage", ({ key }) => this.#clipboard.heard(key));
    document.addEventListener("visibilitychange", () => {
      this.#session.following.seen(document.visibilityState === "visible");
    });
  }

  /** Fetches what the page needs. Throws a RequestError when it does not come. */
  static async open(page: PageData, early: Early | null = null): Promise<Workspace> {
    let workspace: Workspace | null = null;
    // Without live updates, the first refusal is what tells of another role.
    const transport = noticing(fetchTransport(fetch, () => document.cookie), () => {
      void workspace?.lookAtRole();
    });
    const store = new IndexedDbStore();
    const earlier = new EarlierChanges(store, page.user.id);
    const settings = new AccountSettings(transport, page.preferences);
    const ahead = firstPicture(page);
    const categories = new DatasetCategories(transport, page.dataset.id, page.categories, page.categories_digest);
    // In a browser that was just started its store takes a while.
    const listing = earlier.recall();
    const visit = await loadVisit(transport, page.image.id, page.query);
    workspace = new Workspace(page, { transport, store, settings, categories, earlier }, visit, early);
    const { session } = workspace;
    const stage = early?.stage();
    // The worker draws while the bars and lists are built.
    if (stage) session.prepare(stage, lookOf(settings.view));
    const pending = await listing;
    workspace.#recover(session, pending);
    session.begin(ahead, true);
    workspace.#lookAhead();
    return workspace;
  }

  /** What is on the stage. */
  get session(): Session {
    return this.#session;
  }

  /** Whether the person could draw here when the page was opened, and cannot any more. */
  get wasDemoted(): boolean {
    return this.page.role === "viewer" && this.#firstRole !== "viewer";
  }

  /** Resolves when the image that the person last asked for is shown. */
  get ready(): Promise<void> {
    return this.#switching.then(() => this.#session.ready);
  }

  /** How many changes the server does not have yet, over all images of this page. */
  get unsaved(): number {
    return this.#all().reduce((sum, { unsaved }) => sum + unsaved, 0);
  }

  /** Whether there are changes that would be gone with this page, for the browser keeps none. */
  get holdsAlone(): boolean {
    return this.#store.holdsAlone;
  }

  /** Settles when nothing is left to save. */
  async settled(): Promise<void> {
    await this.#switching;
    await Promise.all(this.#all().map((session) => session.settled()));
  }

  /** Saves what waits, and follows what others do here, though either had given up. */
  retry(): void {
    for (const { queue } of this.#all()) queue.retry();
    const { id, absence } = this.#session;
    if (!absence) return this.#session.resume();
    // Who is on the way to another image is not brought back.
    if ((this.#heading?.id ?? id) === id) void this.#switch(id);
  }

  /** The same for what is on the stage, and no way to another image. */
  lookAgain(): void {
    void this.go(this.#session.id);
    this.retry();
  }

  /** The person is back at this window, maybe signed in or let in again: then what had given up is tried again. */
  retryStopped(): void {
    const stopped = this.#all().some(({ queue: { status } }) => ["signed-out", "offline", "gone"].includes(status));
    const { absence } = this.#session;
    if (stopped || absence === "dataset" || absence === "unknown") this.retry();
  }

  href(imageId: number): string {
    return `/images/${imageId}${this.page.query ? `?${this.page.query}` : ""}`;
  }

  /**
   * To another image, with the same filters. What is not saved here goes on being
   * saved. A shape in hand comes first: then this image stays, and it is told why.
   */
  go(imageId: number | null | undefined): Promise<void> {
    if (typeof imageId !== "number") return Promise.resolve();
    this.#way += 1;
    return this.#goTo(imageId);
  }

  #goTo(imageId: number): Promise<void> {
    return imageId === this.#session.id ? this.#remain() : this.#switch(imageId);
  }

  get commands(): readonly Command[] {
    return [...this.navigation.commands, ...workspaceCommands(this.viewPreferences, () => this.retry())];
  }

  #all(): Session[] {
    return [this.#session, ...this.#left.all];
  }

  /** The back and forward buttons. */
  async #follow(): Promise<void> {
    takeTyped();
    this.#way += 1;
    const id = imageInAddress();
    if (id === this.#session.id) return this.#remain();
    await this.#switch(id, () => location.reload());
  }

  /** They want to be where they are: a way to another image that is under way ends. */
  #remain(): Promise<void> {
    this.#turn += 1;
    this.#headFor(null);
    setAddress(this.#session.id, this.href(this.#session.id));
    this.#lookAhead();
    return Promise.resolve();
  }

  /** Whether a shape in hand keeps the person here; the address, where it went ahead, comes back. */
  #isHeld(): boolean {
    const { id, editor } = this.#session;
    if (!editor.hand.busy) return false;
    setAddress(id, this.href(id));
    editor.say("Finish the shape in hand or drop it, then leave the image.");
    return true;
  }

  /** What is on its way is not asked for any longer. */
  #headFor(image: Destination | null): void {
    this.#asking?.abort();
    this.#asking = null;
    this.#heading = image;
  }

  /** They stay where they are: what they pressed meanwhile counted from somewhere else. */
  #stay(): void {
    this.#headFor(null);
    this.#way += 1;
  }

  #switch(id: number, failed?: () => void): Promise<void> {
    const turn = ++this.#turn;
    this.#headFor({ id, neighbours: null });
    this.#switching = this.#bring(id, turn).catch((error: unknown) => {
      if (turn !== this.#turn) return;
      this.#stay();
      // The server's own page tells what is wrong with an address.
      if (failed) return failed();
      this.#tellFailure(id, error);
    });
    return this.#switching;
  }

  #tellFailure(id: number, error: unknown): void {
    if (!(error instanceof RequestError)) throw error;
    const { status } = error.problem;
    setAddress(this.#session.id, this.href(this.#session.id));
    this.#session.editor.say(failureText(error, this.#session.absence));
    if (status === 404) {
      this.navigation.forget(id);
      this.earlier.didNotOpen(id, this.#session);
      void this.#session.refresh();
    }
    if (status === 401) this.#session.queue.signedOut();
  }

  async #bring(id: number, turn: number): Promise<void> {
    if (this.#isHeld()) return this.#stay();
    const known = this.#left.of(id);
    const ahead = this.#prefetch.take(id);
    const fresh = !known && !ahead.made;
    const [next, pending] = known ? [known, []] : await this.#load(id, ahead);
    // They went on to yet another image meanwhile, or took something up here.
    const passed = turn !== this.#turn;
    if (passed || this.#isHeld()) {
      if (!passed) this.#stay();
      // What was made for another role is of no use.
      const isOld = next.page.role !== this.page.role;
      return isOld ? this.#prefetch.drop(ahead) : this.#prefetch.giveBack(id, ahead);
    }
    if (next.image.dataset_id !== this.page.dataset.id) {
      this.#stay();
      // What the browser keeps is taken up there, and is no reason to ask whether they want to go.
      if (known && !this.holdsAlone) this.#retire(known, null);
      // Its name and its categories come with a page of its own.
      return location.assign(`/images/${id}`);
    }
    // They may have changed while it was on its way.
    if (next.editor.categories !== this.#categories.all) next.editor.setCategories(this.#categories.all);
    const last = this.#session;
    this.#leave(last);
    const isAnew = next.id === last.id;
    this.#recover(next, isAnew ? this.#takenFrom(last, pending, next) : pending);
    if (this.viewPreferences.get("keepView")) next.editor.takeView(last.editor);
    this.#remembered.handTo(next.editor);
    this.#session = next;
    // What is left to come of it goes on.
    this.#asking = null;
    this.#heading = null;
    this.#left.remove(id);
    this.earlier.follows(next, last);
    setAddress(id, this.href(id));
    document.title = `${next.page.image.file_name} · ${this.page.dataset.name} · Maskwright`;
    // What the last one heard after this one was asked for is looked at once more.
    next.begin(ahead, fresh && !isAnew);
    this.signal.emit("session");
    this.signal.emit("elsewhere");
    const { next: after, previous: before } = this.navigation.near(next);
    this.#left.closeAllBut([after, before]);
    this.#lookAhead();
  }

  /** What one that is opened anew has to save: of the last one as it is now, not as it was when the store was asked. */
  #takenFrom(last: Session, pending: readonly PendingEntry[], { page: { role } }: Session): readonly PendingEntry[] {
    const before = last.editor.readOnly ? pending : pending.filter((entry) => !this.#store.isOwn(entry));
    return [...before, ...this.#retire(last, role === "viewer" ? role : null)];
  }

  /** The image, and what earlier visits could not save. */
  async #load(id: number, ahead: Ahead<Session>): Promise<[Session, readonly PendingEntry[]]> {
    const { made, making, stop } = ahead;
    if (made) this.#heading = made;
    else this.#asking = stop;
    try {
      return await Promise.all([making ?? this.#make(id, stop.signal), this.earlier.list()]);
    } catch (error) {
      this.#prefetch.drop(ahead);
      throw error;
    }
  }

  #leave(session: Session): void {
    const picture = session.leave();
    if (picture) this.#prefetch.keepPicture(session.id, picture);
    this.#left.add(session);
  }

  async #make(id: number, signal: AbortSignal): Promise<Session> {
    return this.#open(await loadVisit(this.#transport, id, this.page.query, signal));
  }

  /** Saves what an earlier visit left there, without a place on the stage. */
  async #openBeside(id: number): Promise<void> {
    const [visit, pending] = await Promise.all([loadVisit(this.#transport, id, this.page.query), this.earlier.list()]);
    const page = await pageFor(visit, this.page, this.#transport);
    // They went there meanwhile.
    if ([this.#heading?.id, this.#session.id].includes(id) || this.#left.of(id)) return;
    if (!pending.some(({ imageId }) => imageId === id)) return this.earlier.takenElsewhere(id);
    if (page.role === "viewer") return this.#session.editor.say(viewerText(page));
    this.#prefetch.drop(this.#prefetch.take(id));
    const session = this.#open(visit, null, null, page);
    this.#recover(session, pending);
    this.#left.addBeside(session);
    this.signal.emit("elsewhere");
  }

  /** What an earlier visit could not save. */
  #recover(session: Session, pending: readonly PendingEntry[]): void {
    session.recover(pending.filter(({ imageId }) => imageId === session.id));
  }

  #open(visit: Visit, worker: Worker | null = null, absence: Absence | null = null, page = this.page): Session {
    const session: Session = new Session({
      page,
      visit,
      categories: this.#categories.all,
      transport: this.#transport,
      store: this.#store,
      clipboard: this.#clipboard,
      poses: this.#poses,
      worker,
      categoriesSeen: (digest) => void this.#followCategories(digest),
      roleSeen: (role) => void this.#seeRole(role),
      absent: (what) => this.#seeAbsence(session, what),
      absence,
    });
    session.signal.on(["saved"], () => this.#saved(session));
    return session;
  }

  async #followCategories(digest: string): Promise<void> {
    if (!(await this.#categories.follow(digest))) return;
    const here = this.#all().filter((session) => this.#isHere(session));
    for (const { editor } of [...here, ...this.#prefetch.made]) editor.setCategories(this.#categories.all);
  }

  /** Something was refused: maybe the person may not do it any more. */
  async lookAtRole(): Promise<void> {
    const dataset = await get(this.#transport, "/api/datasets/{dataset_id}", this.page.dataset.id).catch(() => null);
    if (dataset) await this.#seeRole(dataset.role as PageData["role"]);
  }

  /** With another role the image is opened anew; what was not saved waits in the browser's store. */
  async #seeRole(role: PageData["role"]): Promise<void> {
    if (role === this.page.role) return;
    this.page = { ...this.page, role };
    const before = this.#session;
    const { editor } = before;
    if (editor.hand.busy) editor.hand.intend("cancel");
    takeTyped();
    // Those that were left or made ready have the role that they were opened with.
    const why = role === "viewer" ? role : null;
    this.#giveUp(why);
    // Who is on the way to another image goes on to that one.
    await this.#switch((this.#heading ?? before).id);
    // They went on to another image meanwhile.
    if (this.#left.of(before.id) === before) this.#retire(before, why);
    const left = { unsaved: before.unsaved, isKept: !this.holdsAlone };
    if (this.#session.page.role === role) return this.#session.editor.say(roleText(role, left));
    // It did not open: who hears of the role again tries it again.
    this.page = { ...this.page, role: this.#session.page.role };
  }

  /** No session of this dataset goes on as it is; what was not saved waits in the store, in vain or to be opened. */
  #giveUp(why: InVain | null): void {
    this.earlier.keep(this.#session, why);
    for (const session of this.#left.all) if (this.#isHere(session)) this.#retire(session, why);
    this.#prefetch.want([]);
  }

  /** Nobody goes on with it: whoever takes up what it had to save is the one to save it. */
  #retire(session: Session, why: Absence | InVain | null): readonly PendingEntry[] {
    this.earlier.keep(session, why);
    session.close();
    if (this.#left.of(session.id) === session) this.#left.remove(session.id);
    return session.queue.retire();
  }

  /** What waits for images of other datasets is saved beside the stage. */
  #isHere({ page }: Session): boolean {
    return page.dataset.id === this.page.dataset.id;
  }

  /** What is on the stage can only be looked at from now on; what was not saved waits in the browser's store. */
  #seeAbsence(session: Session, absence: Absence | null): void {
    const isLeft = this.#left.of(session.id) === session;
    // One that was given up before hears late of what may be over.
    if (session !== this.#session && !isLeft) return;
    if (!absence) return this.retry();
    // None of its images is there for the person any more, the one on the stage neither.
    const isOut = absence === "dataset" && this.#isHere(session);
    if (isOut || !isLeft) takeTyped();
    if (isLeft) this.#retire(session, absence);
    if (isOut) this.#giveUp("dataset");
    if (isOut || !isLeft) this.#showAbsence(this.#session, absence);
    this.signal.emit("elsewhere");
  }

  #showAbsence(before: Session, absence: Absence): void {
    const picture = before.leave();
    const next = this.#open(before.visit, null, absence);
    next.editor.takeView(before.editor);
    this.#remembered.handTo(next.editor);
    this.#session = next;
    next.begin({ ...nothingAhead(), picture: Promise.resolve(picture) }, true);
    this.signal.emit("session");
    next.editor.say(absenceText(absence, { unsaved: before.unsaved, isKept: !this.holdsAlone }));
    next.recover([...this.#retire(before, absence), ...before.onlySeen]);
  }

  #saved(session: Session): void {
    if (session.unsaved === 0 && session.onlySeen.length === 0) {
      this.earlier.saved(session.id);
      this.#left.forgetSaved();
    }
    if (session !== this.#session) this.signal.emit("elsewhere");
  }

  #lookAhead(): void {
    const turn = this.#turn;
    void this.#ahead.begin(() => turn === this.#turn);
  }
}

/**
 * Ways from image to image, and what is done on the way: to the next one, to what
 * has no annotations yet, to a number, done and next, and the annotations of the
 * image before once more.
 *
 * Every press counts. One that comes while an image is on its way goes on from that
 * one, and what lies in between is passed by without being loaded.
 */

import { get, RequestError, type Transport } from "./api/client";
import { loadAnnotations, type Neighbours } from "./api/visit";
import type { Clip } from "./editor/clipboard";
import { placeClip, type Command } from "./editor/commands";
import type { Editor } from "./editor/editor";
import type { Session } from "./session";

/** What this asks of a session. */
export type Here = Pick<Session, "id" | "editor" | "neighbours" | "setStatus">;

export interface NavigationOptions {
  readonly transport: Transport;
  readonly datasetId: number;
  /** The filters and the order of the grid that the person came from. */
  readonly query: string;
  /** What is on the stage. */
  readonly session: () => Here;
  /** The image that was asked for last: on the stage, or on its way to it. */
  readonly destination: () => Destination;
  /** Grows when they go elsewhere, or stay: what was pressed before is forgotten. */
  readonly way: () => number;
  /** Does not wait for it to arrive. */
  readonly go: (imageId: number) => void;
}

/** An image, and its neighbours where these are known already. */
export type Destination = Pick<Here, "id" | "neighbours">;

/** Which image comes after one, by its id; null where there is none. */
type Find = (from: Destination) => Promise<number | null>;

type Side = "previous" | "next";

/** The images on either side of one; null where there is none, or not known yet. */
export type Near = Readonly<Record<Side, number | null>>;

const idle = (editor: Editor): boolean => !editor.hand.busy;
const editable = (editor: Editor): boolean => idle(editor) && !editor.readOnly;

export class Navigation {
  readonly #options: NavigationOptions;
  /** Ends when all that was pressed is found. */
  #finding: Promise<void> = Promise.resolve();
  /** So many presses lead somewhere that is not found yet. */
  #presses = 0;
  /**
   * From which image one went on to another. It stays the one before it though it has left the
   * list since, as what was just marked done does where the list has only what is not.
   */
  readonly #wentOnFrom = new Map<number, number>();
  #repeating = false;

  constructor(options: NavigationOptions) {
    this.#options = options;
  }

  /** Another image is on its way to the stage. */
  get underWay(): boolean {
    return this.#presses > 0 || this.#options.destination().id !== this.#session.id;
  }

  /** The images before and after one, as far as they are known. */
  near({ id, neighbours }: Destination): Near {
    const { previous, next } = neighbours ?? {};
    return { previous: this.#wentOnFrom.get(id) ?? previous ?? null, next: next ?? null };
  }

  /** No way back leads to this image any more, as to one that is gone. */
  forget(imageId: number): void {
    for (const [next, from] of this.#wentOnFrom) if (from === imageId) this.#wentOnFrom.delete(next);
  }

  next(): Promise<void> {
    return this.#take(async (from) => {
      const { next } = from.neighbours ?? (await this.#askNeighbours(from, this.#options.query));
      return this.#onFrom(from, next ?? null);
    });
  }

  previous(): Promise<void> {
    return this.#take(async (from) => {
      if (from.neighbours || this.#wentOnFrom.has(from.id)) return this.near(from).previous;
      return (await this.#askNeighbours(from, this.#options.query)).previous ?? null;
    });
  }

  /** To the nearest image without annotations that nobody has called done or empty. */
  toUnannotated(side: Side): Promise<void> {
    return this.#take(async (from) => {
      const { [side]: found } = await this.#askNeighbours(from, this.#query({ waiting: "true" }));
      if (typeof found === "number") return found;
      this.#say(`No image ${side === "next" ? "after" : "before"} this one waits for its first annotation.`);
      return null;
    });
  }

  /** To the image with this number in the list, counted from 1. */
  toNumber(number: number): Promise<void> {
    const query = this.#query({ limit: "1", skip: String(number - 1) });
    const { transport, datasetId } = this.#options;
    return this.#take(async () => {
      const { items } = await get(transport, "/api/datasets/{dataset_id}/images", datasetId, query);
      if (!items[0]) this.#say(`There is no image ${number} in this list.`);
      return items[0]?.id ?? null;
    });
  }

  /** Only what is on the stage is called done: nobody has seen what is on its way. */
  async doneAndNext(): Promise<void> {
    if (this.underWay) return;
    const session = this.#session;
    // The list may not have the image any more once it is done.
    const { next } = this.near(session);
    // Wherever they go next, this is what was pressed here.
    const marked = session.setStatus("done");
    await this.#take(async () => {
      if (!(await marked)) return null;
      if (next === null) this.#say("This was the last image of the list.");
      return this.#onFrom(session, next);
    });
  }

  /** Copies what the image before this one in the list has, as one step of undo. */
  async repeatPrevious(): Promise<void> {
    const { editor } = this.#session;
    const { previous: from } = this.near(this.#session);
    // A key that is held down asks once.
    if (from === null || this.#repeating) return;
    this.#repeating = true;
    const asked = this.#tellTrouble(() => loadAnnotations(this.#options.transport, from));
    const found = await asked.finally(() => (this.#repeating = false));
    // They went on meanwhile, or took something up.
    if (found === null || editor !== this.#session.editor || !editable(editor)) return;
    if (found.length === 0) return editor.say("The previous image has no annotations.");
    const items = found.map(({ annotation, facts }) => {
      const category = editor.category(annotation.category_id);
      const known = category && { name: category.name, keypoints: category.keypoints };
      return { annotation, of: facts.id, category: known };
    });
    const clip: Clip = { imageId: from, datasetId: this.#options.datasetId, items };
    placeClip(editor, "Repeat the previous image", clip, { clipped: false });
  }

  get commands(): Command[] {
    const leads = (side: Side): boolean => this.near(this.#session)[side] !== null;
    const arrived = (): boolean => !this.underWay;
    const way = (side: Side, label: string, key: string): Command => ({
      id: `${side}-image`,
      label,
      group: "Image",
      help: "With the filters of the grid that you came from.",
      keys: [key],
      // With a shape in hand it says why it stays here.
      when: () => this.underWay || leads(side),
      again: arrived,
      run: () => void this[side](),
    });
    return [
      way("previous", "Previous image", "A"),
      way("next", "Next image", "D"),
      {
        id: "previous-unannotated",
        label: "Previous image without annotations",
        group: "Image",
        help: "In the list of the grid that you came from; what is done or empty is passed over.",
        keys: ["Shift+A"],
        when: idle,
        again: arrived,
        run: () => void this.toUnannotated("previous"),
      },
      {
        id: "next-unannotated",
        label: "Next image without annotations",
        group: "Image",
        help: "In the list of the grid that you came from; what is done or empty is passed over.",
        keys: ["Shift+D"],
        when: idle,
        again: arrived,
        run: () => void this.toUnannotated("next"),
      },
      {
        id: "done-and-next",
        label: "Done, and to the next image",
        group: "Image",
        help: "Marks the image done and opens the next one of the list.",
        keys: ["Shift+Enter"],
        when: editable,
        // Whoever holds the keys down has looked at one image.
        again: () => false,
        run: () => void this.doneAndNext(),
      },
      {
        id: "repeat-previous",
        label: "Repeat the annotations of the previous image",
        group: "Image",
        help: "Copies all of them to the same places; one undo takes them back.",
        keys: ["Mod+B"],
        when: (editor) => editable(editor) && leads("previous"),
        run: () => void this.repeatPrevious(),
      },
    ];
  }

  get #session(): Here {
    return this.#options.session();
  }

  #query(more: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams(this.#options.query);
    for (const [name, value] of Object.entries(more)) query.set(name, value);
    return query.toString();
  }

  /** One press: to what is found from where the presses before it lead. */
  #take(find: Find): Promise<void> {
    const way = this.#options.way();
    const isMeant = (): boolean => way === this.#options.way();
    const take = async (): Promise<void> => {
      const { destination, go } = this.#options;
      let to: number | null = null;
      try {
        if (isMeant()) to = await this.#tellTrouble(() => find(destination()), isMeant);
      } finally {
        this.#presses -= 1;
      }
      if (to !== null && isMeant()) go(to);
    };
    this.#presses += 1;
    // A press that fails is told where it was made, and keeps no later one from leading somewhere.
    this.#finding = this.#finding.catch(() => undefined).then(take);
    return this.#finding;
  }

  #onFrom({ id }: Destination, next: number | null): number | null {
    if (next === null) return null;
    // Where the order has changed since, the ways back would lead in a circle.
    this.forget(next);
    this.#wentOnFrom.set(next, id);
    return next;
  }

  #askNeighbours({ id }: Destination, query: string): Promise<Neighbours> {
    return get(this.#options.transport, "/api/images/{image_id}/neighbours", id, query);
  }

  #say(text: string): void {
    this.#session.editor.say(text);
  }

  /** Null when there was no answer, which is told as long as it is wanted. */
  async #tellTrouble<Result>(question: () => Promise<Result>, isWanted = (): boolean => true): Promise<Result | null> {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (isWanted()) this.#say(error.message);
      return null;
    }
  }
}

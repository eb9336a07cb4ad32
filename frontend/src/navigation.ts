/**
 * Ways from image to image beside the next one, and what is done on the way: to
 * what has no annotations yet, to a number, done and next, and the annotations
 * of the image before once more.
 */

import { get, RequestError, type Transport } from "./api/client";
import { loadAnnotations } from "./api/visit";
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
  /** Counts the ways to images that were taken. */
  readonly turn: () => number;
  readonly go: (imageId: number) => Promise<void>;
}

type Side = "previous" | "next";

const idle = (editor: Editor): boolean => !editor.hand.busy;
const editable = (editor: Editor): boolean => idle(editor) && !editor.readOnly;

export class Navigation {
  readonly #options: NavigationOptions;
  /** A key that is held down asks once. */
  #asking = false;

  constructor(options: NavigationOptions) {
    this.#options = options;
  }

  /** To the nearest image without annotations that nobody has called done or empty. */
  async toUnannotated(side: Side): Promise<void> {
    const { id, editor } = this.#session;
    const query = this.#query({ waiting: "true" });
    const found = await this.#askWay(() => get(this.#options.transport, "/api/images/{image_id}/neighbours", id, query));
    if (found === null) return;
    const to = found[side];
    if (typeof to === "number") await this.#options.go(to);
    else editor.say(`No image ${side === "next" ? "after" : "before"} this one waits for its first annotation.`);
  }

  /** To the image with this number in the list, counted from 1. */
  async toNumber(number: number): Promise<void> {
    const query = this.#query({ limit: "1", skip: String(number - 1) });
    const { transport, datasetId } = this.#options;
    const page = await this.#askWay(() => get(transport, "/api/datasets/{dataset_id}/images", datasetId, query));
    if (page === null) return;
    const image = page.items[0];
    if (image) await this.#options.go(image.id);
    else this.#session.editor.say(`There is no image ${number} in this list.`);
  }

  async doneAndNext(): Promise<void> {
    const session = this.#session;
    // The list may not have the image any more once it is done.
    const to = session.neighbours?.next;
    const done = await this.#askWay(async () => (await session.setStatus("done")) || null);
    if (!done) return;
    if (typeof to === "number") await this.#options.go(to);
    else session.editor.say("This was the last image of the list.");
  }

  /** Copies what the image before this one in the list has, as one step of undo. */
  async repeatPrevious(): Promise<void> {
    const { editor, neighbours } = this.#session;
    const from = neighbours?.previous;
    if (typeof from !== "number") return;
    const found = await this.#ask(() => loadAnnotations(this.#options.transport, from));
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
    const hasPrevious = (editor: Editor): boolean =>
      editable(editor) && typeof this.#session.neighbours?.previous === "number";
    return [
      {
        id: "previous-unannotated",
        label: "Previous image without annotations",
        group: "Image",
        help: "In the list of the grid that you came from; what is done or empty is passed over.",
        keys: ["Shift+A"],
        when: idle,
        run: () => void this.toUnannotated("previous"),
      },
      {
        id: "next-unannotated",
        label: "Next image without annotations",
        group: "Image",
        help: "In the list of the grid that you came from; what is done or empty is passed over.",
        keys: ["Shift+D"],
        when: idle,
        run: () => void this.toUnannotated("next"),
      },
      {
        id: "done-and-next",
        label: "Done, and to the next image",
        group: "Image",
        help: "Marks the image done and opens the next one of the list.",
        keys: ["Shift+Enter"],
        when: editable,
        run: () => void this.doneAndNext(),
      },
      {
        id: "repeat-previous",
        label: "Repeat the annotations of the previous image",
        group: "Image",
        help: "Copies all of them to the same places; one undo takes them back.",
        keys: ["Mod+B"],
        when: hasPrevious,
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

  /** The same for a way to go: null, too, when they have taken another one meanwhile. */
  async #askWay<Result>(question: () => Promise<Result>): Promise<Result | null> {
    const turn = this.#options.turn();
    const answer = await this.#ask(question);
    return turn === this.#options.turn() ? answer : null;
  }

  /** Null when there was no answer, which is told, or when another question is under way. */
  async #ask<Result>(question: () => Promise<Result>): Promise<Result | null> {
    if (this.#asking) return null;
    this.#asking = true;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#session.editor.say(error.message);
      return null;
    } finally {
      this.#asking = false;
    }
  }
}

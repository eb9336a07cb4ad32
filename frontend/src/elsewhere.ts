/**
 * What other images than the one on the stage have left to save: those that were
 * left here, and those of earlier visits. All of it can be saved at once, without
 * going to any of them.
 */

import { get, RequestError, type Transport } from "./api/client";
import type { Visit } from "./api/visit";
import type { EarlierChanges, InVain, WaitingImage } from "./earlier-changes";
import type { LeftSessions } from "./left-sessions";
import type { PageData, Session } from "./session";

/** `stuck` where nothing but a look at it helps: a conflict, or a shape that the server does not take. */
export interface UnsavedImage extends WaitingImage {
  readonly stuck: boolean;
}

export interface ElsewhereOptions {
  readonly earlier: EarlierChanges;
  readonly left: LeftSessions;
  readonly shown: () => Session;
  /** Opens an image beside the stage, so that what waits for it is sent. Throws a RequestError when it does not come. */
  readonly open: (imageId: number) => Promise<void>;
  /** Tries again what is open. */
  readonly retry: () => void;
}

export class Elsewhere {
  readonly #options: ElsewhereOptions;

  constructor(options: ElsewhereOptions) {
    this.#options = options;
  }

  /** Images whose changes wait for something: a connection, or a person. */
  get waiting(): readonly UnsavedImage[] {
    const { earlier, left, shown } = this.#options;
    const unsaved = left.all.filter((session) => session.unsaved > 0);
    const named = unsaved.map(({ id, image }) => [id, image.file_name] as const);
    const all = new Map([...earlier.waiting.map(({ id, name }) => [id, name] as const), ...named]);
    all.delete(shown().id);
    return [...all].flatMap(([id, name]) => {
      const status = left.of(id)?.queue.status;
      return status === "saving" ? [] : { id, name, stuck: status === "conflict" || status === "refused" };
    });
  }

  /** Deletes for ever what waits in vain for this reason; where it is still shown, it is not any more. */
  async deleteGone(reason: InVain): Promise<void> {
    const { earlier, left, shown } = this.#options;
    const gone = await earlier.deleteGone(reason);
    for (const session of [shown(), ...left.all]) if (gone.has(session.id)) session.forget();
  }

  /** One after the other; what does not open keeps no other from being saved, unless none would be. */
  async save(): Promise<void> {
    const { earlier, left, shown, open, retry } = this.#options;
    retry();
    let trouble: string | null = null;
    for (const { id } of this.waiting) {
      if (left.of(id)) continue;
      try {
        await open(id);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        const { status, detail } = error.problem;
        if (status === 404) earlier.didNotOpen(id, shown());
        else trouble = detail;
        if (status === 401) shown().queue.signedOut();
        if (status === 401 || status === 0) break;
      }
    }
    if (trouble !== null) shown().editor.say(`Not everything is saved yet. ${trouble}`);
  }
}

export const viewerText = ({ dataset }: PageData): string =>
  `You may only look at ${dataset.name}: what waits is saved when you may edit there again.`;

/** The page as it is for this image: in another dataset the person may have another role. */
export async function pageFor({ image }: Visit, page: PageData, transport: Transport): Promise<PageData> {
  if (image.dataset_id === page.dataset.id) return page;
  const { id, name, role } = await get(transport, "/api/datasets/{dataset_id}", image.dataset_id);
  return { ...page, dataset: { id, name }, role: role as PageData["role"] };
}

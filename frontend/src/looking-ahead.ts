/** The images that will probably come next are made ready: the neighbours of the one on the stage. */

import { fetchAhead } from "./api/pictures";
import { Prefetch } from "./api/prefetch";
import type { LeftSessions } from "./left-sessions";
import type { Near } from "./navigation";
import type { Session } from "./session";

/** So many annotations are drawn on suspicion, no more. */
const MOST_SHAPES_AHEAD = 5_000;

export interface LookingAheadOptions {
  readonly make: (imageId: number, signal: AbortSignal) => Promise<Session>;
  readonly shown: () => Session;
  readonly near: () => Near;
  readonly left: LeftSessions;
  /** Images of more pixels come in tiles. */
  readonly tiledFrom: number;
}

export class LookingAhead {
  readonly #options: LookingAheadOptions;
  readonly sessions: Prefetch<Session>;

  constructor(options: LookingAheadOptions) {
    this.#options = options;
    this.sessions = new Prefetch({
      load: (id, signal) => this.#prepare(id, signal),
      forget: (session) => session.close(),
      picture: (image, signal) => fetchAhead(image, options.tiledFrom, signal),
    });
  }

  /** Makes the neighbours ready once the image itself is there, if that is still `wanted` then. */
  async begin(wanted: () => boolean): Promise<void> {
    const { shown, near, left } = this.#options;
    await shown().ready;
    if (!wanted()) return;
    const { next, previous } = near();
    const ids = [next, previous].filter((id) => id !== null);
    // A session that is kept comes back as it is, so that only its picture is needed.
    this.sessions.want(ids, (id) => !left.of(id));
  }

  /** One with its shapes drawn. */
  async #prepare(id: number, signal: AbortSignal): Promise<Session> {
    const { make, shown } = this.#options;
    const session = await make(id, signal);
    const { stage, view } = shown().editor;
    if (session.editor.document.size <= MOST_SHAPES_AHEAD) session.prepare(stage, view.look);
    return session;
  }
}

/**
 * Sessions that left the stage and go on saving, and a few that were there a moment ago: coming back
 * to the image of one brings back the very same session with its undo.
 */

import type { Session } from "./session";

/** So many are kept though everything of them is saved. */
const MOST_KEPT = 2;

export class LeftSessions {
  /** By the image; the oldest first. */
  readonly #sessions = new Map<number, Session>();
  /** Opened only to save what waits: nobody was there, so nobody comes back to their undo. */
  readonly #beside = new Set<Session>();

  get all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  of(imageId: number): Session | undefined {
    return this.#sessions.get(imageId);
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    this.forgetSaved();
  }

  addBeside(session: Session): void {
    this.#beside.add(session);
    this.add(session);
  }

  /** It is on the stage again, or nobody wants it there. */
  remove(imageId: number): void {
    const session = this.#sessions.get(imageId);
    if (session) this.#beside.delete(session);
    this.#sessions.delete(imageId);
  }

  forgetSaved(): void {
    const saved = this.all.filter(({ unsaved }) => unsaved === 0);
    const beside = saved.filter((session) => this.#beside.has(session));
    const wereShown = saved.filter((session) => !this.#beside.has(session));
    for (const session of [...beside, ...wereShown.slice(0, -MOST_KEPT)]) {
      this.remove(session.id);
      session.close();
    }
  }

  /** Drawn shapes take memory: only those of the next and the previous image are kept. */
  closeAllBut(ids: readonly unknown[]): void {
    for (const session of this.all) if (!ids.includes(session.id)) session.close();
  }
}

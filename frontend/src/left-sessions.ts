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

  get all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  of(imageId: number): Session | undefined {
    return this.#sessions.get(imageId);
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    this.forgetOldest();
  }

  /** It is on the stage again, or nobody wants it there. */
  remove(imageId: number): void {
    this.#sessions.delete(imageId);
  }

  forgetOldest(): void {
    const saved = this.all.filter(({ unsaved }) => unsaved === 0);
    for (const session of saved.slice(0, -MOST_KEPT)) {
      this.#sessions.delete(session.id);
      session.close();
    }
  }

  /** Drawn shapes take memory: only those of the next and the previous image are kept. */
  closeAllBut(ids: readonly unknown[]): void {
    for (const session of this.all) if (!ids.includes(session.id)) session.close();
  }

  clear(): void {
    for (const session of this.all) session.close();
    this.#sessions.clear();
  }
}

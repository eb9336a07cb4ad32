/** What the main thread and the worker that looks at the picture say to each other. */

import type { Sight } from "../editor/sight";

export interface SightQuestion {
  readonly id: number;
  readonly name: Exclude<keyof Sight, "wake">;
  readonly values: readonly unknown[];
}

/** Where the picture is, the first that can be decoded, and the size that it has as a record. */
export interface SightPicture {
  readonly addresses: readonly string[];
  /** Where its tiles are; null for one that has none. */
  readonly tiles: string | null;
  readonly width: number;
  readonly height: number;
}

export type SightAnswer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

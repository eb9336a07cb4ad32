/** A promise together with what keeps it. */
export interface Promised {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

export function promised(): Promised {
  let resolve = (): void => undefined;
  return { promise: new Promise<void>((done) => (resolve = done)), resolve: () => resolve() };
}

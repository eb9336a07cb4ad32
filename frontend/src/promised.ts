export interface Promised {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** A promise that somebody else resolves. */
export function promised(): Promised {
  let resolve = (): void => undefined;
  return { promise: new Promise<void>((done) => (resolve = done)), resolve: () => resolve() };
}

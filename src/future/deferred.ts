// The end of an executor, for those who wait for it.

/** A promise that says that an executor has closed. */
export interface Closure {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** One that has not. */
export function closure(): Closure {
  let resolve!: () => void;
  return { promise: new Promise<void>((done) => resolve = done), resolve };
}

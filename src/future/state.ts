// The states of a Future, and of a call of map(), which has none. From CANCELLED on it is done.

/** What a Future, or a call, may be. */
export const PENDING = 0, RUNNING = 1, CANCELLED = 2, FULFILLED = 3, REJECTED = 4;

/** One of them. */
export type FutureState = typeof PENDING | typeof RUNNING | typeof CANCELLED | typeof FULFILLED | typeof REJECTED;

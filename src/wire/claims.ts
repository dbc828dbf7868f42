// The claim words: one word of shared memory for each call that is handed over and not yet answered. The side that changes
// it from OFFERED first has the call: the worker to run it, or the parent to cancel it or hand it to another worker.

/** Calls that a worker can hold at most; a power of two. The word of a call is reused only after its answer. */
export const CALLS_PER_WORKER = 4096;

/** Masks a call's number to the index of its word, or its slot in another ring of this size. */
export const CALL_MASK = CALLS_PER_WORKER - 1;

const OFFERED = 0, BEGUN = 1, WITHDRAWN = 2;

/** Parent: makes the claim words of a worker. */
export function newClaims(): SharedArrayBuffer {
  return new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT);
}

/** Parent: offers the call to the worker. Must be done before the call is sent. */
export function offer(words: Int32Array, call: number): void {
  Atomics.store(words, call & CALL_MASK, OFFERED);
}

/** Worker: begins the call; false when it was withdrawn. */
export function begin(words: Int32Array, call: number): boolean {
  return Atomics.compareExchange(words, call & CALL_MASK, OFFERED, BEGUN) === OFFERED;
}

/** Parent: withdraws the call, which the worker then skips; false when it has begun. */
export function withdraw(words: Int32Array, call: number): boolean {
  return Atomics.compareExchange(words, call & CALL_MASK, OFFERED, WITHDRAWN) === OFFERED;
}

/** Parent: whether the worker has begun the call, which was not withdrawn. A task can write any word: it counts as begun. */
export function hasBegun(words: Int32Array, call: number): boolean {
  return Atomics.load(words, call & CALL_MASK) !== OFFERED;
}

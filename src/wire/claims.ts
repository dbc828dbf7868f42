// The claim words: one word of shared memory for each call that is handed over and not yet answered. Whoever changes it
// from OFFERED first has the call: the worker to run it, or the parent to cancel it or give it to another worker.

/** Calls a worker may hold at most; a power of two. A call's word is reused only after its answer. */
export const CALLS_PER_WORKER = 4096;

/** From a call's number to its word, or to any other ring of this size. */
export const CALL_MASK = CALLS_PER_WORKER - 1;

const OFFERED = 0, BEGUN = 1, WITHDRAWN = 2;

/** Parent: hands the call over. Must be done before the call is sent. */
export function offer(words: Int32Array, call: number): void {
  Atomics.store(words, call & CALL_MASK, OFFERED);
}

/** Worker: true when it may run the call. */
export function begin(words: Int32Array, call: number): boolean {
  return Atomics.compareExchange(words, call & CALL_MASK, OFFERED, BEGUN) === OFFERED;
}

/** Parent: true when the call was taken back; the worker steps over it. */
export function withdraw(words: Int32Array, call: number): boolean {
  return Atomics.compareExchange(words, call & CALL_MASK, OFFERED, WITHDRAWN) === OFFERED;
}

/** Parent: whether the worker has begun the call, which was not withdrawn. A word that is neither says that it has. */
export function hasBegun(words: Int32Array, call: number): boolean {
  return Atomics.load(words, call & CALL_MASK) !== OFFERED;
}

// Claims: which side has a call that is handed over and not yet answered, the worker, which begins it, or the parent, which
// withdraws it to cancel it or to hand it to another worker. Exactly one of them gets it, whenever they ask for it.
//
// Threads share memory: a word for each call, which the side that changes it first has. Processes share a page
// (page_claims.ts). Where neither can be had, a worker has what it was sent, and gives it back when a message asks for it.

/** Calls that a worker can hold at most; a power of two. The slot of a call is reused only after its answer. */
export const CALLS_PER_WORKER = 4096;

/** Masks a call's number to the index of its slot in a ring of this size. */
export const CALL_MASK = CALLS_PER_WORKER - 1;

/** What a worker makes its end of the claims of: memory, or the number of a descriptor that it has inherited. */
export type SharedClaims = ArrayBufferLike | number;

/** The parent's end of the claims of one worker. */
export interface ParentClaims {
  /** What the worker is sent to make its end. */
  readonly shared: SharedClaims;
  /** Offers a call to the worker. Must be done before the call is sent. */
  offer(call: number): void;
  /** Withdraws a call, which the worker then skips; false when it has begun. */
  withdraw(call: number): boolean;
  /**
   * Withdraws the youngest of some calls, down to the first that has begun.
   *
   * @param calls The numbers of calls that are offered, the youngest first.
   * @returns How many were withdrawn: the first of `calls`. All others have begun, as a worker begins them in order.
   */
  withdrawYoungest(calls: readonly number[]): number;
  /** Whether the worker has begun a call, which was not withdrawn. */
  hasBegun(call: number): boolean;
  /** Whether the worker may have skipped a call that counts as begun. It says so in its answer, and the call is offered anew. */
  mayHaveSkipped(call: number): boolean;
  /** The worker is gone, and nothing more is asked. Called exactly once. */
  close(): void;
}

/** The worker's end of its claims. */
export interface WorkerClaims {
  /**
   * Begins a call. Calls are begun in order.
   *
   * @param call Its number.
   * @param message Where it comes from. Without it, calls behind this one stay free until they are begun themselves.
   * @returns False when the parent may have withdrawn it: the worker skips it, and says so.
   */
  begin(call: number, message: Upcoming | undefined): boolean;
  /** Leaves free what is not begun: the worker waits, or what it does takes long. */
  pause(): void;
  /** Says what the clock says between two calls. */
  look(now: number): void;
}

/** A message with calls. */
export interface Upcoming {
  /** How many of its calls have yet to run, the one that is about to begin included. Counts up to `most`. */
  countAhead(most: number): number;
}

const OFFERED = 0, BEGUN = 1, WITHDRAWN = 2;

/** Bytes of memory that claims in words take. */
export const WORD_CLAIMS_BYTES = CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT;

/** The claims of a thread: a word of shared memory for each call. A task can write any word: it counts as begun. */
export class WordClaims implements ParentClaims {
  readonly shared: ArrayBufferLike;
  readonly #words: Int32Array;

  /** @param shared Memory that the worker reaches, too. */
  constructor(shared: ArrayBufferLike = new SharedArrayBuffer(WORD_CLAIMS_BYTES)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  offer(call: number): void {
    Atomics.store(this.#words, call & CALL_MASK, OFFERED);
  }

  withdraw(call: number): boolean {
    return Atomics.compareExchange(this.#words, call & CALL_MASK, OFFERED, WITHDRAWN) === OFFERED;
  }

  withdrawYoungest(calls: readonly number[]): number {
    let count = 0;
    while (count < calls.length && this.withdraw(calls[count]!)) count++;
    return count;
  }

  hasBegun(call: number): boolean {
    return Atomics.load(this.#words, call & CALL_MASK) !== OFFERED;
  }

  mayHaveSkipped(): boolean {
    return false;
  }

  close(): void {}
}

/** A thread's end of its claims. */
export class WordClaimsOfWorker implements WorkerClaims {
  readonly #words: Int32Array;

  constructor(shared: ArrayBufferLike) {
    this.#words = new Int32Array(shared);
  }

  begin(call: number): boolean {
    return Atomics.compareExchange(this.#words, call & CALL_MASK, OFFERED, BEGUN) === OFFERED;
  }

  pause(): void {}

  look(): void {}
}

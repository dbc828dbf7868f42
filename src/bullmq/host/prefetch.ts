// How many calls a host takes at the same time: one for each worker, and of short ones as many more as keep the workers
// busy while the next come from Redis.

/** Work that is taken ahead, in milliseconds. A round trip through Redis takes about one. */
const BUDGET = 10;

/** Calls that are taken ahead at most. */
const MOST_AHEAD = 100;

/** What is short, in milliseconds: to wake a worker's thread takes some 0.05, as long as Redis needs for the next job. */
const SHORT = 0.5;

/** Calls come fast when the one before came so shortly ago, in milliseconds: one by one they take a round trip. */
const DENSE = 0.4;

/**
 * How much one call says about the next, when it was faster than expected, and when it was slower. That may be for the host,
 * which is busy, rather than for the call: with an eighth for both, a burst of trivial calls has between 40 and 100 of them
 * taken at a time, up and down, and BullMQ asks Redis for one more by itself for each that it has given back; with this and
 * the next bulk on its way (outbox.ts), such a burst is 12 % faster on Node 24. Calls that are truly longer than those before
 * are handed back soon (PATIENCE in job_runner.ts).
 */
const FASTER = 1 / 8, SLOWER = 1 / 64;

/** Learns how long calls take. */
export class Feed {
  readonly #workers: number;
  /** How long a call takes a worker, in milliseconds. */
  #cost = Infinity;
  #taken = 0;
  #last = 0;
  #dense = false;

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** So many calls are there now. Returns how many may be. */
  take(taken: number): number {
    this.#taken = taken;
    const now = performance.now();
    this.#dense = now - this.#last < DENSE;
    this.#last = now;
    return this.#most;
  }

  /** A call has been there for so long. Returns how many may be. */
  done(time: number): number {
    // It has waited for its share of those that were there.
    const cost = time * Math.min(1, this.#workers / this.#taken);
    const weight = cost < this.#cost ? FASTER : SLOWER;
    this.#cost = this.#cost === Infinity ? cost : this.#cost + (cost - this.#cost) * weight;
    return this.#most;
  }

  /** A call has waited for so long. Returns how many may be there. */
  slow(time: number): number {
    this.#cost = Math.max(this.#cost, time);
    return this.#most;
  }

  /** Whether calls are so short, and come so fast, that they should go to the workers by the dozen. */
  get dense(): boolean {
    return this.#dense && this.#cost < SHORT;
  }

  get #most(): number {
    return this.#workers + Math.min(MOST_AHEAD, Math.floor(this.#workers * BUDGET / this.#cost));
  }
}

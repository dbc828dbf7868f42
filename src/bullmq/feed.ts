// How many calls a host takes at the same time: one for each worker, and of short ones as many more as keep the workers
// busy while the next come from Redis.

/** Work that is taken ahead, in milliseconds. A round trip through Redis takes about one. */
const BUDGET = 10;

/** Calls that are taken ahead at most. */
const MOST_AHEAD = 100;

/** How much one call says about the next. */
const WEIGHT = 1 / 8;

/** Learns how long calls take. */
export class Feed {
  readonly #workers: number;
  /** How long a call takes a worker, in milliseconds. */
  #cost = Infinity;
  #taken = 0;

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** So many calls are there now. Returns how many may be. */
  take(taken: number): number {
    this.#taken = taken;
    return this.#most;
  }

  /** A call has been there for so long. Returns how many may be. */
  done(time: number): number {
    // It has waited for its share of those that were there.
    const cost = time * Math.min(1, this.#workers / this.#taken);
    this.#cost = this.#cost === Infinity ? cost : this.#cost + (cost - this.#cost) * WEIGHT;
    return this.#most;
  }

  /** A call has waited for so long. Returns how many may be there. */
  slow(time: number): number {
    this.#cost = Math.max(this.#cost, time);
    return this.#most;
  }

  get #most(): number {
    return this.#workers + Math.min(MOST_AHEAD, Math.floor(this.#workers * BUDGET / this.#cost));
  }
}

// How many calls a host takes at the same time: one for each worker, and of short ones as many more as keep the workers
// busy while the next come from Redis.

/** How much work a host takes ahead, in milliseconds. A round trip through Redis takes about one. */
const BUDGET = 10;

/** Maximum number of calls that it takes ahead. */
const MOST_AHEAD = 100;

/**
 * Up to this cost a call is short, in milliseconds: to wake a worker's thread takes some 0.05, as long as Redis needs for the
 * next job.
 */
const SHORT = 0.5;

/**
 * Calls come densely when less than this is between two on average, in milliseconds: one by one, each takes a round trip. They
 * come in parts, as Redis answers many commands at once: a pause counts as {@linkcode LONGEST_GAP} at most, so that the first of
 * a part is no exception, and each call changes the average by {@linkcode LAST}. In bursts of 10,000 trivial calls the host's
 * workers get a sixth fewer messages than when only the last gap counts (Node 24).
 */
const DENSE = 0.4, LONGEST_GAP = 2, LAST = 1 / 8;

/**
 * How much one call says about the next, when it was faster than expected, and when it was slower: a slow call may mean that
 * the host is busy. With an eighth for both, the limit of a burst of trivial calls goes up and down between 40 and 100, and for
 * each call that BullMQ has given back it asks Redis for one more by itself; with these weights, and the next bulk on its way
 * (outbox.ts), such a burst is 12 % faster on Node 24. Calls that really are longer than those before them are handed back soon
 * (PATIENCE in job_runner.ts).
 */
const FASTER = 1 / 8, SLOWER = 1 / 64;

/** Learns how long calls take, and limits how many the host has. */
export class Prefetch {
  readonly #workers: number;
  /** How long a worker needs for a call, in milliseconds. */
  #cost = Infinity;
  /** How many calls the host has. */
  #active = 0;
  /** When it took the last one. */
  #last = 0;
  /** How much time is between two calls, in milliseconds, as far as that matters. */
  #gap = LONGEST_GAP;

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** The host has taken a call, and has `active` now. Returns how many it may have. */
  taken(active: number): number {
    this.#active = active;
    const now = performance.now();
    this.#gap += (Math.min(now - this.#last, LONGEST_GAP) - this.#gap) * LAST;
    this.#last = now;
    return this.#most;
  }

  /** A call is done, `time` milliseconds after the executor got it. Returns how many the host may have. */
  done(time: number): number {
    const cost = time * Math.min(1, this.#workers / this.#active); // the rest of the time it waited for the others
    const weight = cost < this.#cost ? FASTER : SLOWER;
    this.#cost = this.#cost === Infinity ? cost : this.#cost + (cost - this.#cost) * weight;
    return this.#most;
  }

  /** A call has waited for `time` milliseconds. Returns how many the host may have. */
  waited(time: number): number {
    this.#cost = Math.max(this.#cost, time);
    return this.#most;
  }

  /** Whether calls are so short, and come so fast, that they should go to the workers by the dozen. */
  get dense(): boolean {
    return this.#gap < DENSE && this.#cost < SHORT;
  }

  get #most(): number {
    return this.#workers + Math.min(MOST_AHEAD, Math.floor(this.#workers * BUDGET / this.#cost));
  }
}

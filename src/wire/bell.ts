// A word of shared memory at which a thread that blocks sleeps (blocking.ts), and which others ring when they have sent it
// something.

/** The words: how often it was rung, and whether somebody sleeps. */
const RINGS = 0, SLEEPER = 1;

// Taken before a task can replace them.
const { add, load, notify, store, wait } = Atomics;

/** A bell, as each thread that knows its memory sees it. */
export class Bell {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param shared Its memory; without it, the bell is new. */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  /** How often it was rung. */
  get rings(): number {
    return load(this.#words, RINGS);
  }

  /** Rings it, after what is to be found has been sent. */
  ring(): void {
    add(this.#words, RINGS, 1);
    // Whoever sleeps has said so before it looked at the rings again.
    if (load(this.#words, SLEEPER) !== 0) notify(this.#words, RINGS);
  }

  /**
   * Sleeps until it is rung.
   *
   * @param rings How often it had been rung before the caller looked for the last time.
   * @param ms The longest time, in milliseconds.
   */
  sleep(rings: number, ms: number): void {
    store(this.#words, SLEEPER, 1);
    wait(this.#words, RINGS, rings, ms);
    store(this.#words, SLEEPER, 0);
  }
}

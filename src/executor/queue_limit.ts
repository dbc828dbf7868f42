// Back-pressure: limits how many calls are queued, and holds producers that await ready() until there is a place for them.

import { QueueFullError } from "../future/errors.ts";
import { startTimer } from "../future/timer.ts";
import { atTickEnd } from "../wire/blocking.ts";

/** The places in the queue of an executor. */
export class QueueLimit {
  readonly #most: number;
  readonly #size: () => number;
  readonly #isOpen: () => boolean;
  /** Producers that wait, the first of them first. */
  readonly #waiters: (() => void)[] = [];
  /** Places of producers whose ready() has resolved, and that have not run since. */
  #promised = 0;
  /** Places of producers that run, and have not submitted yet. */
  #offered = 0;
  #isExpiryDue = false;

  /**
   * @param most Maximum number of queued calls.
   * @param size How many are queued.
   * @param isOpen Whether the executor takes calls; if not, nobody waits for a place, and `submit` says why.
   */
  constructor(most: number, size: () => number, isOpen: () => boolean) {
    this.#most = most;
    this.#size = size;
    this.#isOpen = isOpen;
  }

  /** How many more calls may be queued by who has not been given a place. */
  get left(): number {
    if (this.#most === Infinity || !this.#isOpen()) return Infinity;
    return this.#most - this.#size() - this.#promised - this.#offered;
  }

  /**
   * Takes a place: one that ready() has offered, if there is any. Those that it has promised to others are not touched. What
   * was offered is kept when the queue has grown since: workers give back calls that they were handed ahead.
   *
   * @throws {QueueFullError} when there is none.
   */
  admit(): void {
    if (this.#most === Infinity) return;
    if (this.#offered === 0 && this.#size() + this.#promised >= this.#most) {
      throw new QueueFullError(
        `Cannot submit a task as ${this.#most} calls wait already: await executor.ready() before each`,
      );
    }
    this.leave();
  }

  /** Resolves when there is a place. Producers are served in turn; each has its place for itself until it yields. */
  ready(): Promise<void> {
    if (this.#most === Infinity) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(() => {
        // This runs just before what awaits the promise does.
        queueMicrotask(() => this.#offer());
        resolve();
      });
      this.wake();
    });
  }

  /** Calls `fn` when there is a place, as {@linkcode QueueLimit.ready} resolves then; a blocking wait can call it, too. */
  whenReady(fn: () => void): void {
    this.#waiters.push(() =>
      atTickEnd(() => {
        this.#offer();
        fn();
      })
    );
    this.wake();
  }

  /** A producer that has a promised place runs now. */
  #offer(): void {
    this.#promised--;
    this.#offered++;
  }

  /** Gives back a place that ready() has offered. */
  leave(): void {
    if (this.#offered > 0) this.#offered--;
  }

  /** Promises free places to those who wait. */
  wake(): void {
    while (this.#waiters.length > 0 && this.left > 0) {
      this.#promised++;
      this.#waiters.shift()!();
    }
    if (this.#promised + this.#offered === 0 || this.#isExpiryDue) return;
    this.#isExpiryDue = true;
    // A producer that has not submitted by the next turn of the event loop has other things to do.
    startTimer(0, () => {
      this.#isExpiryDue = false;
      this.#offered = 0;
      this.wake();
    });
  }
}

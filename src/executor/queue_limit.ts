// Back-pressure: how a producer is refused, or held until there is room in the queue.

import { QueueFullError } from "../future/errors.ts";

/** QueueLimit in the queue of an executor. */
export class QueueLimit {
  readonly #most: number;
  readonly #size: () => number;
  readonly #isOpen: () => boolean;
  readonly #waiters: (() => void)[] = [];
  /** Places that ready() has given away and nobody has taken yet. */
  #promised = 0;
  #expiring = false;

  /**
   * @param most Calls that may wait.
   * @param size How many do.
   * @param isOpen Whether the executor takes calls; if not, nobody waits for room, and `submit` says why.
   */
  constructor(most: number, size: () => number, isOpen: () => boolean) {
    this.#most = most;
    this.#size = size;
    this.#isOpen = isOpen;
  }

  /** How many calls there is room for, but for what was promised. */
  get left(): number {
    return this.#most === Infinity || !this.#isOpen() ? Infinity : this.#most - this.#size() - this.#promised;
  }

  /**
   * Throws when there is no room.
   *
   * @throws {QueueFullError} then.
   */
  admit(): void {
    if (this.#most === Infinity) return;
    if (this.#size() >= this.#most) {
      throw new QueueFullError(
        `Cannot submit a task as ${this.#most} calls wait already: await executor.ready() first`,
      );
    }
    if (this.#promised > 0) this.#promised--;
  }

  /** Waits until there is room. Those who wait are served in turn, and each has a place for itself until it yields. */
  ready(): Promise<void> {
    if (this.#most === Infinity) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.wake();
    });
  }

  /** Gives back the place that ready() has promised. */
  leave(): void {
    if (this.#promised > 0) this.#promised--;
  }

  /** Gives the places that are free to those who wait. */
  wake(): void {
    while (this.#waiters.length > 0 && this.left > 0) {
      this.#promised++;
      this.#waiters.shift()!();
    }
    if (this.#promised === 0 || this.#expiring) return;
    this.#expiring = true;
    setTimeout(() => {
      // Who has not taken it by now has other things to do.
      this.#expiring = false;
      this.#promised = 0;
      this.wake();
    });
  }
}

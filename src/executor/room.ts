// Back-pressure: how a producer is refused, or held until there is room in the queue.

import { QueueFullError } from "./errors.ts";

/** Room in the queue of an executor. */
export class Room {
  readonly #most: number;
  readonly #size: () => number;
  readonly #waiters: (() => void)[] = [];
  #waking = false;

  /**
   * @param most Calls that may wait.
   * @param size How many do.
   */
  constructor(most: number, size: () => number) {
    this.#most = most;
    this.#size = size;
  }

  /** Whether a call would be refused. */
  get full(): boolean {
    return this.#most !== Infinity && this.#size() >= this.#most;
  }

  /**
   * Throws when there is no room.
   *
   * @throws {QueueFullError} then.
   */
  admit(): void {
    if (this.full) {
      throw new QueueFullError(
        `Cannot submit a task as ${this.#most} calls wait already: await executor.ready() first`,
      );
    }
  }

  /** Waits until there is room. Those who wait are served in turn. */
  ready(): Promise<void> {
    if (!this.full && this.#waiters.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Wakes the next who waits, if there is room; the others when that one has had its chance to fill it. */
  wake(): void {
    if (this.#waking || this.#waiters.length === 0 || this.full) return;
    this.#waking = true;
    this.#waiters.shift()!();
    setTimeout(() => {
      this.#waking = false;
      this.wake();
    });
  }
}

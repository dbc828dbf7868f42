// How fast a task may report in a thread. A task can report without ever coming to an `await`, faster than its program listens,
// and a program reads all messages that are there before a timer fires (Node 24), or most of them (Deno 2.9): what would
// stop the task comes later and later. So the program counts in shared memory what it has read, once in each turn of its
// event loop, and a task that is too far ahead waits for that. It never waits long: the program may be busy, or may wait
// without the event loop for what the task does next.

import { atNextTurn } from "../wire/blocking.ts";

/** How many messages with reports may be ahead of the program. */
const AHEAD = 128;

/** How long a message waits for the program at most, in milliseconds. As many as may be ahead follow without a wait then. */
const PATIENCE = 100;

/** The words: how many messages were read, and whether the worker is being ended. */
const READ = 0, ENDED = 1;

// Taken before a task can replace them.
const { add, load, notify, store, wait } = Atomics;

/** The worker's side: it waits. */
export class Pace {
  readonly #words: Int32Array;
  #sent = 0;
  /** How many may be ahead: more after a wait in vain. */
  #most = AHEAD;
  /** Whether a task was told that this worker is being ended. */
  hasRefused = false;

  /** @param shared The memory that {@linkcode PaceMaker} has made. */
  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /**
   * A message with reports is about to be sent.
   *
   * @throws {Error} when the worker is being ended. Deno (2.9) cannot end a thread in a synchronous loop: this does.
   */
  keep(): void {
    const read = load(this.#words, READ), ahead = (this.#sent - read) | 0;
    if (ahead < AHEAD) this.#most = AHEAD;
    else if (ahead >= this.#most && load(this.#words, ENDED) === 0) {
      if (wait(this.#words, READ, read, PATIENCE) === "timed-out") this.#most = ahead + AHEAD;
    }
    if (load(this.#words, ENDED) !== 0) {
      this.hasRefused = true;
      throw new Error("Cannot report as the worker of this task is being ended");
    }
    this.#sent = (this.#sent + 1) | 0;
  }
}

/** The program's side: it tells how much it has read. */
export class PaceMaker {
  readonly shared: SharedArrayBuffer = new SharedArrayBuffer(8);
  readonly #words = new Int32Array(this.shared);
  #read = 0;
  #tellsSoon = false;

  /** A message with reports was read. */
  note(): void {
    this.#read++;
    if (this.#tellsSoon) return;
    this.#tellsSoon = true;
    atNextTurn(() => {
      this.#tellsSoon = false;
      this.#tell();
    });
  }

  #tell(): void {
    add(this.#words, READ, this.#read);
    this.#read = 0;
    notify(this.#words, READ);
  }

  /** The worker is being ended: its task may report nothing more. */
  end(): void {
    store(this.#words, ENDED, 1);
    this.#read++; // whoever is about to wait finds another number
    this.#tell();
  }
}

// How fast a task may report in a thread. A task can report without ever coming to an `await`, faster than its program listens,
// and a program reads all messages that are there before a timer fires (Node 24), or most of them (Deno 2.9): what would
// stop the task comes later and later. So the program counts in shared memory what it has heard, once in each turn of its
// event loop, and a task that is too far ahead waits for that. When the event loop does not come round, it goes on after a
// while: the program may wait without it for what the task does next.

/** How many messages with reports may be ahead of the program. */
const AHEAD = 128;

/** How long a message waits for the event loop of the program, in milliseconds. As many as may be ahead follow it then. */
const PATIENCE = 100;

/** The words: how many messages were heard, how often the program has said so, and whether the worker is being ended. */
const HEARD = 0, TURNS = 1, ENDED = 2;

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
    if (this.#ahead < AHEAD) this.#most = AHEAD;
    else while (this.#ahead >= this.#most && load(this.#words, ENDED) === 0) this.#wait();
    if (load(this.#words, ENDED) !== 0) {
      this.hasRefused = true;
      throw new Error("Cannot report as the worker of this task is being ended");
    }
    this.#sent = (this.#sent + 1) | 0;
  }

  get #ahead(): number {
    return (this.#sent - load(this.#words, HEARD)) | 0;
  }

  #wait(): void {
    const turns = load(this.#words, TURNS), ahead = this.#ahead;
    const heard = (this.#sent - ahead) | 0;
    if (wait(this.#words, HEARD, heard, PATIENCE) !== "timed-out") return;
    if (load(this.#words, TURNS) === turns) this.#most = ahead + AHEAD;
  }
}

/** The program's side: it tells how much it has heard. */
export class PaceMaker {
  readonly shared: SharedArrayBuffer = new SharedArrayBuffer(12);
  readonly #words = new Int32Array(this.shared);

  /** So many messages with reports were heard in this turn of the event loop. */
  heard(messages: number): void {
    add(this.#words, TURNS, 1);
    if (messages === 0) return;
    add(this.#words, HEARD, messages);
    notify(this.#words, HEARD);
  }

  /** The worker is being ended: its task may report nothing more. */
  end(): void {
    store(this.#words, ENDED, 1);
    this.heard(1); // whoever is about to wait finds another number
  }
}

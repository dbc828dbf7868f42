// The parent's end of a line of shared memory (line.ts): it looks for answers while they are expected soon.

import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { nextTurn } from "../wire/turn.ts";
import { countCalls, Habit, type InitWithLine, Line, newLine, type Wire } from "./line.ts";

/**
 * Calls that a worker holds at most for the parent to look. With more, answers travel in larger messages when the parent sleeps.
 * One run without a limit: map() with a buffer of 20 at 0.6 of the rate on Deno 2.9 and 0.87 on Bun 1.4, at 1.18 on Node 24; with
 * a buffer of 2,000 at 1.07, 1.7 and 2.0. So a larger limit may pay one day, and has to be measured more often.
 */
const FEW = 2;

/** How long it looks for an answer once per turn of the event loop, in milliseconds. */
const LOOK = 0.06;

/** How long it looks in the first of these turns, in milliseconds. */
const GLANCE = 0.02;

/** How many calls are sent without a look at most, when looks do not pay. */
const RARELY = 256;

/** The parent's end of the line to a thread. */
export class ParentLine extends Line<ToWorker, FromWorker> {
  /** Pages that are not isolated from other origins have none: everything is posted. */
  readonly #memory: SharedArrayBuffer | undefined;
  readonly #looks = new Habit(RARELY);
  readonly #glances = new Habit(RARELY);
  /** Whether it looks, or will soon. */
  #looking = false;
  /** Whether the worker was awake when the last call was sent. */
  #wasHeard = false;
  /** Whether something was sent or has come since the last turn, and until when it looks otherwise. */
  #fresh = false;
  #until = 0;

  /**
   * @param wire The line of the thread.
   * @param deliver Gets each message that comes. What is no message comes as `undefined`: a task may have forged it.
   */
  constructor(wire: Wire<ToWorker>, deliver: (message: FromWorker) => void) {
    super(wire);
    this.deliverTo((message) => {
      this.#note(message);
      deliver(message);
    });
    if (typeof SharedArrayBuffer !== "function") return;
    this.#memory = newLine();
    this.open(this.#memory, "parent");
  }

  send(message: ToWorker, transfer?: Transferable[]): void {
    if (!this.#memory) return this.post(message, transfer);
    if (message.kind === "init") return this.post({ ...message, line: this.#memory } as InitWithLine);
    const count = message.kind === undefined
      ? countCalls(message)
      : message.kind === "run"
      ? countCalls(message.calls)
      : 0;
    const isFew = this.owed + count <= FEW;
    if (!isFew) this.post(message, transfer);
    const isHeard = isFew && this.pass(message, transfer);
    if (count === 0) return;
    this.owed += count;
    this.#fresh = true;
    this.#wasHeard = isHeard;
    if (this.#looking || !isFew || !this.#looks.isWorthwhile()) return;
    this.#looking = true;
    this.awake();
    nextTurn(this.#turn); // whatever else this tick has to do comes first
  }

  /** Notes what has come. */
  #note(message: FromWorker | undefined): void {
    let count = 0;
    if (message?.kind === undefined) count = (message?.length ?? 2) - 2;
    else if (message.kind === "done") count = message.results?.length;
    else if (message.kind === "unread") count = 1;
    this.owed = Math.max(0, this.owed - count) || 0;
    if (!this.#looking) return;
    this.#fresh = true;
    // When the worker had to wake up, both may be on one core: then looking keeps it from that core.
    if (this.#wasHeard) this.#looks.paid();
    else this.#looks.missed();
  }

  override take(received: unknown): boolean {
    const isOurs = super.take(received);
    if (isOurs && !this.#looking) this.#rest();
    return isOurs;
  }

  /** Looks once in this turn of the event loop. */
  readonly #turn = (): void => {
    // A worker that sleeps takes longer to wake up than a glance.
    if (!this.hasNext && this.#fresh && this.#wasHeard && this.#glances.isWorthwhile()) this.#glance();
    this.readAll();
    this.#goOn();
  };

  #glance(): void {
    const end = performance.now() + GLANCE;
    do {
      for (let i = 0; i < 16; i++) if (this.hasNext) return this.#glances.paid();
    } while (performance.now() < end);
    this.#glances.missed();
  }

  #goOn(): void {
    if (this.owed === 0 || this.owed > FEW) return this.#rest();
    const now = performance.now();
    if (this.#fresh) {
      this.#fresh = false;
      this.#until = now + LOOK;
    } else if (now > this.#until) {
      this.#looks.missed();
      return this.#rest();
    }
    nextTurn(this.#turn);
  }

  /** Sleeps, unless there is something to read. */
  #rest(): void {
    this.#looking = !this.asleep();
    if (this.#looking) nextTurn(this.#turn);
  }
}

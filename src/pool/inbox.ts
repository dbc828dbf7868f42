// What comes from one worker, on its way to the scheduler. `onReport` of the program may be slower than the task that reports:
// then what it does not get in this turn of the event loop waits for the next one, and everything behind it, so that timers
// of the program fire meanwhile, and the order stays.

import { atNextTurn } from "../wire/blocking.ts";
import type { ChannelEvents, WorkerExit } from "../wire/channel.ts";
import { type FromWorker, readFromWorker, type Said } from "../wire/messages.ts";
import { ownValue } from "../wire/parts.ts";

/** How long reports of one worker are passed on in one turn, in milliseconds. */
const TURN = 8;

/** How many of them are passed on between two looks at the clock at most; one by one when that takes longer, in milliseconds. */
const MOST = 64, LONG = 0.5;

type Reported = Extract<Said, { kind: "reports" }>;

/** Passes on what one worker says. */
export class Inbox implements ChannelEvents {
  readonly #events: ChannelEvents;
  readonly #heard: (messages: number, waiting: boolean) => void;
  readonly #isLeaving: () => boolean;
  #waiting: FromWorker[] = [];
  #exit: WorkerExit | undefined;
  /** How long reports were passed on in this turn, how many messages with them, and whether a next turn is to come. */
  #spent = 0;
  #messages = 0;
  #turnComes = false;
  #step = 1;
  /** The worker is being ended, and reports had waited: neither they nor later ones are passed on. */
  #drops = false;

  /**
   * @param events Gets everything.
   * @param heard Called once in each turn in which there were reports: with how many messages of them were passed on, and
   *   whether others wait.
   * @param isLeaving Whether the worker was asked to end: what has waited is of no interest then.
   */
  constructor(events: ChannelEvents, heard: (messages: number, waiting: boolean) => void, isLeaving: () => boolean) {
    this.#events = events;
    this.#heard = heard;
    this.#isLeaving = isLeaving;
  }

  onMessage(message: FromWorker): void {
    if (this.#waiting.length > 0) this.#waiting.push(message);
    else if (!isReports(message)) this.#events.onMessage(message);
    else {
      this.#waiting.push(message);
      this.#passOn();
    }
  }

  onClose(exit: WorkerExit): void {
    if (this.#waiting.length > 0) this.#exit = exit;
    else this.#events.onClose(exit);
  }

  #passOn(): void {
    this.#expectTurn();
    while (this.#waiting.length > 0) {
      if (this.#spent > TURN) return;
      // Code of the user may block in the middle, and come here again: what is being passed on is not here any more.
      const message = this.#waiting.shift()!;
      const reported = isReports(message) ? readFromWorker(message) : undefined;
      if (reported?.kind === "reports") this.#report(reported);
      else this.#events.onMessage(message);
    }
    const exit = this.#exit;
    this.#exit = undefined;
    if (exit) this.#events.onClose(exit);
  }

  #report({ call, values }: Reported): void {
    if (this.#drops) return;
    const rest = values.slice(this.#step);
    if (rest.length > 0) this.#waiting.unshift({ kind: "reports", call, values: rest });
    else this.#messages++;
    const begun = performance.now();
    this.#events.onMessage({ kind: "reports", call, values: rest.length > 0 ? values.slice(0, this.#step) : values });
    const took = performance.now() - begun;
    this.#spent += took;
    this.#step = took > LONG ? 1 : Math.min(MOST, 2 * this.#step);
  }

  #expectTurn(): void {
    if (this.#turnComes) return;
    this.#turnComes = true;
    atNextTurn(() => {
      this.#turnComes = false;
      this.#spent = 0;
      if (this.#waiting.length > 0) {
        this.#drops ||= this.#isLeaving();
        this.#passOn();
      }
      const messages = this.#messages;
      this.#messages = 0;
      this.#heard(messages, this.#waiting.length > 0);
    });
  }
}

/** Whether a message is of reports, or says so: it may be anything, and nothing of it is called. */
function isReports(message: FromWorker): boolean {
  return typeof message === "object" && message !== null && !Array.isArray(message) &&
    ownValue(message, "kind") === "reports";
}

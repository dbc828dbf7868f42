// The parent's end of a line of shared memory (line.ts): it looks for answers while they are expected soon.

import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { Bell } from "../wire/bell.ts";
import { nextTurn } from "../wire/turn.ts";
import { countCalls, Habit, type InitWithLine, Line, newLine, type ReplyTo, type Wire } from "./line.ts";
import { PaceMaker } from "./pace.ts";

/** How long it looks for an answer once per turn of the event loop, in milliseconds. */
const LOOK = 0.06;

/** The same for what a worker that sleeps will say, when somebody waits for it: to wake up on a core of its own takes 70 µs. */
const WAKING = 0.15;

/**
 * How long it looks now and then when no look pays, in milliseconds. When both sides are on one core, a worker gets the other
 * one only after a tick or two of the kernel; then calls one after another are some ten times as fast. With it, the median
 * of rounds of 5,000 such calls on two quiet cores is 1.8 times as high on Bun 1.4, and the same on Node 24 and Deno 2.9.
 */
const LONG_LOOK = 5;

/** Time between two of these, in milliseconds: it doubles from the first to the last. On one core, each is in vain. */
const FIRST_PAUSE = 100, LAST_PAUSE = 4000;

/** How long it looks without letting the event loop come round, right after calls were sent, in milliseconds. */
const GLANCE = 0.02;

/** How long it lives from glances until the event loop has to come round, in milliseconds. */
const STRETCH = 1.5;

/** How many calls are sent without a look at most, when looks do not pay. */
const RARELY = 256;

/** The parent's end of the line to a thread. */
export class ParentLine extends Line<ToWorker, FromWorker> {
  /** Where the worker posts, if not to the thread's own line; given away with the first message. */
  #replyTo: ReplyTo | undefined;
  /** Pages that are not isolated from other origins have none: everything is posted. */
  readonly #memory: SharedArrayBuffer | undefined;
  /** Keeps the worker's reports at the pace of this side. */
  readonly #paceMaker: PaceMaker | undefined;
  readonly #looks = new Habit(RARELY);
  readonly #glances = new Habit(RARELY);
  /** Whether it looks, or will soon. */
  #looking = false;
  /** Whether the worker was awake when the last call was sent. */
  #wasHeard = false;
  /** Whether something was sent or has come since the last turn, and until when it looks otherwise. */
  #fresh = false;
  #until = 0;
  /** When it looks for long again, and the time between that and the next. */
  #nextLong = 0;
  #longPause = FIRST_PAUSE;
  /** When the event loop came round for the last time, as far as is known. */
  #turnedAt = 0;

  /**
   * @param wire The line of the thread.
   * @param deliver Gets each message that comes. What is no message comes as `undefined`: a task may have forged it.
   * @param replyTo Where the worker posts.
   */
  constructor(wire: Wire<ToWorker>, deliver: (message: FromWorker) => void, replyTo?: ReplyTo) {
    super(wire);
    this.#replyTo = replyTo;
    if (replyTo) this.ring(new Bell(replyTo.ownBell));
    this.deliverTo((message) => {
      this.#note(message);
      deliver(message);
    });
    if (typeof SharedArrayBuffer !== "function") return;
    this.#memory = newLine();
    this.open(this.#memory, "parent");
    this.#paceMaker = new PaceMaker();
  }

  /** So many messages with reports were heard. */
  heard(messages: number): void {
    this.#paceMaker?.heard(messages);
  }

  /** The worker is being ended: what its task reports is dropped, and stops the task. */
  refuseReports(): void {
    this.#paceMaker?.end();
  }

  send(message: ToWorker, transfer?: Transferable[]): void {
    if (!this.#memory) return this.post(message, transfer);
    if (message.kind === "init") {
      const replyTo = this.#replyTo;
      const init: InitWithLine = {
        ...message,
        line: this.#memory,
        pace: this.#paceMaker?.shared,
        ...(replyTo && { replyTo }),
      };
      return this.post(init, replyTo && [replyTo.port]);
    }
    const count = message.kind === undefined
      ? countCalls(message)
      : message.kind === "run"
      ? countCalls(message.calls)
      : 0;
    const isHeard = this.pass(message, transfer);
    if (count === 0) return;
    this.owed += count;
    this.#fresh = true;
    this.#wasHeard = isHeard;
    if (this.#looking || !this.#looks.isWorthwhile()) return;
    this.#looking = true;
    this.awake();
    // A worker that sleeps takes longer to wake up than a glance.
    if (isHeard && this.#glances.isWorthwhile()) queueMicrotask(this.#glance);
    else nextTurn(this.#turn);
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
    this.#turnedAt = performance.now();
    const isOurs = super.take(received);
    if (isOurs && !this.#looking) this.#rest();
    return isOurs;
  }

  /** Stays awake until the event loop comes round: a blocking wait reads (polled_port.ts). */
  attend(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.awake();
    nextTurn(this.#turn);
  }

  /** Reads what is there in a blocking wait, even within the delivery of another message. */
  poll(): boolean {
    return this.readWithin();
  }

  /** Whether the worker has posted something that was not taken. */
  get hasMail(): boolean {
    return this.hasPost;
  }

  /** Somebody waits for what the worker sends next. */
  expect(): void {
    this.#wasHeard = this.isHeard();
    if (!this.#looking && !this.#looks.isWorthwhile()) return;
    this.attend();
    if (!this.#wasHeard) {
      this.#fresh = false;
      this.#until = performance.now() + WAKING;
    } else if (this.#glances.isWorthwhile()) queueMicrotask(this.#peek);
  }

  /** Looks for a moment at the end of the tick. */
  readonly #glance = (): void => {
    this.#peek();
    this.#goOn();
  };

  readonly #peek = (): void => {
    const start = performance.now(), end = start + GLANCE;
    if (start - this.#turnedAt < STRETCH) {
      let found = false;
      do {
        for (let i = 0; i < 16 && !found; i++) found = this.hasNext;
      } while (!found && performance.now() < end);
      if (found) this.#glances.paid();
      else this.#glances.missed();
      this.readAll();
    }
  };

  /** Looks once in this turn of the event loop. */
  readonly #turn = (): void => {
    this.#turnedAt = performance.now();
    this.readAll();
    this.#goOn();
  };

  #goOn(): void {
    if (this.owed === 0) return this.#rest();
    const now = performance.now();
    if (this.#fresh) {
      this.#fresh = false;
      this.#until = now + LOOK;
    } else if (now > this.#until) {
      if (now < this.#nextLong) {
        this.#looks.missed();
        return this.#rest();
      }
      this.#until = now + LONG_LOOK;
      this.#longPause = Math.min(2 * this.#longPause, LAST_PAUSE);
      this.#nextLong = now + this.#longPause;
    }
    nextTurn(this.#turn);
  }

  /** Sleeps, unless there is something to read. */
  #rest(): void {
    this.#looking = !this.asleep();
    if (this.#looking) nextTurn(this.#turn);
  }
}

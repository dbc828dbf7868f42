// The worker's end of a line of shared memory (line.ts): when it has answered everything, it looks for more calls for a moment;
// when a stream is as far ahead as it may be, for the word that it may go on.

import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { Bell } from "../wire/bell.ts";
import { endAsUnreadable } from "../wire/sendable.ts";
import { nextTurn } from "../wire/turn.ts";
import { countCalls, Habit, type InitWithLine, Line, type ReplyTo, type Wire } from "./line.ts";
import { Pace } from "./pace.ts";

/** How long it looks for the next call, in milliseconds. */
const LOOK = 0.05;

/**
 * The same for a parent that may block, and how long it sleeps then, in milliseconds: to wake up from that takes a few
 * microseconds, from the event loop some 50.
 */
const GLANCE = 0.01, NAP = 1;

/** How long it works until the event loop has to come round, in milliseconds. */
const STRETCH = 2;

/** How many times it does not look at most, when looks do not pay. It looks only when the parent does, which is the rarer. */
const RARELY = 6;

/** The same before it sleeps for a parent that may block. */
const RARELY_GLANCE = 256;

/** The worker's end of the line to the parent. */
export class WorkerLine extends Line<FromWorker, ToWorker> {
  readonly #looks = new Habit(RARELY);
  /** Looks before it sleeps for a parent that may block. */
  readonly #glances = new Habit(RARELY_GLANCE);
  /** Whether the parent was awake when it was answered: it will soon know, and may have another call. */
  #wasHeard = false;
  /** Whether it reads, or looks, or will soon. */
  #working = false;
  /** When the event loop came round for the last time, as far as is known. */
  #turnedAt = 0;

  /** Keeps reports at the pace of the parent. */
  #pace: Pace | undefined;
  /** What the parent rings, if it may block. */
  #bell: Bell | undefined;
  readonly #wireOver: (port: MessagePort) => Wire<FromWorker>;

  /**
   * @param wire The line of the thread.
   * @param wireOver Makes one of a port.
   */
  constructor(wire: Wire<FromWorker>, wireOver: (port: MessagePort) => Wire<FromWorker>) {
    super(quietly(wire));
    this.#wireOver = wireOver;
  }

  /** The parent may block: it gets everything through a port that it can read then, and hears a bell. */
  #replyTo({ port, bell: memory, ownBell: ownMemory }: ReplyTo): void {
    this.reroute(quietly(this.#wireOver(port)));
    this.ring(new Bell(memory));
    this.#bell = new Bell(ownMemory);
  }

  /** Starts to pass the parent's messages to `deliver`. Called once, before any comes. */
  receive(deliver: (message: ToWorker) => void): void {
    this.deliverTo((message) => {
      if (message === undefined) endAsUnreadable(undefined);
      if (message.kind === undefined) this.owed += countCalls(message);
      else if (message.kind === "run") this.owed += countCalls(message.calls);
      else if (message.kind === "init") {
        const { line, pace, replyTo } = message as InitWithLine;
        if (line) this.open(line, "worker");
        if (pace) this.#pace = new Pace(pace);
        if (replyTo) this.#replyTo(replyTo);
      }
      deliver(message);
    });
  }

  send(message: FromWorker, transfer?: Transferable[]): void {
    let count = 0;
    if (message.kind === undefined) count = message.length - 2;
    else if (message.kind === "done") count = message.results.length;
    else if (message.kind === "reports") this.#pace?.keep();
    // What a task throws, or returns, after it was told that its worker is being ended is no outcome of its call.
    if (this.#pace?.hasRefused && message.kind !== "bye") return;
    this.owed = Math.max(0, this.owed - count);
    const isIdle = !this.#working && count > 0 && this.owed === 0;
    if (isIdle) this.awake(); // before the parent can answer
    const isHeard = this.pass(message, transfer);
    if (count > 0) this.#wasHeard = isHeard;
    if (!isIdle) return;
    this.#working = true;
    queueMicrotask(this.#work);
  }

  /** Stays awake until the event loop comes round. */
  attend(): void {
    if (this.#working || !this.isHeard()) return;
    this.#working = true;
    this.awake();
    nextTurn(this.#comeBack);
  }

  /** Reads what there is, or comes within a moment, even within the delivery of a message; whether there was something. */
  look(): boolean {
    if (this.readWithin()) return true;
    return this.isHeard() && this.#await() && this.readWithin();
  }

  override take(received: unknown): boolean {
    this.#turnedAt = performance.now();
    const wasWorking = this.#working;
    this.#working = true;
    this.awake();
    const isOurs = super.take(received);
    if (!wasWorking) this.#work();
    return isOurs;
  }

  /** Reads what there is, and looks for more. */
  readonly #work = (): void => {
    for (;;) {
      while (this.next()) if (this.#isLate()) return void nextTurn(this.#comeBack);
      if (this.owed === 0 && this.#wasHeard && this.#looks.isWorthwhile()) {
        if (this.#isLate()) return void nextTurn(this.#comeBack);
        if (this.#look()) continue;
      }
      if (this.asleep()) break;
    }
    this.#working = false;
  };

  /** Whether the event loop has to come round. */
  #isLate(): boolean {
    return performance.now() - this.#turnedAt > STRETCH;
  }

  readonly #comeBack = (): void => {
    this.#turnedAt = performance.now();
    this.#work();
  };

  /** Looks for a moment; whether there is something to read. */
  #look(): boolean {
    const found = this.#await();
    if (found) this.#looks.paid();
    else if (!this.hasPost) this.#looks.missed();
    return found;
  }

  #await(): boolean {
    return this.#bell ? this.#nap(this.#bell) : this.#spin(LOOK);
  }

  #spin(most: number): boolean {
    const start = performance.now();
    do {
      for (let i = 0; i < 16; i++) if (this.hasNext) return true;
    } while (!this.hasPost && performance.now() - start < most);
    return false;
  }

  /** Sleeps until a parent that may block sends something; whether it is an entry. The core may be the parent's only one. */
  #nap(bell: Bell): boolean {
    if (this.#glances.isWorthwhile()) {
      if (this.#spin(GLANCE)) {
        this.#glances.paid();
        return true;
      }
      this.#glances.missed();
    }
    const rings = bell.rings;
    if (!this.hasNext && !this.hasPost) bell.sleep(rings, NAP);
    return this.hasNext;
  }
}

/** Its entry is written when it wakes the other side, so that is not an error to whoever has sent it. */
function quietly({ post, wake }: Wire<FromWorker>): Wire<FromWorker> {
  return {
    post,
    wake(message) {
      try {
        wake(message);
      } catch {
        // A task has closed the line of the thread, which ends.
      }
    },
  };
}

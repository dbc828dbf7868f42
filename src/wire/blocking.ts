// What a blocking wait (src/sync/) needs of everything below it. While it blocks, no event, timer or microtask of the runtime
// comes; so the parts of an executor tell here what they wait for, once somebody has imported `@concurrent/futures/sync`.
// Programs that never do pay for one look at `isWanted`.
//
// Code of the user may block anywhere: in a done callback, within a message that is being delivered. What that message still
// has to say is then said first (`unfinished`), so that the order stays.

import { Bell } from "./bell.ts";
import { nextTurn } from "./turn.ts";

/** Why a worker whose line cannot be read by a blocking wait has none. */
export const TOO_EARLY =
  'its workers were started before "@concurrent/futures/sync" was imported, which has to be imported first';

/** A line that can be read while the thread blocks. */
export interface Polled {
  /** Prepares for being read: a blocking wait begins, or goes on. */
  attend(): void;
  /** Delivers what has come; returns whether there was something. */
  poll(): boolean;
  /** Whether it is about to end, and has to be looked at often. */
  readonly ending: boolean;
}

/** What is called later, by the runtime or by a blocking wait. */
class Later {
  readonly #defer: (fn: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  /** How many calls of the runtime are to come. One that a blocking wait was faster than is left to the next. */
  #due = 0;

  constructor(defer: (fn: () => void) => void) {
    this.#defer = defer;
  }

  add(fn: () => void): void {
    this.#waiting.push(fn);
    if (this.#due >= this.#waiting.length) return;
    this.#due++;
    this.#defer(this.#come);
  }

  readonly #come = (): void => {
    this.#due--;
    this.#waiting.shift()?.();
  };

  /** Calls what waits, but not what is added meanwhile; returns whether there was something. */
  run(): boolean {
    const count = this.#waiting.length;
    for (let i = 0; i < count; i++) this.#waiting.shift()?.();
    return count > 0;
  }
}

/** A timer that a blocking wait can fire. */
export interface DueTimer {
  readonly deadline: number;
  fire(): void;
}

/** What a thread that blocks has to do. */
class Blocking {
  readonly bell: Bell = new Bell();
  readonly lines: Set<Polled> = new Set();
  readonly timers: Set<DueTimer> = new Set();
  readonly ticks: Later = new Later(queueMicrotask);
  readonly turns: Later = new Later(nextTurn);
  /** The rests of messages that are being delivered, the innermost last. */
  readonly unfinished: (() => void)[] = [];
  /** How many blocking waits there are, one within another. */
  depth = 0;
  /** No timer is due before. */
  #nextDue = 0;

  addTimer(timer: DueTimer): void {
    this.timers.add(timer);
    this.#nextDue = Math.min(this.#nextDue, timer.deadline);
  }

  /** Does what is to be done; returns whether there was something. */
  advance(): boolean {
    const { unfinished, lines } = this;
    let found = false;
    // The innermost last, as the others wait for it, too; each is done by whoever comes first.
    for (const rest of [...unfinished]) rest();
    if (this.ticks.run()) found = true;
    if (performance.now() >= this.#nextDue && this.#fire()) found = true;
    for (const line of lines) {
      line.attend();
      if (line.poll()) found = true;
    }
    if (this.ticks.run()) found = true;
    if (this.turns.run()) found = true;
    return found;
  }

  #fire(): boolean {
    const now = performance.now(), due: DueTimer[] = [];
    this.#nextDue = Infinity;
    for (const timer of this.timers) {
      if (timer.deadline <= now) due.push(timer);
      else this.#nextDue = Math.min(this.#nextDue, timer.deadline);
    }
    due.sort((a, b) => a.deadline - b.deadline);
    for (const timer of due) if (this.timers.delete(timer)) timer.fire();
    return due.length > 0;
  }

  /** How long there is nothing to do by itself, in milliseconds. */
  get idleFor(): number {
    return this.#nextDue - performance.now();
  }

  get hasEnding(): boolean {
    for (const line of this.lines) if (line.ending) return true;
    return false;
  }
}

/** Set by the import of `@concurrent/futures/sync`. */
let blocking: Blocking | undefined;

/** Says that this program blocks: workers that start from now on can be waited for without the event loop. */
export function wantBlocking(): void {
  blocking ??= new Blocking();
}

/** What a thread that blocks has to do; `undefined` in a program that never does. */
export function blockingHere(): Blocking | undefined {
  return blocking;
}

/** Calls `fn` at the end of the tick, or in a blocking wait. */
export function atTickEnd(fn: () => void): void {
  if (blocking) blocking.ticks.add(fn);
  else queueMicrotask(fn);
}

/** Calls `fn` in the next turn of the event loop, or in a blocking wait. */
export function atNextTurn(fn: () => void): void {
  if (blocking) blocking.turns.add(fn);
  else nextTurn(fn);
}

/**
 * Does several things in a row, within each of which code of the user may block: then that does the others first.
 *
 * @param rest Does what is not done yet.
 */
export function inOneGo(rest: () => void): void {
  if (!blocking) return rest();
  const { unfinished } = blocking;
  unfinished.push(rest);
  try {
    rest();
  } finally {
    const at = unfinished.lastIndexOf(rest);
    if (at >= 0) unfinished.splice(at, 1);
  }
}

/** Calls `act` with each item, under the terms of {@linkcode inOneGo}. */
export function eachInOneGo<T>(items: Iterable<T>, act: (item: T) => void): void {
  const iterator = items[Symbol.iterator]();
  inOneGo(() => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) act(next.value);
  });
}

/** How an iterator of this package gives its next result without a promise. */
export const TAKE: unique symbol = Symbol("take");

/** An iterator that a blocking wait can read. */
export interface Takeable<T> {
  /**
   * The next result; `undefined` while it is not there.
   *
   * @throws what `next()` would reject with.
   */
  [TAKE](): IteratorResult<T> | undefined;
  /** Why it cannot be waited for without the event loop. */
  readonly refusesToBlock: string | undefined;
}

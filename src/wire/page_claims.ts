// The claims of processes, in a page: bytes that both sides read and write by system calls, some 1 µs each (Node 24, Deno 2.9,
// Bun 1.4). It has two rings, each with a byte for each call, and each written by one side only:
//
//   announced   by the worker: it is about to begin this call
//   withdrawn   by the parent: the worker shall not begin this call
//
// Each side writes its byte first, and looks at the other's afterwards. So at least one of them sees what the other has
// written: the worker skips a call that it finds withdrawn; the parent has withdrawn a call that it does not find announced.
// When both see it, the worker has skipped the call and the parent counts it as begun: the worker says in its answer what it
// has skipped, and such a call, which has never run, is handed over again.
//
// A worker announces several calls at once, as long as they are short, and the bytes of a ring are written and read together.
// It may take an announcement back, of calls that it has not begun: before it begins one of those, it announces it anew, and
// looks again. So the parent may rely on what it has found for as long as its own byte stays.
//
// A byte holds the lap of the ring, so that the bytes of earlier calls mean nothing and need not be erased. There are no
// larger numbers in a page: a reader could see half of one.
//
// tests/properties/claims_model_test.ts tries every order of these reads and writes.

import {
  CALL_MASK,
  CALLS_PER_WORKER,
  type ParentClaims,
  type SharedClaims,
  type Upcoming,
  type WorkerClaims,
} from "./claims.ts";

/**
 * Bytes that a parent and its worker process share. They are read and written in the order in which the code says so: when
 * each of two sides writes a byte and reads the other's, at least one of them reads what the other has written.
 */
export interface Page {
  /** Reads bytes from `at + start` on into `bytes`, from `start` on. Throws when it cannot. */
  read(at: number, bytes: Uint8Array, start: number, count: number): void;
  /** Writes bytes from `start` on to `at + start`. Throws when it cannot. */
  write(at: number, bytes: Uint8Array, start: number, count: number): void;
}

/** The parent's end of a page. */
export interface OwnPage extends Page {
  /** The number of its descriptor in the worker. */
  readonly shared: number;
  close(): void;
}

/** Where the two rings are in a page, and how long it is. */
const ANNOUNCED = 0, WITHDRAWN = CALLS_PER_WORKER;
export const PAGE_SIZE: number = 2 * CALLS_PER_WORKER;

/** The byte of no call. */
const NONE = 0;

/** The byte of a call in its slot. It comes again 255 laps later. */
function lapOf(call: number): number {
  return 1 + (call >>> 12) % 255;
}

type Move = (at: number, bytes: Uint8Array, start: number, count: number) => void;

/** Reads or writes the slots of `count` calls from `first` on, in one piece or, around the end of the ring, in two. */
function move(act: Move, at: number, ring: Uint8Array, first: number, count: number): void {
  const start = first & CALL_MASK, fits = Math.min(count, CALLS_PER_WORKER - start);
  act(at, ring, start, fits);
  if (fits < count) act(at, ring, 0, count - fits);
}

/** The parent's end of the claims of a process. */
export class PageClaims implements ParentClaims {
  readonly shared: SharedClaims;
  readonly #page: OwnPage;
  /** What was read of the worker's ring at last. */
  readonly #announced = new Uint8Array(CALLS_PER_WORKER);
  /** What this end has written. */
  readonly #withdrawn = new Uint8Array(CALLS_PER_WORKER);
  /** The laps of calls that the worker may have skipped. */
  readonly #doubtful = new Uint8Array(CALLS_PER_WORKER);
  /** The page cannot be read or written any more: the worker has what it was offered. */
  #isBroken = false;
  readonly #read: Move;
  readonly #write: Move;

  constructor(page: OwnPage) {
    this.#page = page;
    this.shared = page.shared;
    this.#read = (at, bytes, start, count) => page.read(at, bytes, start, count);
    this.#write = (at, bytes, start, count) => page.write(at, bytes, start, count);
  }

  offer(call: number): void {
    const slot = call & CALL_MASK;
    this.#doubtful[slot] = NONE;
    // A call that was withdrawn before it was sent has left its number to this one. Most others cost nothing.
    const withdrawn = this.#withdrawn[slot];
    if (withdrawn !== NONE && withdrawn === lapOf(call)) this.#try(() => this.#takeBack([call]));
  }

  withdraw(call: number): boolean {
    return this.withdrawYoungest([call]) === 1;
  }

  withdrawYoungest(calls: readonly number[]): number {
    return this.#try(() => {
      // Only to spare calls that have certainly begun: nothing is withdrawn by this look.
      const free = calls.slice(0, this.#countFree(calls));
      if (free.length === 0) return 0;
      for (const call of free) this.#withdrawn[call & CALL_MASK] = lapOf(call);
      this.#writeDown(free);
      const count = this.#countFree(free);
      const begun = free.slice(count);
      if (begun.length > 0) {
        for (const call of begun) this.#doubtful[call & CALL_MASK] = lapOf(call);
        this.#takeBack(begun);
      }
      return count;
    }) ?? 0;
  }

  hasBegun(call: number): boolean {
    return this.#try(() => this.#countFree([call]) === 0) ?? true;
  }

  mayHaveSkipped(call: number): boolean {
    return this.#doubtful[call & CALL_MASK] === lapOf(call);
  }

  close(): void {
    this.#isBroken = true;
    this.#page.close();
  }

  /** Does something with the page; `undefined` when that fails. */
  #try<T>(action: () => T): T | undefined {
    if (this.#isBroken) return undefined;
    try {
      return action();
    } catch {
      this.#isBroken = true;
      return undefined;
    }
  }

  /** How many of these calls, the first ones, the worker has not announced. */
  #countFree(calls: readonly number[]): number {
    const [last] = calls, first = calls.at(-1);
    if (last === undefined || first === undefined) return 0;
    move(this.#read, ANNOUNCED, this.#announced, first, last - first + 1);
    let count = 0;
    while (count < calls.length && this.#announced[calls[count]! & CALL_MASK] !== lapOf(calls[count]!)) count++;
    return count;
  }

  /** Writes the bytes of these calls, and of those between them, which were withdrawn before and stay so. */
  #writeDown(calls: readonly number[]): void {
    const first = calls.at(-1)!;
    move(this.#write, WITHDRAWN, this.#withdrawn, first, calls[0]! - first + 1);
  }

  /** Calls are not withdrawn any more. */
  #takeBack(calls: readonly number[]): void {
    for (const call of calls) this.#withdrawn[call & CALL_MASK] = NONE;
    this.#writeDown(calls);
  }
}

/**
 * How many calls a process announces at once, at most, and how long those may take together, in milliseconds. An announcement
 * takes two system calls, 2.1 to 4.4 µs (Node 24, Deno 2.9, Bun 1.4): with 64, 0.04 to 0.06 µs for each call that does nothing.
 */
const LARGEST_BATCH = 128, BATCH_TIME = 0.2;

/**
 * A batch is at most one in this many of the short calls in a row before it: that is what gets stuck behind a call that takes
 * long unexpectedly, and can then be neither cancelled nor run elsewhere.
 */
const STRETCH = 16;

/**
 * A batch that takes longer, in milliseconds, had a call that takes long; less may be the garbage collector. The batches after
 * it are half as large, and after a second one a quarter: so a process that merely had to wait for a core, on a busy machine,
 * is soon as fast as before.
 */
const LONG = 1;

/** A process's end of its claims. */
export class PageClaimsOfWorker implements WorkerClaims {
  readonly #page: Page;
  readonly #announced = new Uint8Array(CALLS_PER_WORKER);
  readonly #withdrawn = new Uint8Array(CALLS_PER_WORKER);
  /** The call after the last one that was begun, or skipped. */
  #next = 0;
  /** The call after the last one that is announced, and the byte of those that are: a batch is in one lap. */
  #end = 0;
  #lap = NONE;
  /** The first call of the batch, and when that began; `undefined` when no clock runs. */
  #first = 0;
  #since: number | undefined;
  /** How many calls in a row were short. */
  #streak = 0;
  /** How long those take on average, in milliseconds. */
  #average = 0;

  constructor(page: Page) {
    this.#page = page;
  }

  begin(call: number, message: Upcoming | undefined): boolean {
    if (call >= this.#end) this.#announce(call, message);
    this.#next = call + 1;
    return this.#withdrawn[call & CALL_MASK] !== this.#lap;
  }

  #announce(call: number, message: Upcoming | undefined): void {
    const now = performance.now();
    this.#learn(now, call - this.#first);
    const start = call & CALL_MASK, size = message ? this.#sizeOf(message, start) : 1;
    this.#lap = lapOf(call);
    this.#announced.fill(this.#lap, start, start + size);
    this.#page.write(ANNOUNCED, this.#announced, start, size);
    this.#page.read(WITHDRAWN, this.#withdrawn, start, size);
    this.#first = call;
    this.#end = call + size;
    this.#since = now;
  }

  #sizeOf(message: Upcoming, start: number): number {
    const most = Math.min(
      1 + Math.floor(this.#streak / STRETCH),
      Math.max(1, Math.floor(BATCH_TIME / this.#average)),
      LARGEST_BATCH,
      CALLS_PER_WORKER - start, // a batch is in one lap
    );
    return most > 1 ? message.countAhead(most) : 1;
  }

  /** Learns from the calls of the batch how many to announce at once. */
  #learn(now: number, count: number): void {
    if (this.#since === undefined || count <= 0) return;
    const elapsed = now - this.#since;
    this.#since = undefined;
    if (elapsed > LONG) this.#streak >>= 1;
    else this.#streak = Math.min(this.#streak + count, STRETCH * LARGEST_BATCH);
    this.#average = elapsed / count;
  }

  look(now: number): void {
    if (this.#since === undefined || now - this.#since < LONG) return;
    this.#learn(now, this.#next - this.#first);
    this.pause();
  }

  pause(): void {
    this.#since = undefined;
    const next = this.#next, count = this.#end - next;
    if (count <= 0) return;
    const start = next & CALL_MASK;
    this.#end = next;
    this.#announced.fill(NONE, start, start + count);
    this.#page.write(ANNOUNCED, this.#announced, start, count);
  }
}

// Executor.map(): items in, calls out, results in again. A call of it costs no Future, as nobody could see one, and is not
// even made before its turn comes (map_call.ts).
//
// Code of the user runs in the middle of things: when an input is read or closed, when an item is copied that has a getter,
// when a signal aborts. It may do anything, and call next() and return() of this very iteration. So whenever it runs, all
// that #assertInvariants() lists holds, and after it has run, nothing is taken for granted: `#over` and `#inputEnd` are read
// again.

import type { CallSettings } from "./call_options.ts";
import type { Core } from "./core.ts";
import { CancelledError, TimeoutError } from "./errors.ts";
import { FULFILLED, type MapOwner, type MappedCall, MapSupply, REJECTED, WAITING } from "./map_call.ts";
import type { MapArguments, MapIterator, MapSettings } from "./map_options.ts";
import type { Task } from "./task_table.ts";
import { startTimer, type Timer } from "./timer.ts";
import { END, Source } from "./zip.ts";

/** Items that are put into the queue in one go, at most: the first by itself, so that it starts at once, then twice as many each time. */
const LARGEST_SUPPLY = 1024;

declare function setImmediate(fn: () => void): unknown;

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: unknown): void;
}

/** For tests: throws unless an iteration of map() is consistent, as it is between any two of its steps. */
export let assertInvariants: (results: MapIterator<unknown>) => void;

/** The iteration of one map(). */
export class Mapping<T> implements MapIterator<T> {
  readonly #core: Core;
  readonly #options: MapSettings;
  readonly #deadline: number;
  readonly #source: Source;
  readonly #owner: MapOwner;
  /** Items that are read ahead at most. */
  readonly #capacity: number;
  /** Made and not taken yet, oldest first, from `#taken` on. */
  #calls: MappedCall[] = [];
  #taken = 0;
  /** With `ordered: false`: made and not done; done and not taken yet. */
  readonly #pending = new Set<MappedCall>();
  #ready: MappedCall[] = [];
  #readyTaken = 0;
  /** Items that were submitted and whose results were not taken. */
  #outstanding = 0;
  /** Items that were read and not submitted: with `chunksize`, the chunk that is being filled. */
  #items: unknown[] = [];
  /** How many are submitted together. */
  #together = 1;
  /** What may still wait in the queue, oldest first. */
  readonly #supplies: MapSupply[] = [];
  /** Whether somebody reads: one at a time. It is in the middle of it, or waits for an item, for room or for another turn. */
  #reading: undefined | "now" | "item" | "room" | "turn";
  /** Whether it hears of the end of this turn of the event loop, and how much an async input has given in it. */
  #turnArmed = false;
  #readInTurn = 0;
  /** No more items come: the input has ended, or failed with this. */
  #inputEnd: { readonly error?: unknown; readonly failed: boolean } | undefined;
  #over = false;
  /** It has ended for a reason, and nobody has been told. */
  #stopped: { readonly reason: unknown } | undefined;
  #waiters: Waiter<T>[] = [];
  #serving = false;
  #timer: Timer | undefined;
  readonly #onAbort = () => this.#stop(this.#options.signal!.reason);

  static {
    assertInvariants = (results) => (results as Mapping<unknown>).#assertInvariants();
  }

  constructor(core: Core, task: Task, settings: CallSettings | undefined, { inputs, options }: MapArguments) {
    const { timeout, chunksize, buffersize, signal } = options;
    this.#core = core;
    this.#options = options;
    this.#deadline = performance.now() + timeout;
    this.#capacity = buffersize * chunksize;
    this.#together = chunksize;
    signal?.throwIfAborted();
    const source = this.#source = new Source(inputs);
    this.#owner = {
      task,
      settings,
      toArguments: (item) => source.toArguments(item),
      drawn: (call) => this.#drawn(call),
      completed: (call) => this.#completed(call),
    };
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort(); // while the inputs were opened
    this.#read();
    // Nothing was accepted and nothing can be delivered first: the caller learns it at the call.
    if (this.#inputEnd?.failed && !this.#over && (this.#outstanding === 0 || buffersize === Infinity)) {
      this.#finish();
      throw this.#inputEnd.error;
    }
  }

  /** The next result. */
  next(): Promise<IteratorResult<T>> {
    if (this.#waiters.length === 0) {
      const call = this.#takeReady();
      if (call) {
        if (call.state === FULFILLED || this.#options.settled) {
          const value = this.#valueOf(call);
          this.#read();
          return Promise.resolve({ value, done: false });
        }
        return Promise.reject(this.#failWith(call));
      }
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serve();
    });
  }

  /** Ends the iteration: what has not begun is cancelled, what runs finishes and is dropped. */
  return(): Promise<IteratorResult<T>> {
    this.#stopped = undefined;
    this.#finish();
    this.#serve();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** As return(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  // --- reading

  /** Reads items and submits them, as many as there is room for. */
  #read(): void {
    if (this.#reading) return; // it is seen there how much is wanted now
    this.#reading = "now";
    const { room } = this.#core, inChunks = this.#inChunks;
    while (this.#wantsMore) {
      // A chunk is filled, however much waits.
      if (room.left <= (inChunks ? 0 : this.#items.length)) return void this.#readWhenThereIsRoom();
      if (this.#source.async) return this.#readAsync();
      try {
        this.#accept(this.#source.next());
      } catch (error) {
        this.#endInput(error);
      }
    }
    this.#reading = undefined;
    if (!inChunks) this.#submit();
    if (this.#waiters.length > 0) this.#serve();
  }

  get #wantsMore(): boolean {
    return !this.#over && !this.#inputEnd && this.#outstanding + this.#items.length < this.#capacity;
  }

  get #inChunks(): boolean {
    return this.#options.chunksize > 1;
  }

  #readAsync(): void {
    this.#armTurn();
    // One that never has to be waited for leaves the program its timers and its results nevertheless.
    this.#reading = this.#readInTurn < LARGEST_SUPPLY ? "item" : "turn";
    if (this.#reading === "item") (this.#source.next() as Promise<unknown>).then(this.#onItem, this.#onInputError);
  }

  readonly #onItem = (item: unknown) => {
    this.#reading = "now";
    this.#readInTurn++;
    this.#accept(item);
    this.#readOn();
  };

  readonly #onInputError = (error: unknown) => {
    this.#reading = "now";
    this.#endInput(error);
    this.#readOn();
  };

  /** Waits for room in the queue, as a submitter has to (`maxQueue`). */
  async #readWhenThereIsRoom(): Promise<void> {
    if (!this.#inChunks) this.#submit();
    this.#reading = "room";
    await this.#core.room.ready();
    this.#core.room.leave();
    this.#readOn();
  }

  #readOn(): void {
    this.#reading = undefined;
    this.#read();
  }

  /** An item was read, or the end. */
  #accept(item: unknown): void {
    if (this.#over || this.#inputEnd) return; // the input has ended the iteration meanwhile
    if (item === END) {
      this.#inputEnd = { failed: false };
      return this.#submit();
    }
    this.#items.push(item);
    if (this.#items.length >= this.#together) this.#submit();
    else this.#admit();
  }

  #endInput(error: unknown): void {
    if (this.#over || this.#inputEnd) return;
    this.#inputEnd = { failed: true, error };
    this.#submit();
  }

  /** Whether items are accepted still. If not, none is read any more. */
  #admit(): boolean {
    try {
      this.#core.admit();
      return true;
    } catch (error) {
      if (!this.#inputEnd?.failed) this.#inputEnd = { failed: true, error };
      this.#items = [];
      this.#source.close();
      return false;
    }
  }

  #armTurn(): void {
    if (this.#turnArmed) return;
    this.#turnArmed = true;
    setImmediate(this.#onTurnEnd);
  }

  /** What an async input has given in a turn of the event loop goes at the end of it; a chunk, when it would be waited for in vain. */
  readonly #onTurnEnd = () => {
    this.#turnArmed = false;
    this.#readInTurn = 0;
    if (!this.#inChunks || this.#waitsForChunk) this.#submit();
    if (this.#reading === "turn") return this.#readOn();
    if (!this.#inChunks) this.#together = 1;
    if (this.#waiters.length > 0) this.#serve();
  };

  /** Whether only the rest of a chunk is waited for, and the input waits, too, perhaps for the results of the first of it. */
  get #waitsForChunk(): boolean {
    return this.#reading === "item" && this.#waiters.length > 0 && this.#outstanding === 0 && this.#items.length > 0;
  }

  /** Submits the items that were read. */
  #submit(): void {
    if (this.#items.length === 0 || !this.#admit()) return;
    const items = this.#items, inChunks = this.#inChunks, supplies = this.#supplies;
    this.#items = [];
    this.#outstanding += items.length;
    if (!inChunks) this.#together = Math.min(this.#together * 2, LARGEST_SUPPLY);
    while (supplies[0]?.waiting === 0) supplies.shift();
    const supply = new MapSupply(this.#owner, items, inChunks);
    // Calls are made in the order of their items.
    if (items.length === 1 && supplies.length === 0) return this.#core.submit(supply.draw());
    supplies.push(supply);
    if (!this.#owner.settings) return this.#core.submit(supply);
    // Those that with() applies to are watched one by one.
    while (supply.waiting > 0) this.#core.submit(supply.draw());
  }

  // --- delivering

  #drawn(call: MappedCall): void {
    if (this.#options.ordered) this.#calls.push(call);
    else this.#pending.add(call);
  }

  #completed(call: MappedCall): void {
    if (this.#over) return;
    if (call.state === REJECTED) this.#core.unobserved.add(call, call.outcome);
    if (!this.#options.ordered) {
      this.#pending.delete(call);
      this.#ready.push(call);
    }
    if (this.#waiters.length > 0) this.#serve();
  }

  /** The call whose result is next, when it is there. */
  #takeReady(): MappedCall | undefined {
    let call: MappedCall | undefined;
    if (this.#options.ordered) {
      call = this.#calls[this.#taken];
      if (!call || call.state === WAITING) return undefined;
      this.#taken = drop(this.#calls, this.#taken);
    } else {
      call = this.#ready[this.#readyTaken];
      if (!call) return undefined;
      this.#readyTaken = drop(this.#ready, this.#readyTaken);
    }
    this.#outstanding--;
    if (call.state === REJECTED) this.#core.unobserved.remove(call);
    return call;
  }

  #valueOf(call: MappedCall): T {
    if (!this.#options.settled) return call.outcome as T;
    return (call.state === FULFILLED
      ? { status: "fulfilled", value: call.outcome }
      : { status: "rejected", reason: call.outcome }) as T;
  }

  /** A call has failed: the iteration is over (Python 3.14). */
  #failWith(call: MappedCall): unknown {
    const reason = call.outcome;
    this.#finish();
    return reason;
  }

  /** Gives those who wait what there is for them. */
  #serve(): void {
    if (this.#serving) return; // it is seen there who waits now
    this.#serving = true;
    while (this.#waiters.length > 0) {
      const call = this.#takeReady();
      if (!call) {
        if (!this.#ends()) break;
        const waiter = this.#waiters.shift()!, stopped = this.#stopped;
        this.#stopped = undefined;
        if (stopped) waiter.reject(stopped.reason);
        else waiter.resolve({ value: undefined, done: true });
      } else if (call.state === FULFILLED || this.#options.settled) {
        this.#waiters.shift()!.resolve({ value: this.#valueOf(call), done: false });
        this.#read();
      } else {
        this.#waiters.shift()!.reject(this.#failWith(call));
      }
    }
    this.#serving = false;
    if (this.#waiters.length > 0) return this.#await();
    this.#timer?.clear();
    this.#timer = undefined;
  }

  /** Whether it is over, as it is when all results were taken and no more items come. */
  #ends(): boolean {
    if (!this.#over && this.#outstanding === 0 && this.#inputEnd) {
      if (this.#inputEnd.failed) this.#stopped = { reason: this.#inputEnd.error };
      this.#finish();
    }
    return this.#over;
  }

  #await(): void {
    if (this.#waitsForChunk) this.#armTurn();
    if (this.#deadline === Infinity || this.#timer) return;
    const expire = () => this.#stop(new TimeoutError());
    const left = this.#deadline - performance.now();
    if (left > 0) this.#timer = startTimer(left, expire);
    else expire();
  }

  // --- ending

  /** Ends the iteration from outside: whoever waits gets the reason, or the next who asks. */
  #stop(reason: unknown): void {
    if (this.#over) return;
    this.#stopped = { reason };
    this.#finish();
    this.#serve();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const rest = this.#options.ordered
      ? this.#calls.slice(this.#taken)
      : [...this.#pending, ...this.#ready.slice(this.#readyTaken)];
    this.#calls = [];
    this.#ready = [];
    this.#items = [];
    this.#taken = this.#readyTaken = this.#outstanding = 0;
    this.#pending.clear();
    for (const supply of this.#supplies.splice(0)) {
      if (supply.queue) this.#core.withdrawAll(supply);
      supply.drop();
    }
    for (const call of rest) {
      if (call.state === REJECTED) this.#core.unobserved.remove(call);
      else if (call.state === WAITING && call.withdraw()) call.cancel(new CancelledError());
    }
    this.#source.close();
  }

  /** What holds whenever code of the user runs. */
  #assertInvariants(): void {
    const made = this.#calls.length - this.#taken + this.#pending.size + this.#ready.length - this.#readyTaken;
    const waiting = this.#supplies.reduce((sum, { waiting }) => sum + waiting, 0);
    const held = this.#items.length;
    const broken = Object.entries({
      "what is out was made, or waits": this.#outstanding === made + waiting,
      "no more is out than may be": this.#outstanding + held <= this.#capacity,
      "what is complete is submitted": held < this.#together,
      "nothing is read after the end": !this.#inputEnd || (held === 0 && !this.#source.open),
      "nothing is left when it is over": !this.#over || (this.#outstanding === 0 && held === 0),
      "who waits for another turn hears of it": this.#reading !== "turn" || this.#turnArmed,
      "who has nobody to serve has no timer": !this.#over || this.#serving || !this.#timer,
    }).filter(([, holds]) => !holds);
    if (broken.length > 0) throw new Error(`Not so: ${broken.map(([name]) => name).join("; ")}`);
  }
}

/** Moves the head of a queue in an array on by one, and gives the room of the taken back now and then. */
function drop(queue: unknown[], head: number): number {
  queue[head++] = undefined;
  if (head < 1024 || head * 2 < queue.length) return head;
  queue.splice(0, head);
  return 0;
}

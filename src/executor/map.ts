// Executor.map(): items in, calls out, results in again. A call of it costs no Future, as nobody could see one, and is not
// even made before its turn comes (map_call.ts).

import type { CallSettings } from "./call_options.ts";
import type { Core } from "./core.ts";
import { CancelledError, TimeoutError } from "./errors.ts";
import { FULFILLED, type MapOwner, type MappedCall, MapSupply, REJECTED, WAITING } from "./map_call.ts";
import type { MapArguments, MapIterator, MapOptions } from "./map_options.ts";
import type { Task } from "./task_table.ts";
import { startTimer, type Timer } from "./timer.ts";
import { END, type Source, zip } from "./zip.ts";

/** Items that are put into the queue in one go, at most: the first by itself, so that it starts at once, then twice as many each time. */
const LARGEST_SUPPLY = 1024;

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: unknown): void;
}

/** The iteration of one map(). */
export class Mapping<T> implements MapIterator<T> {
  readonly #core: Core;
  readonly #options: MapOptions;
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
  #reading = false;
  /** No more items come: the input has ended, or failed with this. */
  #inputEnd: { readonly error?: unknown; readonly failed: boolean } | undefined;
  #over = false;
  /** It was ended from outside, and nobody has been told why. */
  #stopped: { readonly reason: unknown } | undefined;
  #waiters: Waiter<T>[] = [];
  #timer: Timer | undefined;
  readonly #onAbort = () => this.#stop(this.#options.signal!.reason);

  constructor(core: Core, task: Task, settings: CallSettings | undefined, { inputs, options }: MapArguments) {
    const { timeout = Infinity, chunksize = 1, buffersize = Infinity, signal } = options;
    this.#core = core;
    this.#options = options;
    this.#deadline = performance.now() + timeout;
    this.#capacity = buffersize * chunksize;
    this.#source = zip(inputs);
    this.#together = chunksize;
    this.#owner = {
      task,
      settings,
      toArguments: this.#source.toArguments,
      drawn: (call) => this.#drawn(call),
      completed: (call) => this.#completed(call),
    };
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#read();
    // Nothing was accepted and nothing can be delivered first: the caller learns it at the call.
    if (this.#inputEnd?.failed && (this.#outstanding === 0 || buffersize === Infinity)) {
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
    this.#finish();
    this.#stopped = undefined;
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

  /** Reads items and submits them, as many as there is room for. */
  #read(): void {
    if (this.#reading) return;
    // A call that cannot be sent ends at once, and the iteration with it.
    while (!this.#over && !this.#inputEnd && this.#outstanding + this.#items.length < this.#capacity) {
      if (this.#core.room.left <= (this.#inChunks ? 0 : this.#items.length)) return void this.#readLater();
      try {
        const item = this.#source.next();
        if (this.#source.async) return void this.#readAsync(item as Promise<unknown>);
        this.#accept(item);
      } catch (error) {
        return this.#endInput(error);
      }
    }
    if (!this.#inChunks) this.#submit();
  }

  async #readAsync(item: Promise<unknown>): Promise<void> {
    this.#reading = true;
    try {
      const accepted = await item;
      if (!this.#over) this.#accept(accepted);
      this.#reading = false;
      this.#read();
    } catch (error) {
      this.#reading = false;
      this.#endInput(error);
    }
    this.#serve();
  }

  /** Waits for room in the queue, as a submitter has to (`maxQueue`). */
  async #readLater(): Promise<void> {
    if (!this.#inChunks) this.#submit();
    this.#reading = true;
    await this.#core.room.ready();
    this.#core.room.leave();
    this.#reading = false;
    this.#read();
    this.#serve();
  }
  get #inChunks(): boolean {
    return this.#options.chunksize !== undefined && this.#options.chunksize > 1;
  }

  #accept(item: unknown): void {
    if (item === END) this.#inputEnd = { failed: false };
    else this.#items.push(item);
    if (item === END || this.#items.length === this.#together) this.#submit();
  }

  /** Submits the items that were read. */
  #submit(): void {
    const items = this.#items, inChunks = this.#inChunks;
    if (items.length === 0) return;
    this.#items = [];
    try {
      this.#core.admit();
    } catch (error) {
      if (!this.#inputEnd?.failed) this.#endInput(error);
      return;
    }
    this.#outstanding += items.length;
    if (!inChunks) this.#together = Math.min(this.#together * 2, LARGEST_SUPPLY);
    const supplies = this.#supplies;
    while (supplies[0]?.waiting === 0) supplies.shift();
    const supply = new MapSupply(this.#owner, items, inChunks);
    // Calls are made in the order of their items. Those that with() applies to are watched one by one.
    if (this.#owner.settings || (items.length === 1 && supplies.length === 0)) {
      while (supply.waiting > 0) this.#core.submit(supply.draw());
    } else {
      supplies.push(supply);
      this.#core.submit(supply);
    }
  }

  #endInput(error: unknown): void {
    this.#inputEnd = { failed: true, error };
    this.#source.close();
    this.#submit();
  }

  #drawn(call: MappedCall): void {
    if (this.#options.ordered === false) this.#pending.add(call);
    else this.#calls.push(call);
  }

  #completed(call: MappedCall): void {
    if (this.#over) return;
    if (call.state === REJECTED) this.#core.unobserved.add(call, call.outcome);
    if (this.#options.ordered === false) {
      this.#pending.delete(call);
      this.#ready.push(call);
    }
    if (this.#waiters.length > 0) this.#serve();
  }

  /** The call whose result is next, when it is there. */
  #takeReady(): MappedCall | undefined {
    let call: MappedCall | undefined;
    if (this.#options.ordered === false) {
      call = this.#ready[this.#readyTaken];
      if (!call) return undefined;
      this.#readyTaken = drop(this.#ready, this.#readyTaken);
    } else {
      call = this.#calls[this.#taken];
      if (!call || call.state === WAITING) return undefined;
      this.#taken = drop(this.#calls, this.#taken);
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
    while (this.#waiters.length > 0) {
      const call = this.#takeReady();
      if (!call) {
        if (!this.#over && this.#outstanding === 0 && this.#inputEnd) {
          const { failed, error } = this.#inputEnd;
          this.#finish();
          if (failed) {
            this.#waiters.shift()!.reject(error);
            continue;
          }
        }
        if (!this.#over) return this.#await();
        const waiter = this.#waiters.shift()!;
        if (this.#stopped) waiter.reject(this.#stopped.reason);
        else waiter.resolve({ value: undefined, done: true });
        this.#stopped = undefined;
      } else if (call.state === FULFILLED || this.#options.settled) {
        this.#waiters.shift()!.resolve({ value: this.#valueOf(call), done: false });
        this.#read();
      } else {
        this.#waiters.shift()!.reject(this.#failWith(call));
      }
    }
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #await(): void {
    if (this.#deadline === Infinity || this.#timer) return;
    const expire = () => this.#stop(new TimeoutError());
    const left = this.#deadline - performance.now();
    if (left > 0) this.#timer = startTimer(left, expire);
    else expire();
  }

  /** Ends the iteration from outside: whoever waits gets the reason, or the next who asks. */
  #stop(reason: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#stopped = { reason };
    this.#serve();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    if (!this.#inputEnd) this.#source.close();
    const rest = this.#options.ordered === false
      ? [...this.#pending, ...this.#ready.slice(this.#readyTaken)]
      : this.#calls.slice(this.#taken);
    this.#calls = this.#ready = this.#items = [];
    this.#taken = this.#readyTaken = this.#outstanding = 0;
    this.#pending.clear();
    for (const supply of this.#supplies.splice(0)) {
      if (supply.queue) this.#core.withdrawAll(supply);
    }
    for (const call of rest) {
      if (call.state === REJECTED) this.#core.unobserved.remove(call);
      else if (call.state === WAITING && call.withdraw()) call.cancel(new CancelledError());
    }
  }
}

/** Moves the head of a queue in an array on by one, and gives the room of the taken back now and then. */
function drop(queue: unknown[], head: number): number {
  queue[head++] = undefined;
  if (head < 1024 || head * 2 < queue.length) return head;
  queue.splice(0, head);
  return 0;
}

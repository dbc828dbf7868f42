// Executor.map(): items in, calls out, results in again. A call of it costs no Future, as nobody could see one, and is not
// even made before its turn comes (map_call.ts).
//
// Code of the user runs in the middle of things: when an input is read or closed, when an item is copied that has a getter,
// when a signal aborts. It may do anything, and call next() and return() of this very iteration. So whenever it runs, all
// that assertInvariants() lists holds, and after it has run, `#over` is read again.

import type { CallSettings } from "./call_options.ts";
import type { Engine } from "./engine.ts";
import { CancelledError, TimeoutError } from "../future/errors.ts";
import { assertInvariant, invariantsAreChecked } from "../invariant.ts";
import { FULFILLED, PENDING, REJECTED } from "../future/state.ts";
import { type MapOwner, type MappedCall, MapSupply } from "./map_call.ts";
import type { MapArguments, MapIterator, MapSettings } from "./map_options.ts";
import { MapReader } from "./map_reader.ts";
import type { TaskRecord } from "./task_table.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { Source } from "./zip.ts";

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: unknown): void;
}

/** The iteration of one map(). */
export class Mapping<T> implements MapIterator<T> {
  readonly #engine: Engine;
  readonly #options: MapSettings;
  readonly #deadline: number;
  readonly #reader: MapReader;
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
  /** What may still wait in the queue, oldest first. */
  readonly #supplies: MapSupply[] = [];
  #over = false;
  /** It has ended for a reason, and nobody has been told. */
  #stopped: { readonly reason: unknown } | undefined;
  #waiters: Waiter<T>[] = [];
  #serving = false;
  #timer: Timer | undefined;
  readonly #onAbort = () => this.#stop(this.#options.signal!.reason);

  constructor(engine: Engine, task: TaskRecord, settings: CallSettings | undefined, { inputs, options }: MapArguments) {
    const { timeout, chunksize, buffersize, signal } = options;
    this.#engine = engine;
    this.#options = options;
    this.#deadline = performance.now() + timeout;
    this.#capacity = buffersize * chunksize;
    signal?.throwIfAborted();
    const source = new Source(inputs);
    this.#reader = new MapReader(engine, source, chunksize, {
      wants: (held) => this.#outstanding + held < this.#capacity,
      isStarved: () => this.#waiters.length > 0 && this.#outstanding === 0,
      submit: (items) => this.#submit(items),
      onRead: () => this.#waiters.length > 0 && this.#serve(),
    });
    this.#owner = {
      engine,
      task,
      settings,
      toArguments: (item) => source.toArguments(item),
      isWanted: () => !this.#over,
      drawn: (call) => this.#drawn(call),
      completed: (call) => this.#completed(call),
    };
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort(); // while the inputs were opened
    this.#reader.read();
    // Nothing was accepted and nothing can be delivered first: the caller learns it at the call.
    const { end } = this.#reader;
    if (end?.failed && !this.#over && (this.#outstanding === 0 || buffersize === Infinity)) {
      this.#finish();
      throw end.error;
    }
  }

  /** The next result. */
  next(): Promise<IteratorResult<T>> {
    if (this.#waiters.length === 0) {
      const call = this.#takeReady();
      if (call) {
        if (call.state === FULFILLED || this.#options.settled) {
          const value = this.#valueOf(call);
          this.#reader.read();
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

  /** Submits items that were read. */
  #submit(items: unknown[]): void {
    const supplies = this.#supplies;
    while (supplies[0]?.size === 0) supplies.shift();
    const supply = new MapSupply(this.#owner, items, this.#options.chunksize > 1);
    this.#outstanding += items.length;
    // Calls are made in the order of their items.
    if (items.length === 1 && supplies.length === 0) return this.#engine.submit(supply.draw());
    supplies.push(supply);
    if (!this.#owner.settings) return this.#engine.submit(supply);
    // Those that with() applies to are watched one by one.
    while (supply.size > 0) this.#engine.submit(supply.draw());
  }

  // --- delivering

  #drawn(call: MappedCall): void {
    if (this.#options.ordered) this.#calls.push(call);
    else this.#pending.add(call);
  }

  #completed(call: MappedCall): void {
    if (this.#over) return;
    if (call.state === REJECTED) this.#engine.unobserved.add(call, call.outcome);
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
      if (!call || call.state === PENDING) return undefined;
      this.#taken = drop(this.#calls, this.#taken);
    } else {
      call = this.#ready[this.#readyTaken];
      if (!call) return undefined;
      this.#readyTaken = drop(this.#ready, this.#readyTaken);
    }
    this.#outstanding--;
    if (call.state === REJECTED) this.#engine.unobserved.remove(call);
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
        this.#reader.read();
      } else {
        this.#waiters.shift()!.reject(this.#failWith(call));
      }
    }
    this.#serving = false;
    if (this.#waiters.length > 0) this.#await();
    else this.#endTimer();
    if (invariantsAreChecked()) Mapping.assertInvariants(this);
  }

  /** Whether it is over, as it is when all results were taken and no more items come. */
  #ends(): boolean {
    const { end } = this.#reader;
    if (!this.#over && this.#outstanding === 0 && end) {
      if (end.failed) this.#stopped = { reason: end.error };
      this.#finish();
    }
    return this.#over;
  }

  #await(): void {
    if (this.#outstanding === 0) this.#reader.starve();
    if (this.#deadline === Infinity || this.#timer) return;
    const { timeout } = this.#options;
    const expire = () => this.#stop(new TimeoutError(`A result of map() was not there after ${timeout} ms`));
    const left = this.#deadline - performance.now();
    if (left > 0) this.#timer = startTimer(left, expire);
    else expire();
  }

  #endTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
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
    this.#taken = this.#readyTaken = this.#outstanding = 0;
    this.#pending.clear();
    for (const supply of this.#supplies.splice(0)) {
      if (supply.queue) this.#engine.withdrawAll(supply);
      supply.drop();
    }
    for (const call of rest) {
      if (call.state === REJECTED) this.#engine.unobserved.remove(call);
      else if (call.state !== PENDING) continue;
      else if (call.withdraw()) call.cancel(new CancelledError());
      else call.worker?.recall?.(true); // of what it has not begun, nothing is wanted: the engine cancels it
    }
    this.#reader.close();
  }

  /** What holds whenever code of the user runs. */
  static assertInvariants(results: MapIterator<unknown>): void {
    const map = results as Mapping<unknown>;
    const made = map.#calls.length - map.#taken + map.#pending.size + map.#ready.length - map.#readyTaken;
    const waiting = map.#supplies.reduce((sum, { size }) => sum + size, 0);
    assertInvariant(map.#outstanding === made + waiting, "what is out was made, or waits");
    assertInvariant(map.#outstanding <= map.#capacity, "no more is out than may be");
    assertInvariant(!map.#over || map.#outstanding === 0, "nothing is out when it is over");
    assertInvariant(map.#waiters.length > 0 || map.#serving || !map.#timer, "nothing but who waits has a timer");
    map.#reader.assertInvariants();
  }
}

/** Moves the head of a queue in an array on by one, and gives the room of the taken back now and then. */
function drop(queue: unknown[], head: number): number {
  queue[head++] = undefined;
  if (head < 1024 || head * 2 < queue.length) return head;
  queue.splice(0, head);
  return 0;
}

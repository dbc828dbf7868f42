// The iteration of Executor.map(): reads items (map_reader.ts), submits them as calls that are made when their turn comes
// (map_call.ts), and gives out the results (map_buffer.ts). A call has no Future, as nobody could see it.
//
// Code of the user runs in the middle of things: when an input is read or closed, when an item with a getter is copied, when
// a signal aborts. It may do anything, such as call next() and return() of this iteration. So whenever it runs, everything
// that assertInvariants() lists holds, and after it has run, `#over` is read again.

import type { CallSettings } from "./call_options.ts";
import type { Engine } from "./engine.ts";
import { CancelledError, TimeoutError } from "../future/errors.ts";
import { assertInvariant, invariantsAreChecked } from "../invariant.ts";
import { makeBuffer, type MapBuffer } from "./map_buffer.ts";
import { FULFILLED, PENDING, REJECTED } from "../future/state.ts";
import { type MapOwner, type MappedCall, MapSupply } from "./map_call.ts";
import type { MapArguments, MapIterator, MapSettings } from "./map_options.ts";
import { MapReader } from "./map_reader.ts";
import type { TaskRecord } from "./task_table.ts";
import type { FailureSink, Scope } from "./scope.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { TAKE, type Takeable } from "../wire/blocking.ts";
import { Source } from "./zip.ts";

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: unknown): void;
}

/** What one map() returns. */
export class Mapping<T> implements MapIterator<T>, Takeable<T> {
  readonly #engine: Engine;
  readonly #options: MapSettings;
  readonly #scope: Scope | undefined;
  readonly #unobserved: FailureSink;
  readonly #deadline: number;
  readonly #reader: MapReader;
  readonly #owner: MapOwner;
  /** Maximum number of items that are read ahead. */
  readonly #capacity: number;
  /**
   * How many of these are read together while results are taken: a message of many calls costs little more than one of a
   * single call. The last item before somebody waits, or before the turn of the event loop ends, is not waited for.
   */
  readonly #portion: number;
  /** Calls whose results were not taken. */
  readonly #buffer: MapBuffer;
  /** Items that were submitted and whose results were not taken: with a call, or waiting for one. */
  #outstanding = 0;
  /** Submitted items that may still wait for their calls, oldest first. */
  readonly #supplies: MapSupply[] = [];
  #over = false;
  /** Why it has ended, until somebody is told. */
  #stopped: { readonly reason: unknown } | undefined;
  #waiters: Waiter<T>[] = [];
  #serving = false;
  #timer: Timer | undefined;
  /** Somebody waits without a promise. */
  #blocks = false;
  readonly #onAbort = () => this.stop(this.#options.signal!.reason);

  constructor(engine: Engine, task: TaskRecord, settings: CallSettings | undefined, { inputs, options }: MapArguments) {
    const { timeout, chunksize, buffersize, signal } = options;
    this.#engine = engine;
    this.#options = options;
    this.#deadline = performance.now() + timeout;
    this.#capacity = buffersize * chunksize;
    this.#portion = Math.max(1, Math.floor(this.#capacity / 2));
    this.#buffer = makeBuffer(options.ordered);
    signal?.throwIfAborted();
    const scope = settings?.scope;
    if (scope?.aborted) throw scope.aborted.reason;
    this.#scope = scope;
    this.#unobserved = scope?.unread ?? engine.unobserved;
    const source = new Source(inputs);
    this.#reader = new MapReader(engine, source, chunksize, {
      assertOpen() {
        engine.assertOpen();
        scope?.assertInside();
      },
      wants: (held) => this.#outstanding + held < this.#capacity,
      isStarved: () => this.#isAwaited && this.#outstanding === 0,
      submit: (items) => this.#submit(items),
      onRead: () => this.#waiters.length > 0 && this.#serve(),
    });
    this.#owner = {
      engine,
      task,
      settings,
      toArguments: (item) => source.toArguments(item),
      isWanted: () => !this.#over,
      drawn: (call) => this.#buffer.add(call),
      completed: (call) => this.#completed(call),
    };
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    scope?.addMap(this);
    if (signal?.aborted) this.#onAbort(); // while the inputs were opened
    if (scope?.aborted) this.stop(scope.aborted.reason);
    this.#reader.read();
    // Nothing can be delivered before this error: map() itself throws it.
    const { end } = this.#reader;
    if (end?.failed && !this.#over && (this.#outstanding === 0 || buffersize === Infinity)) {
      this.#finish();
      throw end.error;
    }
  }

  /** The next result. */
  next(): Promise<IteratorResult<T>> {
    const call = this.#waiters.length === 0 ? this.#take() : undefined;
    if (!call) {
      return new Promise((resolve, reject) => {
        this.#waiters.push({ resolve, reject });
        this.#serve();
      });
    }
    try {
      return Promise.resolve(this.#deliver(call));
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  get refusesToBlock(): string | undefined {
    if (this.#reader.async) return "one of the inputs of map() is an async iterable, which needs the event loop";
    return this.#engine.refusesToBlock;
  }

  [TAKE](): IteratorResult<T> | undefined {
    const call = this.#waiters.length === 0 ? this.#take() : undefined;
    this.#blocks = !call && !(this.#waiters.length === 0 && this.#ends());
    if (this.#blocks) return void this.#await();
    if (this.#waiters.length === 0) this.#endTimer();
    return call ? this.#deliver(call) : this.#endResult();
  }

  /** Whether somebody waits for a result. */
  get #isAwaited(): boolean {
    return this.#blocks || this.#waiters.length > 0;
  }

  /** Ends the iteration: calls that have not begun are cancelled, results of those that have are dropped. */
  return(): Promise<IteratorResult<T>> {
    this.#stopped = undefined;
    this.#finish();
    this.#serve();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Calls {@linkcode Mapping.return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Returns this iterator. */
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
    // Calls with options of with() are watched one by one.
    while (supply.size > 0) this.#engine.submit(supply.draw());
  }

  // --- delivering

  #completed(call: MappedCall): void {
    if (this.#over) return;
    if (call.state === REJECTED) this.#unobserved.add(call, call.outcome);
    this.#buffer.completed(call);
    if (this.#waiters.length > 0) this.#serve();
  }

  /** Takes the call whose result is next, when that is there. */
  #take(): MappedCall | undefined {
    const call = this.#buffer.take();
    if (!call) return undefined;
    this.#outstanding--;
    if (call.state === REJECTED) this.#unobserved.remove(call);
    return call;
  }

  /**
   * The result of a call that was taken. Reads on, as there is room for one more item: now, or with others.
   *
   * @throws the error of a failed call, and ends the iteration (Python 3.14), unless `settled`.
   */
  #deliver({ state, outcome }: MappedCall): IteratorResult<T> {
    const { settled } = this.#options, isFulfilled = state === FULFILLED;
    if (!isFulfilled && !settled) {
      this.#finish();
      throw outcome;
    }
    if (this.#room >= this.#portion) this.#reader.read();
    else this.#reader.readAtTurnEnd();
    if (!settled) return { value: outcome as T, done: false };
    const value = isFulfilled ? { status: "fulfilled", value: outcome } : { status: "rejected", reason: outcome };
    return { value: value as T, done: false };
  }

  /** Gives the results that are there to those who wait. */
  #serve(): void {
    if (this.#serving) return; // whoever serves sees who waits now
    this.#serving = true;
    while (this.#waiters.length > 0) {
      const call = this.#take();
      if (!call && !this.#ends()) break;
      const waiter = this.#waiters.shift()!;
      try {
        waiter.resolve(call ? this.#deliver(call) : this.#endResult());
      } catch (reason) {
        waiter.reject(reason);
      }
    }
    this.#serving = false;
    if (this.#waiters.length > 0) this.#await();
    else if (!this.#blocks) this.#endTimer();
    if (invariantsAreChecked()) Mapping.assertInvariants(this);
  }

  /**
   * What next() gives after the end.
   *
   * @throws the reason for which the iteration was ended, once.
   */
  #endResult(): IteratorResult<T> {
    const stopped = this.#stopped;
    this.#stopped = undefined;
    if (stopped) throw stopped.reason;
    return { value: undefined, done: true };
  }

  /** Ends the iteration if all results were taken and no more items come; returns whether it is over. */
  #ends(): boolean {
    const { end } = this.#reader;
    if (!this.#over && this.#outstanding === 0 && end) {
      if (end.failed) this.#stopped = { reason: end.error };
      this.#finish();
    }
    return this.#over;
  }

  /** How many more items may be outstanding. */
  get #room(): number {
    return this.#capacity - this.#outstanding;
  }

  /** Somebody waits: reads on, submits an incomplete chunk if that is all there is to wait for, and starts the timer. */
  #await(): void {
    this.#reader.readNow();
    if (this.#outstanding === 0) this.#reader.starve();
    if (!this.#isAwaited) return; // what was read has ended the iteration
    if (this.#deadline === Infinity || this.#timer) return;
    const expire = () => {
      const { timeout } = this.#options;
      this.stop(new TimeoutError(`The results of map() took longer than its timeout of ${timeout} ms`));
    };
    const left = this.#deadline - performance.now();
    if (left > 0) this.#timer = startTimer(left, expire);
    else expire();
  }

  #endTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  // --- ending

  /** What map_control.ts has to know: how many results were not taken, and the calls that were made for them. */
  get look(): { engine: Engine; outstanding: number; calls: MappedCall[] } {
    return { engine: this.#engine, outstanding: this.#outstanding, calls: this.#buffer.calls };
  }

  /** Ends the iteration for a reason, which rejects the first next() that waits, or the next one. */
  stop(reason: unknown): void {
    if (this.#over) return;
    this.#stopped = { reason };
    this.#finish();
    this.#serve();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#scope?.removeMap(this);
    const rest = this.#buffer.clear();
    this.#outstanding = 0;
    for (const supply of this.#supplies.splice(0)) {
      if (supply.queue) this.#engine.withdrawAll(supply);
      supply.drop();
    }
    for (const call of rest) {
      if (call.state === REJECTED) this.#unobserved.remove(call);
      else if (call.state !== PENDING) continue;
      else if (call.withdraw()) call.cancel(new CancelledError());
      else call.worker?.recall?.(true); // what it gives back is cancelled: nobody wants it
    }
    this.#reader.close();
  }

  /** What holds whenever code of the user runs. */
  static assertInvariants(results: MapIterator<unknown>): void {
    const map = results as Mapping<unknown>;
    const waiting = map.#supplies.reduce((sum, { size }) => sum + size, 0);
    assertInvariant(map.#outstanding === map.#buffer.size + waiting, "an outstanding item has a call, or waits for it");
    assertInvariant(map.#outstanding <= map.#capacity, "no more items are outstanding than may be");
    assertInvariant(!map.#over || map.#outstanding === 0, "no item is outstanding when it is over");
    assertInvariant(
      map.#isAwaited || map.#serving || !map.#timer,
      "there is a timer only while somebody waits",
    );
    map.#reader.assertInvariants();
  }
}

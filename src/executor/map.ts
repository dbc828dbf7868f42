// Executor.map(): items in, calls out, results in again. A call of it costs no Future: nobody could see one.

import { Call } from "./call.ts";
import type { CallSettings } from "./call_options.ts";
import type { Core } from "./core.ts";
import { CancelledError, TimeoutError } from "./errors.ts";
import type { MapArguments, MapIterator, MapOptions } from "./map_options.ts";
import type { Task } from "./task_table.ts";
import { startTimer, type Timer } from "./timer.ts";
import { type Source, zip } from "./zip.ts";

const WAITING = 0, FULFILLED = 1, REJECTED = 2, CANCELLED = 3;

/** One item's call; it keeps its outcome until the iterator takes it. */
class MappedCall extends Call {
  state = WAITING;
  outcome: unknown = undefined;
  readonly #chunk: object | undefined;
  readonly #iterator: Completions;

  constructor(iterator: Completions, task: Task, args: readonly unknown[], chunk: object | undefined) {
    super(iterator.core, task, args, iterator.settings);
    this.#iterator = iterator;
    this.#chunk = chunk;
  }

  override get chunk(): object | undefined {
    return this.#chunk;
  }

  fulfil(value: unknown): void {
    this.#end(FULFILLED, value);
  }

  reject(reason: unknown): void {
    this.#end(REJECTED, reason);
  }

  cancel(reason: unknown): void {
    this.#end(CANCELLED, reason);
  }

  #end(state: number, outcome: unknown): void {
    this.state = state;
    this.outcome = outcome;
    this.#iterator.completed(this);
  }
}

interface Completions {
  readonly core: Core;
  readonly settings: CallSettings | undefined;
  completed(call: MappedCall): void;
}

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: unknown): void;
}

/** The iteration of one map(). */
export class Mapping<T> implements MapIterator<T> {
  readonly #core: Core;
  readonly #task: Task;
  readonly #options: MapOptions;
  readonly #deadline: number;
  readonly #source: Source;
  readonly #completions: Completions;
  /** Items that are read ahead at most. */
  readonly #capacity: number;
  /** Submitted and not taken yet, oldest first, from `#taken` on. */
  #calls: MappedCall[] = [];
  #taken = 0;
  /** With `ordered: false`: submitted and not done; done and not taken yet. */
  readonly #pending = new Set<MappedCall>();
  #ready: MappedCall[] = [];
  #readyTaken = 0;
  #outstanding = 0;
  /** Items of the chunk that is being filled. */
  #chunk: (readonly unknown[])[] = [];
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
    this.#completions = { core, settings, completed: (call) => this.#completed(call) };
    this.#task = task;
    this.#options = options;
    this.#deadline = performance.now() + timeout;
    this.#capacity = buffersize * chunksize;
    this.#source = zip(inputs);
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
    if (this.#reading || this.#over) return;
    // A call that cannot be sent ends at once, and the iteration with it.
    while (!this.#over && !this.#inputEnd && this.#outstanding + this.#chunk.length < this.#capacity) {
      if (this.#core.room.full) return void this.#readLater();
      let item: ReturnType<Source["next"]>;
      try {
        item = this.#source.next();
      } catch (error) {
        return this.#endInput(error);
      }
      if (item instanceof Promise) {
        this.#reading = true;
        item.then((args) => {
          this.#reading = false;
          if (this.#over) return;
          this.#accept(args);
          this.#read();
          this.#serve();
        }, (error) => {
          this.#reading = false;
          this.#endInput(error);
          this.#serve();
        });
        return;
      }
      this.#accept(item);
    }
  }

  /** Waits for room in the queue, as a submitter has to (`maxQueue`). */
  async #readLater(): Promise<void> {
    this.#reading = true;
    await this.#core.room.ready();
    this.#reading = false;
    this.#read();
    this.#serve();
  }

  #accept(args: readonly unknown[] | undefined): void {
    const { chunksize = 1 } = this.#options;
    if (!args) this.#inputEnd = { failed: false };
    else if (chunksize === 1) return this.#submit(args, undefined);
    else this.#chunk.push(args);
    if (this.#inputEnd || this.#chunk.length === chunksize) this.#submitChunk();
  }

  /** Submits the items that make a chunk; the last one may be short. */
  #submitChunk(): void {
    const items = this.#chunk;
    const chunk = items;
    this.#chunk = [];
    for (const args of items) this.#submit(args, chunk);
  }

  #submit(args: readonly unknown[], chunk: object | undefined): void {
    try {
      this.#core.admit();
    } catch (error) {
      if (!this.#inputEnd?.failed) this.#endInput(error);
      return;
    }
    const call = new MappedCall(this.#completions, this.#task, args, chunk);
    this.#outstanding++;
    if (this.#options.ordered === false) this.#pending.add(call);
    else this.#calls.push(call);
    this.#core.submit(call);
  }

  #endInput(error: unknown): void {
    this.#inputEnd = { failed: true, error };
    this.#source.close();
    this.#submitChunk();
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
    this.#calls = this.#ready = this.#chunk = [];
    this.#taken = this.#readyTaken = this.#outstanding = 0;
    this.#pending.clear();
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

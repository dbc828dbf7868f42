// What Executor.stream() returns: the iteration over what one call yields. The call (stream_call.ts) has a worker to itself; its
// values wait in a buffer (stream_buffer.ts) until next() takes them.

import type { CallSettings } from "./call_options.ts";
import type { Engine } from "./engine.ts";
import { offDone, onDone } from "../runtime.ts";
import { atNextTurn, TAKE, type Takeable } from "../wire/blocking.ts";
import { deferred } from "../future/deferred.ts";
import { CancelledError } from "../future/errors.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import type { FailureSink } from "./scope.ts";
import { NOTHING, StreamBuffer } from "./stream_buffer.ts";
import { StreamedCall, type StreamEnd } from "./stream_call.ts";
import type { TaskRecord } from "./task_table.ts";

/**
 * The values of {@linkcode Executor.stream}. Leaving the loop, `return()` and disposal end the task in its worker.
 *
 * @typeParam Y The type of a value.
 */
export interface StreamIterator<Y> extends AsyncIterableIterator<Y>, AsyncDisposable {
  /** Returns the next value. Rejects with what the task throws, after all that it has yielded before. */
  next(): Promise<IteratorResult<Y>>;
  /**
   * Ends the stream: its task is told by `currentTask().signal`, and its `finally` blocks run. Resolves when they have.
   * Values that were not taken are dropped, and so are errors.
   */
  return(): Promise<IteratorResult<Y>>;
  /** Ends the stream as `return()` does, then rejects with the reason. */
  throw(reason?: unknown): Promise<IteratorResult<Y>>;
  /** Returns the iterator itself. */
  [Symbol.asyncIterator](): StreamIterator<Y>;
}

/** A reader that takes half of the buffer within this time, in milliseconds, takes the rest of it soon. */
const QUICK = 0.05;

interface Waiter<Y> {
  resolve(result: IteratorResult<Y>): void;
  reject(reason: unknown): void;
}

/** How long a stream is full until it counts as unread for now, in milliseconds: to tell the runtime costs time. */
const UNREAD = 50;

/** What one stream() returns. */
export class Streaming<Y> implements StreamIterator<Y>, Takeable<Y> {
  readonly #engine: Engine;
  /** The group of a stream throws its failure, unless somebody takes it. */
  readonly #unobserved: FailureSink;
  readonly #buffer: StreamBuffer;
  readonly #call: StreamedCall;
  readonly #waiters: Waiter<Y>[] = [];
  /** Nobody takes values any more. */
  #left = false;
  /** How the call has ended, and whether that was told to the reader. */
  #end: StreamEnd | undefined;
  #told = false;
  readonly #settled = deferred<void>();
  /** Runs while its task may be waiting for a reader. */
  #unread: Timer | undefined;
  /** Whether its task waits for a reader, and does not keep the program alive. */
  #rests = false;
  /** When values came for the last time, and whether the worker is told in the next turn that it may yield more. */
  #cameAt = 0;
  #tellsSoon = false;

  constructor(engine: Engine, task: TaskRecord, settings: CallSettings, args: readonly unknown[]) {
    this.#engine = engine;
    this.#unobserved = settings.scope?.unread ?? engine.unobserved;
    this.#buffer = new StreamBuffer(settings.buffersize);
    this.#call = new StreamedCall(engine, task, settings, args, {
      isWanted: () => !this.#left,
      yields: (values) => this.#accept(values),
      settled: (end) => this.#onSettled(end),
    });
    engine.submit(this.#call);
  }

  /** The next value. */
  next(): Promise<IteratorResult<Y>> {
    if (this.#waiters.length === 0) {
      try {
        const result = this.take();
        if (result) return Promise.resolve(result);
      } catch (reason) {
        return Promise.reject(reason);
      }
    }
    return new Promise((resolve, reject) => {
      if (this.#waiters.push({ resolve, reject }) === 1) this.#call.expect();
    });
  }

  get refusesToBlock(): string | undefined {
    if (this.#call.stream.inputs.length > 0) {
      return "one of the arguments of stream() is an async iterable, which needs the event loop";
    }
    return this.#engine.refusesToBlock;
  }

  [TAKE](): IteratorResult<Y> | undefined {
    return this.#waiters.length === 0 ? this.take() : undefined;
  }

  /**
   * Takes the next value without waiting; `undefined` while it is not there.
   *
   * @throws what the task has thrown, once, at its place.
   */
  take(): IteratorResult<Y> | undefined {
    const value = this.#left ? NOTHING : this.#buffer.take();
    if (value !== NOTHING) {
      if (this.#buffer.isWorthTelling) this.#tell();
      return { value: value as Y, done: false };
    }
    if (!this.#left && !this.#end) return undefined;
    if (!this.#left && !this.#told && this.#end?.failed) {
      this.#told = true;
      this.#observe(this.#end);
      throw this.#end.reason;
    }
    return { value: undefined, done: true };
  }

  /**
   * Tells the worker that it may yield more. A quick reader takes all that is there before the worker could send more: it is
   * told once then, or in the next turn. With half of the messages, trivial values come from processes 1.5 times as fast on
   * Node 24, 1.1 times on Deno 2.9 and Bun 1.4.
   */
  #tell(): void {
    if (this.#end) return;
    if (this.#buffer.isEmpty) return this.#tellNow();
    if (this.#tellsSoon) return;
    if (performance.now() - this.#cameAt > QUICK) return this.#tellNow(); // the worker yields meanwhile
    this.#tellsSoon = true;
    atNextTurn(() => {
      this.#tellsSoon = false;
      if (this.#buffer.isWorthTelling) this.#tellNow();
    });
  }

  #tellNow(): void {
    if (this.#end || this.#left) return;
    this.#call.more(this.#buffer.announce());
    if (this.#rests) this.#wake();
  }

  /** Ends the stream. */
  async return(): Promise<IteratorResult<Y>> {
    this.#leave();
    await this.#settled.promise;
    return { value: undefined, done: true };
  }

  /** Ends the stream, then rejects. */
  async throw(reason?: unknown): Promise<IteratorResult<Y>> {
    await this.return();
    throw reason;
  }

  /** Calls {@linkcode Streaming.return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Returns this iterator. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The reader was told of the end, or does not want to know. */
  #observe(end: StreamEnd): void {
    if (end.failed && end.counts) this.#unobserved.remove(this.#call);
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#wake();
    this.#buffer.clear();
    if (!this.#end) this.#call.abort(new CancelledError());
    else if (!this.#told) this.#observe(this.#end);
    this.#serve();
  }

  /** Values have come; false when they are more than may come. */
  #accept(values: readonly unknown[]): boolean {
    if (!this.#buffer.add(values)) return false;
    this.#cameAt = performance.now();
    if (this.#left) this.#buffer.clear();
    else this.#serve();
    if (this.#buffer.isFull && !this.#left) this.#unread ??= startTimer(UNREAD, this.#rest);
    return true;
  }

  /** If its task still waits for a reader, it does not keep the program alive from now on. */
  readonly #rest = (): void => {
    this.#unread = undefined;
    if (!this.#buffer.isFull || this.#left || this.#end) return;
    this.#rests = true;
    this.#call.rest();
    onDone(this.#abandon);
  };

  #wake(): void {
    this.#unread?.clear();
    this.#unread = undefined;
    this.#rests = false;
    offDone(this.#abandon);
  }

  /** The program has nothing left to do: so nobody will read on. */
  readonly #abandon = (): void => this.#leave();

  #onSettled(end: StreamEnd): void {
    this.#end = end;
    this.#wake();
    // What was cancelled has not failed, and nobody looks at the error of what was left.
    if (end.failed && end.counts && !this.#left) this.#unobserved.add(this.#call, end.reason);
    this.#settled.resolve();
    this.#serve();
  }

  /** Gives what is there to those who wait. */
  #serve(): void {
    while (this.#waiters.length > 0) {
      let result: IteratorResult<Y> | undefined;
      try {
        result = this.take();
      } catch (reason) {
        this.#waiters.shift()!.reject(reason);
        continue;
      }
      if (!result) return;
      this.#waiters.shift()!.resolve(result);
    }
  }
}

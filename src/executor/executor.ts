// The executor: what users call, the same for threads and processes.
//
//   submit(fn, ...args)                                   map(fn, ...iterables)
//        |  names the task (task_table.ts), makes a call       |  one call for each item (map.ts)
//        |  and its Future (call.ts, future.ts)                |
//        +------------------------+----------------------------+
//                                 v
//   scheduler.ts      the queue (call_queue.ts); which call goes to which worker, when
//                                 v
//   worker_handle.ts  the calls that one worker holds; many calls, one message
//                                 v
//   thread/ process/  the channel: structured clone        == the boundary, wire/messages.ts ==
//                                 v
//   worker/main.ts    runs the calls in order; many answers, one message
//                                 v
//   scheduler.ts      call.fulfil() or call.reject(): the Future, or the map's iterator, has its result

import { keepLocal } from "../wire/marks.ts";
import { SubmittedCall } from "./call.ts";
import { type CallOptions, type CallSettings, readCallOptions } from "./call_options.ts";
import { checkBoolean, checkOptions, optionNames } from "../wire/check.ts";
import type { Engine } from "./engine.ts";
import type { Future } from "../future/future.ts";
import { Mapping } from "./map.ts";
import type { Submittable } from "../task/task.ts";
import {
  type AnyIterable,
  type AnyIterables,
  type MapIterator,
  type MapOptions,
  readMapArguments,
} from "./map_options.ts";
import type { CallStats } from "./stats.ts";

/** What a {@linkcode Executor.map} yields: results, or with `settled: true` how each call ended. */
export type MapResult<R, O> = O extends { settled: true } ? PromiseSettledResult<Awaited<R>>
  : true extends O[keyof O & "settled"] ? Awaited<R> | PromiseSettledResult<Awaited<R>>
  : Awaited<R>;

/** Options of {@linkcode Executor.shutdown}. */
export interface ShutdownOptions {
  /**
   * Whether the promise waits until all calls are done and the workers are gone.
   *
   * @default true
   */
  wait?: boolean | undefined;
  /**
   * Whether calls that have not begun are cancelled.
   *
   * @default false
   */
  cancelFutures?: boolean | undefined;
}

const SHUTDOWN_OPTIONS = optionNames<ShutdownOptions>({ wait: true, cancelFutures: true });

/**
 * Runs calls on workers. Make a {@linkcode ThreadPoolExecutor} or a {@linkcode ProcessPoolExecutor}: the rest of the
 * program is the same for both.
 *
 * @typeParam Stats What {@linkcode Executor.stats} tells.
 */
export abstract class Executor<Stats extends CallStats = CallStats> implements AsyncDisposable {
  static {
    keepLocal((value) => #engine in value, "An executor cannot be sent to a worker: a task that needs one makes it");
  }

  readonly #engine: Engine<Stats>;

  /**
   * Made by its subclasses.
   *
   * @param engine What runs the calls.
   */
  protected constructor(engine: Engine<Stats>) {
    this.#engine = engine;
  }

  /**
   * The same workers, with options for the calls that are submitted through what this returns.
   *
   * @param options A signal, a time limit, a priority, retries.
   * @returns A view of this executor: it takes calls, and has nothing that ends the workers. Its own `with()` adds to these
   * options; an option that is not given, or `undefined`, stays as it was.
   * @throws {TypeError} when an option is of the wrong kind.
   * @throws {RangeError} when a number is out of range.
   *
   * @example A time limit
   * ```ts
   * import { ProcessPoolExecutor, TaskTimeoutError } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
   * const endless = executor.with({ timeout: 50 }).submit(() => {
   *   for (;;);
   * });
   * await assert.rejects(endless.result(), TaskTimeoutError);
   * assert.equal(await executor.submit(() => "still here"), "still here");
   * ```
   */
  with(options: CallOptions): ExecutorView {
    return new View(this.#engine, readCallOptions(options));
  }

  /**
   * Has a worker call `fn(...args)`. Returns at once. Arguments are copied when the call is handed to a worker, by
   * structured clone; what {@linkcode transfer} marks is moved.
   *
   * @param fn A self-contained function, or one of {@linkcode task} or {@linkcode taskModule}.
   * @param args Its arguments, all of them: nothing here is an option.
   * @returns The Future of its result. It fails with whatever `fn` throws, with a `ReferenceError` when an inline
   * function closes over a variable, with a `DataCloneError` when an argument or the result cannot be copied, and with
   * a {@linkcode WorkerLostError} when the worker ends.
   * @throws {TypeError} when `fn` is no function, or a class, or bound or native and so without a source.
   * @throws {Error} when a worker runs this and none of its tasks does, see {@linkcode isWorker}.
   * @throws {ShutdownError} when the executor has been shut down.
   * @throws {BrokenExecutor} when it is broken.
   * @throws {QueueFullError} when `maxQueue` calls wait already.
   *
   * @example One call
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor();
   * assert.equal(await executor.submit((a: number, b: number) => a + b, 1, 2), 3);
   * ```
   */
  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Future<Awaited<R>>;
  /** As above, with a {@linkcode Task}. */
  submit<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Future<Awaited<R>>;
  submit<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Future<Awaited<R>> {
    return submit(this.#engine, undefined, fn, args);
  }

  /**
   * Calls `fn` with each item of an iterable, or with the n-th items of several, of which the shortest ends it all.
   *
   * Everything is submitted when `map` is called, unless `buffersize` is given; an async iterable is read as it comes,
   * and may wait for earlier results. A failed call ends the iteration with its error and cancels the rest, unless
   * `settled: true`. Leaving the loop cancels the rest. However the iteration ends, iterables that have not ended are
   * closed, as by a loop.
   *
   * @param fn A self-contained function, or one of {@linkcode task} or {@linkcode taskModule}.
   * @param iterable The first arguments: an iterable or an async iterable.
   * @param options The options: the last argument, when it is an object that is not iterable.
   * @returns The results, in the order of the items unless `ordered: false`.
   * @throws {TypeError} when `fn` cannot be a task, an input is not iterable or an option is of the wrong kind.
   * @throws {RangeError} when an option is out of range.
   * @throws {Error} when a worker runs this and none of its tasks does, see {@linkcode isWorker}.
   * @throws {ShutdownError} when the executor has been shut down and there is an item.
   * @throws {BrokenExecutor} when it is broken and there is an item.
   * @throws {TimeoutError} (rejects, from the iterator) when `timeout` is over.
   *
   * @example Results in order
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor();
   * const sums = [];
   * for await (const sum of executor.map((a: number, b: number) => a + b, [1, 2], [10, 20])) sums.push(sum);
   * assert.deepEqual(sums, [11, 22]);
   * ```
   */
  map<A, R, O extends MapOptions = object>(
    fn: (a: A) => R,
    iterable: AnyIterable<A>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, with a {@linkcode Task}. */
  map<A, R, O extends MapOptions = object>(
    fn: Submittable<[a: A], R>,
    iterable: AnyIterable<A>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, over two iterables. */
  map<A, B, R, O extends MapOptions = object>(
    fn: Submittable<[a: A, b: B], R>,
    first: AnyIterable<A>,
    second: AnyIterable<B>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, over three iterables. */
  map<A, B, C, R, O extends MapOptions = object>(
    fn: Submittable<[a: A, b: B, c: C], R>,
    first: AnyIterable<A>,
    second: AnyIterable<B>,
    third: AnyIterable<C>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, over any number of iterables. */
  map<A extends unknown[], R>(fn: Submittable<A, R>, ...iterables: AnyIterables<A>): MapIterator<Awaited<R>>;
  /** As above, with options. */
  map<A extends unknown[], R, O extends MapOptions>(
    fn: Submittable<A, R>,
    ...rest: [...iterables: AnyIterables<A>, options: O]
  ): MapIterator<MapResult<R, O>>;
  // deno-lint-ignore no-explicit-any
  map(fn: Submittable<any[], unknown>, ...rest: unknown[]): MapIterator<any> {
    return map(this.#engine, undefined, fn, rest);
  }

  /**
   * Takes no more work, from this moment on. What was submitted is still done, unless it is cancelled here.
   *
   * @param options Whether to wait, and whether to cancel what has not begun.
   * @returns Resolves when all work is done and the workers are gone; at once with `wait: false`. It never rejects, may
   * be called again, and then may cancel what an earlier call did not.
   * @throws {TypeError} when an option is of the wrong kind; nothing has been shut down then.
   *
   * @example Cancelling what has not begun
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   *
   * const executor = new ThreadPoolExecutor();
   * for (let n = 0; n < 100; n++) executor.submit((n: number) => n, n);
   * await executor.shutdown({ cancelFutures: true });
   * ```
   */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    checkOptions("shut down", options, SHUTDOWN_OPTIONS);
    const { wait = true, cancelFutures = false } = options;
    checkBoolean("shut down", "wait", wait);
    checkBoolean("shut down", "cancelFutures", cancelFutures);
    const closed = this.#engine.shutdown(cancelFutures);
    return wait ? closed : Promise.resolve();
  }

  /**
   * Shuts down, cancels what has not begun and ends the workers now: processes by SIGTERM. What runs fails with a
   * {@linkcode WorkerLostError}.
   */
  terminateWorkers(): void {
    this.#engine.end("terminate");
  }

  /** As {@linkcode Executor.terminateWorkers}, with SIGKILL. */
  killWorkers(): void {
    this.#engine.end("kill");
  }

  /**
   * Waits until {@linkcode Executor.submit} takes a call without a {@linkcode QueueFullError}.
   *
   * @returns Resolves when fewer than `maxQueue` calls wait: at once, without that option. It resolves, too, when the
   * executor takes nothing any more, and `submit` then says why.
   *
   * @example A producer that is held
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   *
   * await using executor = new ThreadPoolExecutor({ maxQueue: 10 });
   * for (let n = 0; n < 100; n++) {
   *   await executor.ready();
   *   executor.submit((n: number) => n, n);
   * }
   * ```
   */
  ready(): Promise<void> {
    return this.#engine.queueLimit.ready();
  }

  /** How many workers there are at most. A BullMQExecutor has no limit of its own: `Infinity`. */
  get maxWorkers(): number {
    return this.#engine.maxWorkers;
  }

  /**
   * What the executor is doing at the moment.
   *
   * @returns Counts of its calls, and of its workers where they are its own.
   */
  stats(): Stats {
    return this.#engine.stats();
  }

  /** The end of `await using`: as {@linkcode Executor.shutdown}. It waits for the work and cancels nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

/**
 * What {@linkcode Executor.with} returns: the same workers with options for the calls. It takes calls; only the executor
 * itself is shut down or disposed.
 */
export interface ExecutorView extends Pick<Executor, "submit" | "map" | "with" | "ready"> {}

/** The view of an engine that with() makes. */
export class View implements ExecutorView {
  static {
    keepLocal((value) => #engine in value, "An executor cannot be sent to a worker: a task that needs one makes it");
  }

  readonly #engine: Engine;
  readonly #settings: CallSettings;

  constructor(engine: Engine, settings: CallSettings) {
    this.#engine = engine;
    this.#settings = settings;
  }

  with(options: CallOptions): ExecutorView {
    return new View(this.#engine, readCallOptions(options, this.#settings));
  }

  submit<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Future<Awaited<R>> {
    return submit(this.#engine, this.#settings, fn, args);
  }

  // deno-lint-ignore no-explicit-any
  map(fn: Submittable<any[], unknown>, ...rest: unknown[]): MapIterator<any> {
    return map(this.#engine, this.#settings, fn, rest);
  }

  ready(): Promise<void> {
    return this.#engine.queueLimit.ready();
  }
}

function submit<A extends unknown[], R>(
  engine: Engine,
  settings: CallSettings | undefined,
  fn: Submittable<A, R>,
  args: A,
): Future<Awaited<R>> {
  engine.guard?.check("submit a task");
  const task = engine.tasks.get("submit a task", fn);
  engine.assertOpen();
  engine.queueLimit.admit();
  const call = new SubmittedCall<Awaited<R>>(engine, task, args, settings);
  engine.submit(call);
  return call.future;
}

function map(
  engine: Engine,
  settings: CallSettings | undefined,
  fn: unknown,
  rest: readonly unknown[],
): MapIterator<never> {
  engine.guard?.check("map a task");
  const task = engine.tasks.get("map a task", fn);
  return new Mapping(engine, task, settings, readMapArguments(rest));
}

// The executor: what users call, the same for threads and processes. A call's way, class by class:
//
//   Executor.submit()  executor.ts                       Executor.map()  executor.ts
//        |                                                    |
//   TaskTable          task_table.ts, names the task     TaskTable       task_table.ts
//   QueueLimit         queue_limit.ts, has a place       Mapping         map.ts, the iteration
//   SubmittedCall      call.ts, with its Future          MapReader       map_reader.ts, reads a Source (zip.ts)
//        |                                               MapSupply       map_call.ts, the items until their turn
//        |                                               MappedCall      map_call.ts
//        +--------------------------+-------------------------+
//                                   v
//   Scheduler          pool/scheduler.ts, the Engine (engine.ts) of local workers
//   CallQueue          call_queue.ts                                                          the call is queued
//   Dispatcher         pool/dispatcher.ts, chooses the worker; WorkerPool (pool/worker_pool.ts) starts workers
//   WorkerHandle       pool/worker_handle.ts, the worker; HeldCalls (pool/held_calls.ts)      handed over
//   Outgoing           pool/outgoing.ts, many calls in one message by CallWriter (wire/calls.ts)
//   WorkerChannel      thread/ or process/
//                                   |   == the boundary: wire/messages.ts ==
//   serve()            worker/main.ts, runs the calls in order                                begun
//                                   |   == the boundary: many answers in one message ==
//   WorkerChannel      thread/ or process/
//   Scheduler          by way of WorkerPool, which tells it what workers say
//   CallLifecycle      call_lifecycle.ts, the base of Engine: fulfils, rejects or retries     settled
//        +--------------------------+-------------------------+
//        v                                                    v
//   Future             future/future.ts                  MapBuffer       map_buffer.ts, until next() takes it

import { keepLocal } from "../wire/marks.ts";
import { SubmittedCall } from "./call.ts";
import { type CallOptions, CallSettings } from "./call_options.ts";
import { checkBoolean, checkOptions } from "../wire/check.ts";
import type { Engine } from "./engine.ts";
import type { Future } from "../future/future.ts";
import { Mapping } from "./map.ts";
import { type AnyIterable, type MapIterator, type MapOptions, readMapArguments } from "./map_options.ts";
import type { ExecutorStats } from "./stats.ts";

/** What a {@linkcode Executor.map} yields: results, or with `settled: true` how each call ended. */
export type MapResult<R, O> = O extends { settled: true } ? PromiseSettledResult<Awaited<R>>
  : true extends O[keyof O & "settled"] ? Awaited<R> | PromiseSettledResult<Awaited<R>>
  : Awaited<R>;

/** Options of {@linkcode Executor.shutdown}. */
export interface ShutdownOptions {
  /** Whether to wait until all work is done and the workers are gone; `true` by default. */
  wait?: boolean;
  /** Whether calls that have not begun are cancelled; `false` by default. */
  cancelFutures?: boolean;
}

/**
 * Runs calls on workers. Make a {@linkcode ThreadPoolExecutor} or a {@linkcode ProcessPoolExecutor}: the rest of the
 * program is the same for both.
 */
export abstract class Executor implements AsyncDisposable {
  static {
    keepLocal((value) => #engine in value, "An executor cannot be sent to a worker: a task that needs one makes it");
  }

  readonly #engine: Engine;
  /** What with() has set; `undefined` on the executor itself. */
  readonly #settings: CallSettings | undefined;

  /**
   * Made by its subclasses.
   *
   * @param engine What runs the calls.
   * @param options What applies to all of them.
   */
  protected constructor(engine: Engine, options?: CallOptions) {
    this.#engine = engine;
    this.#settings = options && new CallSettings(options);
  }

  /**
   * The same executor, on the same workers, with options that apply to the calls submitted through what is returned.
   *
   * @param options A signal, a time limit, a priority, retries. What is not given, or `undefined`, is as it was.
   * @returns The same API; shutting it down shuts down this executor.
   * @throws {TypeError} when an option is of the wrong kind.
   * @throws {RangeError} when a number is out of range.
   *
   * @example A time limit
   * ```ts
   * import { ProcessPoolExecutor, TimeoutError } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
   * const endless = executor.with({ timeout: 50 }).submit(() => {
   *   for (;;);
   * });
   * await assert.rejects(endless.result(), TimeoutError);
   * assert.equal(await executor.submit(() => "still here"), "still here");
   * ```
   */
  with(options: CallOptions): Executor {
    void new CallSettings(options); // complains about what was given, before it is mixed with what was set before
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return new ConfiguredExecutor(this.#engine, { ...this.#settings?.options, ...given });
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
  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Future<Awaited<R>> {
    const engine = this.#engine;
    engine.guard?.check("submit a task");
    const task = engine.tasks.get("submit a task", fn);
    engine.assertOpen();
    engine.queueLimit.admit();
    const call = new SubmittedCall<Awaited<R>>(engine, task, args, this.#settings);
    engine.submit(call);
    return call.future;
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
  /** As above, over two iterables. */
  map<A, B, R, O extends MapOptions = object>(
    fn: (a: A, b: B) => R,
    first: AnyIterable<A>,
    second: AnyIterable<B>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, over three iterables. */
  map<A, B, C, R, O extends MapOptions = object>(
    fn: (a: A, b: B, c: C) => R,
    first: AnyIterable<A>,
    second: AnyIterable<B>,
    third: AnyIterable<C>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, over any number of iterables. */
  map<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...iterables: { [K in keyof A]: AnyIterable<A[K]> }
  ): MapIterator<Awaited<R>>;
  // deno-lint-ignore no-explicit-any
  map(fn: (...args: any[]) => unknown, ...rest: unknown[]): MapIterator<any> {
    const engine = this.#engine;
    engine.guard?.check("map a task");
    const task = engine.tasks.get("map a task", fn);
    return new Mapping(engine, task, this.#settings, readMapArguments(rest));
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
    checkOptions("shut down", options);
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

  /**
   * What the executor is doing.
   *
   * @returns Counts of its workers and calls.
   */
  stats(): ExecutorStats {
    return this.#engine.stats();
  }

  /** The end of `await using`: as {@linkcode Executor.shutdown}. It waits for the work and cancels nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

/** What with() returns. */
class ConfiguredExecutor extends Executor {
  constructor(engine: Engine, options: CallOptions) {
    super(engine, options);
  }
}

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

import { keepLocal, transfersOf } from "../wire/marks.ts";
import { map, stream, submit } from "./begin.ts";
import { type CallOptions, CallSettings, readCallOptions } from "./call_options.ts";
import { checkBoolean, checkOptions, checkPositiveInteger, optionNames, refuse, refuseKind } from "../wire/check.ts";
import type { Engine } from "./engine.ts";
import type { Future } from "../future/future.ts";
import type { Submittable } from "../task/task.ts";
import type { AnyIterable, AnyIterables, MapIterator, MapOptions } from "./map_options.ts";
import { type GroupOptions, readGroupArguments, Scope } from "./scope.ts";
import type { CallStats } from "./stats.ts";
import type { StreamIterator } from "./stream.ts";
import { controlOf } from "./worker_control.ts";

/**
 * What {@linkcode Executor.map} yields: results, or with `settled: true` how each call ended.
 *
 * @typeParam R What the task returns.
 * @typeParam O The options of the `map`.
 */
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

/** The engine of an executor. Only its class has the private name. */
let engineOf: (executor: unknown) => Engine;

/**
 * Runs calls on workers. Create a {@linkcode ThreadPoolExecutor} or a {@linkcode ProcessPoolExecutor}: the rest of the
 * program is the same for both.
 *
 * @typeParam Stats What {@linkcode Executor.stats} returns.
 *
 * @example A function for every kind of executor
 * ```ts
 * import { type Executor, ProcessPoolExecutor, ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * async function double(executor: Executor, n: number): Promise<number> {
 *   return await executor.submit((n: number) => n * 2, n);
 * }
 *
 * await using threads = new ThreadPoolExecutor({ maxWorkers: 1 });
 * await using processes = new ProcessPoolExecutor({ maxWorkers: 1 });
 * assert.deepEqual([await double(threads, 1), await double(processes, 2)], [2, 4]);
 * ```
 */
export abstract class Executor<Stats extends CallStats = CallStats> implements AsyncDisposable {
  static {
    keepLocal((value) => #engine in value, "An executor cannot be sent to a worker: a task that needs one makes it");
    engineOf = (executor) => {
      if (typeof executor === "object" && executor !== null && #engine in executor) return executor.#engine;
      refuse("use an executor in a group", "it must be an executor", executor);
    };
  }

  readonly #engine: Engine<Stats>;

  /**
   * For the executors of this package; a class of your own extends one of these.
   *
   * @param engine The Engine that runs the calls. JSR would take the type for a part of the API, and all that it names.
   */
  protected constructor(engine: object) {
    this.#engine = engine as Engine<Stats>;
  }

  /**
   * Returns a view of this executor, with options for the calls that are submitted through it.
   *
   * @param options A signal, a time limit, a priority, retries.
   * @returns The view. It takes calls for the same workers, and cannot be shut down. Its own `with()` adds to these options;
   * an option that is not given, or `undefined`, stays as it was.
   * @throws {TypeError} when an option is unknown or of the wrong type.
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
   * Calls `fn(...args)` on a worker. Returns at once. When a worker gets the call, the arguments are copied by structured
   * clone; what {@linkcode transfer} marks is moved.
   *
   * @param fn A self-contained function, or one of {@linkcode task} or {@linkcode taskModule}.
   * @param args The arguments of `fn`, all of them: options of the call are set by {@linkcode Executor.with}.
   * @returns The Future of the result. It rejects with whatever `fn` throws, with a `ReferenceError` if an inline function
   * closes over a variable, with a `DataCloneError` if an argument or the result cannot be copied, and with a
   * {@linkcode WorkerLostError} if the worker ends before it answers.
   * @throws {TypeError} when `fn` is not a function, or is a class, bound or native, and so has no source that a worker can run.
   * @throws {Error} when a module submits work while a worker loads it, see {@linkcode isWorker}.
   * @throws {ShutdownError} when the executor has been shut down.
   * @throws {BrokenExecutor} when the executor is broken.
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
   * Calls `fn` on workers for each item of an iterable, or for the n-th items of several; the shortest one ends the iteration.
   *
   * All calls are submitted at once unless `buffersize` is given. An async iterable is read as its items come, and may wait
   * for earlier results. A failed call ends the iteration with its error and cancels the rest, unless `settled: true`.
   * Leaving the loop cancels the rest, too. However the iteration ends, it closes the iterables that have not ended, as a
   * loop does.
   *
   * @param fn A self-contained function, or one of {@linkcode task} or {@linkcode taskModule}.
   * @param iterable The arguments of the calls: an iterable or an async iterable; one for each parameter of `fn`.
   * @param options The last argument, if it is an object that is not iterable.
   * @returns The results, in the order of the items unless `ordered: false`.
   * @throws {TypeError} when `fn` cannot be a task, an input is not iterable, or an option is unknown or of the wrong type.
   * @throws {RangeError} when an option is out of range.
   * @throws {Error} when a module submits work while a worker loads it, see {@linkcode isWorker}.
   * @throws {ShutdownError} when the executor has been shut down and there is an item.
   * @throws {BrokenExecutor} when the executor is broken and there is an item.
   * @throws {TimeoutError} (the iterator rejects) when a result is not there within `timeout`.
   * @throws (the iterator rejects) whatever a call of `fn` throws, unless `settled: true`; the reason of `signal`.
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
  map<A extends unknown[], R>(fn: (...args: A) => R, ...iterables: AnyIterables<A>): MapIterator<Awaited<R>>;
  /** As above, with options. */
  map<A extends unknown[], R, O extends MapOptions>(
    fn: (...args: A) => R,
    ...rest: [...iterables: AnyIterables<A>, options: O]
  ): MapIterator<MapResult<R, O>>;
  /** As above, with a {@linkcode Task}. */
  map<A, R, O extends MapOptions = object>(
    fn: Submittable<[a: A], R>,
    iterable: AnyIterable<A>,
    options?: O,
  ): MapIterator<MapResult<R, O>>;
  /** As above, with a {@linkcode Task}, over any number of iterables. */
  map<A extends unknown[], R>(fn: Submittable<A, R>, ...iterables: AnyIterables<A>): MapIterator<Awaited<R>>;
  /** As above, with a {@linkcode Task} and options. */
  map<A extends unknown[], R, O extends MapOptions>(
    fn: Submittable<A, R>,
    ...rest: [...iterables: AnyIterables<A>, options: O]
  ): MapIterator<MapResult<R, O>>;
  // deno-lint-ignore no-explicit-any
  map(fn: Submittable<any[], unknown>, ...rest: unknown[]): MapIterator<any> {
    return map(this.#engine, undefined, fn, rest);
  }

  /**
   * Calls the generator function `fn(...args)` on a worker, and gives what it yields, as it yields it. The call begins at once,
   * or as soon as a worker is free, and has that worker to itself. It runs ahead of the loop by `buffersize` values
   * ({@linkcode CallOptions}); then it is paused at its `yield` until the loop takes some.
   *
   * An async iterable among the arguments stays here: the task gets an async iterable in its place, which reads at most
   * `buffersize` items ahead of the task. It is closed when the task leaves it, or ends.
   *
   * Leaving the loop, `return()` and the option `signal` end the task: `currentTask().signal` aborts, and it is ended at its
   * `yield`, so that its `finally` blocks run. If it has not ended `grace` later, its worker is ended. A stream that is neither
   * read to its end nor left keeps its worker, and a shutdown waits for it; a program that has nothing else to do leaves it.
   *
   * @param fn A self-contained generator function or async generator function, or one of {@linkcode task} or
   * {@linkcode taskModule}; also any other function that returns an iterable or an async iterable.
   * @param args The arguments of `fn`, all of them.
   * @returns The values, in order. The value that `fn` returns is dropped.
   * @throws {TypeError} when `fn` cannot be a task; (the iterator rejects) when it returns nothing that can be iterated.
   * @throws {Error} when a module submits work while a worker loads it, see {@linkcode isWorker}, or when the executor has no
   * streams, as a BullMQExecutor.
   * @throws {ShutdownError} when the executor has been shut down.
   * @throws {BrokenExecutor} when the executor is broken.
   * @throws {QueueFullError} when `maxQueue` calls wait already.
   * @throws {DataCloneError} (the iterator rejects) when an argument or a value cannot be copied.
   * @throws {WorkerLostError} (the iterator rejects) when the worker ends before the task, after all values that have come.
   * @throws (the iterator rejects) whatever `fn` throws, after all that it has yielded before; the reason of `signal`.
   *
   * @example What a task finds, as it finds it
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor();
   * const found = [];
   * for await (const prime of executor.stream(function* (from: number) {
   *   for (let n = from;; n++) {
   *     let divisor = 2;
   *     while (n % divisor !== 0) divisor++;
   *     if (divisor === n) yield n;
   *   }
   * }, 10)) {
   *   found.push(prime);
   *   if (found.length === 3) break; // ends the task
   * }
   * assert.deepEqual(found, [11, 13, 17]);
   * ```
   */
  stream<A extends unknown[], Y>(
    fn: (...args: A) => Iterable<Y> | AsyncIterable<Y>,
    ...args: A
  ): StreamIterator<Awaited<Y>>;
  /** As above, with a {@linkcode Task}. */
  stream<A extends unknown[], Y>(
    fn: Submittable<A, Iterable<Y> | AsyncIterable<Y>>,
    ...args: A
  ): StreamIterator<Awaited<Y>>;
  stream<A extends unknown[], Y>(fn: Submittable<A, unknown>, ...args: A): StreamIterator<Awaited<Y>> {
    return stream(this.#engine, undefined, fn, args);
  }

  /**
   * Opens a group: calls that end together. Leaving its block waits for all of them; when one fails, the others are aborted.
   *
   * A failure that nobody has observed by the next turn of the event loop aborts the group: calls that have not begun are
   * cancelled, and running ones are told by their signal and have their `grace`. Their Futures reject with a
   * {@linkcode CancelledError} whose `cause` is the failure. The end of the block throws the failure, and several as an
   * `AggregateError`, in the order in which they happened. A failure that somebody saw inside the block does not count: by
   * `await`, `catch()`, `exception()` or `outcome`. Nor does a cancelled call. Errors of `map()` are for its reader; they
   * count if nobody has taken them when the group ends.
   *
   * With a block as the last argument, an error that the block throws aborts the group and is thrown when all calls have
   * ended, and failures of calls are dropped then. With `await using`, the language does not tell a group that its block has
   * thrown: the group aborts nothing for it, and waits for its calls. When it fails, too, a `SuppressedError` has both.
   *
   * @param options A signal that aborts the group.
   * @returns The group, for `await using`. In a group, the one outside waits for it, and aborts it.
   * @throws {TypeError} when an argument is of the wrong type.
   * @throws {ShutdownError} in a group that has ended.
   *
   * @example The first failure stops the others
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor({ maxWorkers: 2 });
   * const block = executor.group(async (group) => {
   *   group.submit((text: string) => JSON.parse(text), "{");
   *   return await group.submit(() => new Promise(() => {}));
   * });
   * await assert.rejects(block, SyntaxError);
   * ```
   */
  group(options?: GroupOptions): Group;
  /**
   * As above, for a block.
   *
   * @typeParam T What the block returns.
   * @param block The block; it gets the group.
   * @returns What the block returns, when all calls have ended. In a group, it is a {@linkcode Future}: a failure that nobody
   * observes is one of the group outside.
   * @throws (rejects) what the block throws; or what calls failed with; or the reason of `signal`.
   */
  group<T>(block: (group: Group) => T | PromiseLike<T>): Promise<Awaited<T>>;
  /** As above, with options and a block. */
  group<T>(options: GroupOptions | undefined, block: (group: Group) => T | PromiseLike<T>): Promise<Awaited<T>>;
  group(first?: GroupOptions | GroupBlock, second?: GroupBlock): Group | Promise<unknown> {
    return openGroup(this.#engine, undefined, first, second);
  }

  /**
   * Refuses new calls from now on. Calls that were submitted still run, unless `cancelFutures: true` cancels them. It may be
   * called again, and then cancel what an earlier call did not.
   *
   * @param options Whether to wait, and whether to cancel calls that have not begun.
   * @returns Resolves when all calls are done and the workers are gone; at once with `wait: false`. It never rejects.
   * @throws {TypeError} when an option is unknown or of the wrong type; the executor is not shut down then.
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
   * Shuts down, cancels calls that have not begun and ends the workers at once: processes by SIGTERM. Calls that run reject
   * with a {@linkcode WorkerLostError}.
   *
   * @example Ending a task that has no end
   * ```ts
   * import { ProcessPoolExecutor, WorkerLostError } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
   * const future = executor.submit(() => new Promise(() => {}));
   * while (!future.running()) await new Promise((resolve) => setTimeout(resolve, 10));
   * executor.terminateWorkers();
   * await assert.rejects(future.result(), WorkerLostError);
   * ```
   */
  terminateWorkers(): void {
    this.#engine.end("terminate");
  }

  /** Does what {@linkcode Executor.terminateWorkers} does, and ends processes by SIGKILL. */
  killWorkers(): void {
    this.#engine.end("kill");
  }

  /**
   * Waits until {@linkcode Executor.submit} takes a call without a {@linkcode QueueFullError}.
   *
   * @returns Resolves when fewer than `maxQueue` calls wait; at once without that option. It also resolves when the executor
   * is shut down or broken: `submit` then says so.
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
   * Starts all workers now, `maxWorkers` of them, so that the first calls need not wait for that. Until they are ready,
   * they keep the program alive, and `idleTimeout` ends none of them.
   *
   * @returns Resolves when each of them is ready, its initializer included. Nobody has to await it.
   * @throws {TypeError} when the executor has no workers in this program, as a BullMQExecutor.
   * @throws {Error} when a module does it while a worker loads it, see {@linkcode isWorker}.
   * @throws {ShutdownError} (rejects) when the executor is shut down before they are ready.
   * @throws {BrokenExecutor} (rejects) when an initializer fails, or workers cannot be started.
   *
   * @example Workers that are ready before the first request comes
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor({ maxWorkers: 2 });
   * await executor.warmUp();
   * assert.equal(executor.stats().idle, 2);
   * ```
   */
  warmUp(): Promise<void> {
    return controlOf(this.#engine, "warm up workers").warmUp();
  }

  /**
   * Changes `maxWorkers` while the executor works. With more, calls that wait get their workers at once. With fewer, the
   * workers whose index is not below the new number end: an idle one now, a busy one after the call that it runs. Calls that
   * they have not begun run on the others.
   *
   * @param maxWorkers Maximum number of workers from now on, at least 1.
   * @throws {TypeError} when it is not a number, or the executor has no workers in this program, as a BullMQExecutor.
   * @throws {RangeError} when it is not a positive integer.
   * @throws {Error} when a module does it while a worker loads it, see {@linkcode isWorker}.
   * @throws {ShutdownError} when the executor has been shut down.
   * @throws {BrokenExecutor} when the executor is broken.
   *
   * @example More workers
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
   * executor.resize(2);
   * assert.equal(executor.maxWorkers, 2);
   * ```
   */
  resize(maxWorkers: number): void {
    const action = "resize an executor", workers = controlOf(this.#engine, action);
    if (maxWorkers === undefined) refuseKind(action, "maxWorkers", "a number", maxWorkers);
    checkPositiveInteger(action, "maxWorkers", maxWorkers);
    workers.resize(maxWorkers);
  }

  /**
   * Calls `fn(...args)` once on every worker that is up or starting: to clear caches, to hand out new settings, to collect
   * what each of them has. It starts no worker; {@linkcode Executor.warmUp} does. A worker runs the call before all that it
   * has not been handed; the call counts for `maxTasksPerWorker`, and not for `maxQueue`.
   *
   * @param fn A self-contained function, or one of {@linkcode task} or {@linkcode taskModule}.
   * @param args The arguments of `fn`. Each worker gets a copy.
   * @returns The results, in the order of the workers' indices; none without a worker. When all calls are done and some have
   * failed, it rejects with the error of the first of these: with whatever `fn` throws, with a `DataCloneError` if an
   * argument cannot be copied, with a {@linkcode WorkerLostError} if a worker ends before it answers, with a
   * {@linkcode CancelledError} if a shutdown cancels what has not begun.
   * @throws {TypeError} when `fn` cannot be a task, an argument is marked by {@linkcode transfer}, as it can be moved to one
   * worker only, or the executor has no workers in this program, as a BullMQExecutor. Views of {@linkcode Executor.with} and
   * groups have no `broadcast`, and say so: their options are for calls that one worker runs.
   * @throws {Error} when a module does it while a worker loads it, see {@linkcode isWorker}.
   * @throws {ShutdownError} (rejects) when the executor has been shut down.
   * @throws {BrokenExecutor} (rejects) when the executor is broken.
   *
   * @example What each worker has in its cache
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor({ maxWorkers: 2 });
   * await executor.warmUp();
   * await executor.broadcast((name: string, value: number) => void Reflect.set(globalThis, name, value), "limit", 10);
   * const limits = await executor.broadcast((name: string) => Reflect.get(globalThis, name), "limit");
   * assert.deepEqual(limits, [10, 10]);
   * ```
   */
  broadcast<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>[]>;
  /** As above, with a {@linkcode Task}. */
  broadcast<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Promise<Awaited<R>[]>;
  broadcast<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Promise<Awaited<R>[]> {
    const action = "broadcast a task", workers = controlOf(this.#engine, action);
    const task = this.#engine.tasks.get(action, fn);
    if (args.some((arg) => transfersOf(arg)?.length)) {
      throw new TypeError(
        `Cannot ${action} as what transfer() marks can be moved to one worker only: pass it unmarked`,
      );
    }
    return workers.broadcast(task, args) as Promise<Awaited<R>[]>;
  }

  /** Maximum number of workers. `Infinity` for a BullMQExecutor: its hosts have limits of their own. */
  get maxWorkers(): number {
    return this.#engine.maxWorkers;
  }

  /**
   * Returns what the executor is doing at the moment.
   *
   * @returns Counts of its calls, and of its workers if they are workers of this program.
   *
   * @example How many calls are done
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
   * await executor.submit(() => 1);
   * const { completed, workers } = executor.stats();
   * assert.deepEqual({ completed, workers }, { completed: 1, workers: 1 });
   * ```
   */
  stats(): Stats {
    return this.#engine.stats();
  }

  /** Ends `await using`: shuts the executor down and waits for its calls; none is cancelled. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

/**
 * What {@linkcode Executor.with} returns: the same workers with options for the calls. It takes calls; only the executor
 * itself is shut down or disposed.
 */
export interface ExecutorView extends Pick<Executor, "submit" | "map" | "stream" | "with" | "ready" | "group"> {}

/**
 * What {@linkcode Executor.group} returns. It takes calls until it has ended: while its block runs, and then, from callbacks
 * of its calls, as long as one is under way. Later, its methods throw a {@linkcode ShutdownError}.
 */
export interface Group extends ExecutorView, AsyncDisposable {
  /** Aborts when the group does. For what the block itself does, such as `fetch(url, { signal: group.signal })`. */
  readonly signal: AbortSignal;
  /**
   * Returns a view of another executor, whose calls belong to this group.
   *
   * @param executor The executor.
   * @returns The view.
   * @throws {TypeError} when it is no executor.
   *
   * @example Threads and processes in one group
   * ```ts
   * import { ProcessPoolExecutor, ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using threads = new ThreadPoolExecutor({ maxWorkers: 1 });
   * await using processes = new ProcessPoolExecutor({ maxWorkers: 1 });
   * const sum = await threads.group(async (group) => {
   *   const one = group.submit(() => 1), two = group.on(processes).submit(() => 2);
   *   return await one + await two;
   * });
   * assert.equal(sum, 3);
   * ```
   */
  on(executor: Executor): ExecutorView;
  /**
   * Ends `await using`: waits for all calls of the group.
   *
   * @returns Resolves when they are done; again: the same promise.
   * @throws (rejects) the failure of the group, or an `AggregateError` of several.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

type GroupBlock = (group: Group) => unknown;

/** What with() returns. */
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

  stream<A extends unknown[], Y>(fn: Submittable<A, unknown>, ...args: A): StreamIterator<Awaited<Y>> {
    return stream(this.#engine, this.#settings, fn, args);
  }

  ready(): Promise<void> {
    return this.#engine.queueLimit.ready();
  }

  /** Not of ExecutorView: for those whom no type tells. */
  broadcast(): never {
    throw new TypeError(
      "Cannot broadcast a task with the options of with(), or in a group, as these are for calls that one worker runs: " +
        "use broadcast() of the executor",
    );
  }

  // deno-lint-ignore no-explicit-any
  group(first?: GroupOptions | GroupBlock, second?: GroupBlock): any {
    return openGroup(this.#engine, this.#settings, first, second);
  }
}

/** What group() returns. */
class GroupView extends View implements Group {
  readonly #settings: CallSettings;
  readonly #scope: Scope;

  constructor(engine: Engine, scope: Scope, options: CallOptions) {
    const settings = new CallSettings(options, scope);
    super(engine, settings);
    this.#settings = settings;
    this.#scope = scope;
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  on(executor: Executor): ExecutorView {
    return new View(engineOf(executor), this.#settings);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.leave();
  }
}

function openGroup(
  engine: Engine,
  settings: CallSettings | undefined,
  first: GroupOptions | GroupBlock | undefined,
  second: GroupBlock | undefined,
): Group | Promise<unknown> {
  const { signal, block } = readGroupArguments(first, second);
  const scope = new Scope(settings?.scope, signal);
  const group = new GroupView(engine, scope, settings?.options ?? {});
  return block ? scope.run(() => block(group)) : group;
}

/**
 * Python's `concurrent.futures` for Deno, Bun and Node: threads and processes behind one executor. A program chooses by
 * changing one import line.
 *
 * @example One program, threads or processes
 * ```ts
 * import { ThreadPoolExecutor as Executor } from "@concurrent/futures/thread";
 * // import { ProcessPoolExecutor as Executor } from "@concurrent/futures/process"; // the only line that changes
 * // import { InlineExecutor as Executor } from "@concurrent/futures/inline"; // or this: no workers
 * import assert from "node:assert/strict";
 *
 * await using executor = new Executor(); // leaving the block waits for all the work
 * const future = executor.submit((text: string) => text.split(" ").length, "one two three");
 * assert.equal(await future, 3);
 * ```
 *
 * @module
 */

// The folders of src/ are in the order in which a call meets them; docs/design.md says which file has what.

export {
  BrokenExecutor,
  BrokenProcessPool,
  BrokenThreadPool,
  CancelledError,
  InvalidStateError,
  QueueFullError,
  ShutdownError,
  TaskTimeoutError,
  TimeoutError,
  WorkerLostError,
} from "./src/future/errors.ts";
export { Executor } from "./src/executor/executor.ts";
export { Future } from "./src/future/future.ts";
export { InlineExecutor } from "./src/inline/inline_executor.ts";
export { ProcessPoolExecutor } from "./src/process/process_pool_executor.ts";
export { task, taskModule } from "./src/task/task.ts";
export { ThreadPoolExecutor } from "./src/thread/thread_pool_executor.ts";
export { asCompleted } from "./src/future/as_completed.ts";
export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait } from "./src/future/wait.ts";
export { currentTask, isWorker } from "./src/task/current_task.ts";
export { type Movable, transfer } from "./src/task/transfer.ts";

export type { WorkerExit, WorkerLostDetails } from "./src/future/errors.ts";
export type { WorkerPermissions } from "./src/pool/backend.ts";
export type { CallOptions } from "./src/executor/call_options.ts";
export type { GroupOptions } from "./src/executor/scope.ts";
export type { ExecutorView, Group, MapResult, ShutdownOptions } from "./src/executor/executor.ts";
export type { FutureOutcome, ResultOptions } from "./src/future/future.ts";
export type { AnyIterable, AnyIterables, MapIterator, MapOptions } from "./src/executor/map_options.ts";
export type { InlineExecutorOptions } from "./src/inline/inline_executor.ts";
export type { ExecutorOptions, ProcessPoolExecutorOptions, ThreadPoolExecutorOptions } from "./src/pool/options.ts";
export type { StreamIterator } from "./src/executor/stream.ts";
export type { CallStats, ExecutorStats, FailureCounts, WorkerStats } from "./src/executor/stats.ts";
export type {
  NotCallable,
  Submittable,
  Task,
  TaskFunction,
  TaskModule,
  TaskModuleOptions,
  TaskOf,
  TaskOptions,
} from "./src/task/task.ts";
export type { UnobservedHandler, UnobservedReport } from "./src/future/unobserved.ts";
export type { AsCompletedOptions, CompletionIterator } from "./src/future/as_completed.ts";
export type { ReturnWhen, WaitOptions, WaitResult } from "./src/future/wait.ts";
export type { ErrorConstructorLike } from "./src/wire/error_class.ts";
export type { CurrentTask } from "./src/task/current_task.ts";

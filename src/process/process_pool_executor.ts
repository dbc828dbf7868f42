/**
 * Runs calls in processes of their own, on Deno, Bun and Node.
 *
 * @module
 */

import { assertNotCompiled } from "../process/compiled.ts";
import { processBackend } from "../process/process_backend.ts";
import { Executor } from "./executor.ts";
import type { ProcessPoolExecutorOptions } from "./options.ts";
import { Scheduler } from "./scheduler.ts";

export { Executor };
export type { ExecutorOptions, ProcessPoolExecutorOptions } from "./options.ts";
export type { WorkerPermissions } from "./backend.ts";
export type { CallOptions } from "./call_options.ts";
export type { ExecutorCore, MapResult, ShutdownOptions } from "./executor.ts";
export type { Future, FutureOutcome } from "./future.ts";
export type { AnyIterable, MapIterator, MapOptions } from "./map_options.ts";
export type { ExecutorStats } from "./stats.ts";
export type { TaskFunction } from "./task.ts";
export type { UnobservedFailures, UnobservedHandler } from "./unobserved.ts";
export type { ErrorConstructorLike } from "../wire/error_class.ts";

/**
 * Runs calls in processes of their own: a crash, a memory limit or a native library of a task cannot harm the program.
 *
 * @example Four squares
 * ```ts
 * import { ProcessPoolExecutor } from "@concurrent/futures/process";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ProcessPoolExecutor();
 * const squares = await Array.fromAsync(executor.map((n: number) => n * n, [1, 2, 3, 4]));
 * assert.deepEqual(squares, [1, 4, 9, 16]);
 * ```
 */
export class ProcessPoolExecutor extends Executor {
  /**
   * Makes an executor. Its workers start when they are needed.
   *
   * @param options How many workers, what they run first, how long they stay.
   * @throws {TypeError} when an option is of the wrong kind.
   * @throws {RangeError} when a number is out of range.
   * @throws {Error} when the program is compiled into an executable, which would be started in place of the runtime.
   * @throws {Error} on Deno, when workers would have a permission that the program does not have.
   */
  constructor(options: ProcessPoolExecutorOptions = {}) {
    assertNotCompiled();
    super(new Scheduler(processBackend, options));
  }
}

/**
 * Runs calls in threads: Web Workers on Deno and Bun, `worker_threads` on Node.
 *
 * @module
 */

import { threadBackend } from "./thread_backend.ts";
import { Executor } from "../executor/executor.ts";
import type { ThreadPoolExecutorOptions } from "../pool/options.ts";
import type { ExecutorStats } from "../executor/stats.ts";
import { Scheduler } from "../pool/scheduler.ts";

export { Executor };
export type { ExecutorOptions, ThreadPoolExecutorOptions } from "../pool/options.ts";
export type * from "../pool/public_types.ts";

/**
 * Runs calls in threads of this program. Threads start fast, and buffers can be moved to them or shared with them.
 *
 * @example Four squares
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures/thread";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * const squares = await Array.fromAsync(executor.map((n: number) => n * n, [1, 2, 3, 4]));
 * assert.deepEqual(squares, [1, 4, 9, 16]);
 * ```
 */
export class ThreadPoolExecutor extends Executor<ExecutorStats> {
  /**
   * Creates an executor. Its workers start when they are needed.
   *
   * @param options Options; none is required.
   * @throws {TypeError} when an option is unknown or of the wrong type.
   * @throws {RangeError} when a number is out of range.
   * @throws {Error} on Deno, when workers would have a permission that the program does not have.
   */
  constructor(options: ThreadPoolExecutorOptions = {}) {
    super(new Scheduler(threadBackend, options));
  }
}

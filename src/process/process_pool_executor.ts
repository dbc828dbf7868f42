/**
 * Runs calls in processes of their own, on Deno, Bun and Node.
 *
 * @module
 */

import { assertNotCompiled } from "./compiled.ts";
import { processEntry } from "./command_line.ts";
import { processBackend } from "./process_backend.ts";
import { Executor } from "../executor/executor.ts";
import type { ProcessPoolExecutorOptions } from "../pool/options.ts";
import type { ExecutorStats } from "../executor/stats.ts";
import { Scheduler } from "../pool/scheduler.ts";
import { runtime } from "../runtime.ts";

export { Executor };
export type { ExecutorOptions, ProcessPoolExecutorOptions } from "../pool/options.ts";
export type * from "../pool/public_types.ts";

/**
 * Runs calls in processes of their own: a task that crashes, uses up its memory or does not end cannot harm the program.
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
export class ProcessPoolExecutor extends Executor<ExecutorStats> {
  /**
   * Creates an executor. Its workers start when they are needed.
   *
   * @param options Options; none is required.
   * @throws {TypeError} when an option is unknown or of the wrong type.
   * @throws {RangeError} when a number is out of range.
   * @throws {Error} when there is no file `entry`.
   * @throws {Error} when the program is compiled into an executable, which would be started in place of the runtime.
   * @throws {Error} in a browser.
   * @throws {Error} on Deno, when workers would have a permission that the program does not have.
   */
  constructor(options: ProcessPoolExecutorOptions = {}) {
    if (runtime === "browser") {
      throw new Error("Cannot create ProcessPoolExecutor as browsers have no processes: use ThreadPoolExecutor");
    }
    assertNotCompiled();
    if (options?.entry?.protocol === "file:") processEntry(options.entry);
    super(new Scheduler(processBackend, options));
  }
}

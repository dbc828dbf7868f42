/**
 * Runs calls in this thread: an executor without workers, for debugging, tests, and places that have none.
 *
 * @module
 */

import { Executor } from "../executor/executor.ts";
import type { ExecutorStats } from "../executor/stats.ts";
import type { ExecutorOptions } from "../pool/options.ts";
import { Scheduler } from "../pool/scheduler.ts";
import { inlineBackend } from "./inline_backend.ts";

export { Executor };
export type { ExecutorOptions } from "../pool/options.ts";
export type * from "../pool/public_types.ts";

/**
 * Options of {@linkcode InlineExecutor}: those of the other executors which mean something without workers. `maxWorkers` is
 * allowed, so that a program chooses its executor by one line, and changes nothing: calls run one after another.
 */
export interface InlineExecutorOptions extends Omit<ExecutorOptions, "memoryLimit" | "permissions"> {}

/** Why an option of other executors means nothing here. */
const MEANINGLESS: Readonly<Record<string, string>> = {
  memoryLimit: "calls run in the memory of the program",
  permissions: "calls may do whatever the program may",
  worker: "there is no thread to start",
  env: "calls have the environment of the program",
  cwd: "calls have the working folder of the program",
  entry: "there is no process to start",
  execArgv: "there is no process to start",
};

/**
 * Runs calls in this thread, one after another, each in a turn of the event loop: the third kind of executor, which a program
 * chooses by the same import line. Arguments and results are copied as on their way to a thread, and an inline function sees
 * nothing from outside of it, so what works here works with workers. A task of `task()` is the very function of this program:
 * a breakpoint in it just works.
 *
 * A task has this thread for itself until it returns or awaits something. So nothing interrupts a synchronous task, also no
 * `timeout`; and one that awaits something goes on after its `timeout` or {@linkcode Executor.killWorkers}, though nobody
 * waits for it. An error that nobody catches, and `process.exit()`, end the program as they do outside of tasks.
 *
 * @example Four squares
 * ```ts
 * import { InlineExecutor } from "@concurrent/futures/inline";
 * import assert from "node:assert/strict";
 *
 * await using executor = new InlineExecutor();
 * const squares = await Array.fromAsync(executor.map((n: number) => n * n, [1, 2, 3, 4]));
 * assert.deepEqual(squares, [1, 4, 9, 16]);
 * ```
 */
export class InlineExecutor extends Executor<ExecutorStats> {
  /**
   * Creates an executor.
   *
   * @param options Options; none is required.
   * @throws {TypeError} when an option is unknown, of the wrong type, or means nothing without workers.
   * @throws {RangeError} when a number is out of range.
   */
  constructor(options: InlineExecutorOptions = {}) {
    refuseMeaningless(options);
    super(new Scheduler(inlineBackend, options));
  }
}

function refuseMeaningless(options: object): void {
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined || !Object.hasOwn(MEANINGLESS, name)) continue;
    throw new TypeError(
      `Cannot create InlineExecutor as the option '${name}' means nothing without workers: ${MEANINGLESS[name]}`,
    );
  }
}

/**
 * For tasks: the call that runs now, and whether this is a worker.
 *
 * @module
 */

import { currentPlace } from "../wire/place.ts";
import { getCurrentTask } from "./current.ts";
import type { CurrentTask } from "./running_task.ts";

export type { CurrentTask };

/**
 * Whether this code runs in a worker of an executor: in a task, or in a module that a worker loads for one. Workers also load
 * a program whose tasks are in its own file: it must start its work only where this is `false`.
 *
 * @example A program and its task in one file
 * ```ts
 * import { isWorker, task, ThreadPoolExecutor } from "@concurrent/futures";
 *
 * export const square = task(import.meta.url, function square(n: number): number {
 *   return n * n;
 * });
 *
 * if (!isWorker) {
 *   const executor = new ThreadPoolExecutor();
 *   console.log(await executor.submit(square, 7)); // prints: 49
 *   await executor.shutdown();
 * }
 * ```
 */
export const isWorker: boolean = currentPlace() !== undefined;

/**
 * Returns the call that runs in this worker. A worker runs one call at a time, so it is the same before and after every
 * `await` of a task. It also tells an initializer its worker.
 *
 * @returns The call's signal, its worker's name and index, its attempt, and how to report something.
 * @throws {Error} when no task runs here, as in the main program.
 *
 * @example The name of the worker
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor({ name: "pool" });
 * const name = await executor.submit(async (url: string) => {
 *   const { currentTask } = await import(url);
 *   return currentTask().workerName;
 * }, import.meta.resolve("@concurrent/futures/worker"));
 * assert.equal(name, "pool_0");
 * ```
 */
export function currentTask(): CurrentTask {
  const current = getCurrentTask();
  if (!current) throw new Error("Cannot tell the current task as none runs here: call currentTask() inside a task");
  return current;
}

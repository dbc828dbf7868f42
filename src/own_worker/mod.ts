/**
 * For a worker file of your own, as build tools need one, and for tasks: the call that runs now, and whether this is a worker.
 *
 * The file of a worker imports this first, then its tasks. In a worker that an executor has started from it (the options
 * `worker` of {@linkcode ThreadPoolExecutor} and `entry` of {@linkcode ProcessPoolExecutor}), the import makes it serve that
 * executor. Elsewhere it does nothing.
 *
 * @example A file `my_worker.ts`
 * ```ts
 * import "@concurrent/futures/worker";
 * // Then its tasks: import "./tasks.ts";
 * ```
 *
 * @module
 */

// First: what follows wants to know whether this is a worker.
import "./serve.ts";

export { type CurrentTask, currentTask, isWorker } from "../task/current_task.ts";

/**
 * What a module of tasks imports: {@linkcode task}, {@linkcode taskModule}, {@linkcode transfer}, {@linkcode currentTask} and
 * {@linkcode isWorker}. It does not load the executors, so a worker that imports the module starts fast.
 *
 * @example A module `words.ts`
 * ```ts
 * import { task } from "@concurrent/futures/task";
 *
 * export const countWords = task(import.meta.url, function countWords(text: string): number {
 *   return text.split(/\s+/).length;
 * });
 * ```
 *
 * @module
 */

export { type CurrentTask, currentTask, isWorker } from "./current_task.ts";
export { task, taskModule } from "./task.ts";
export type {
  NotCallable,
  Submittable,
  Task,
  TaskFunction,
  TaskModule,
  TaskModuleOptions,
  TaskOf,
  TaskOptions,
} from "./task.ts";
export { type Movable, transfer } from "./transfer.ts";

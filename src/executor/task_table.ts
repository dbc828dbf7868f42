// The tasks of one executor: each has a number, by which workers know it, and a record of how long it takes.

import { isGenerator } from "../wire/generator.ts";
import { type TaskRef, taskRef } from "../wire/task_ref.ts";

/** What an executor knows of a task. */
export interface TaskRecord {
  readonly number: number;
  readonly ref: TaskRef;
  /** Whether it is known to be a generator function, whose results are a stream. */
  readonly isGenerator: boolean;
  /** How long a short call of it has taken so far, in milliseconds; Infinity until one was answered. */
  cost: number;
  /** How many calls of it in a row were short, as far as is known. */
  proven: number;
}

/** Finds the record of a function, or makes it. */
export class TaskTable {
  readonly #inlineTasks: boolean;
  #byFunction = new WeakMap<object, TaskRecord>();
  /** A function that is created anew for each call is the same task each time. */
  #byName = new Map<string, TaskRecord>();

  /**
   * @param inlineTasks Whether functions may be sent by their source.
   */
  constructor(inlineTasks: boolean) {
    this.#inlineTasks = inlineTasks;
  }

  /**
   * Looks up the task of a function.
   *
   * @param action What the caller wants to do, for the message: "submit a task".
   * @param fn The function.
   * @returns Its record.
   * @throws {TypeError} when `fn` cannot be a task.
   */
  get(action: string, fn: unknown): TaskRecord {
    let task = typeof fn === "function" ? this.#byFunction.get(fn) : undefined;
    if (!task) {
      const ref = taskRef(action, fn, this.#inlineTasks);
      const name = ref.kind === "source"
        ? ref.source
        : `${ref.module} ${ref.name} ${ref.number ?? ""} ${ref.registered ?? ""}`;
      task = this.#byName.get(name);
      if (!task) {
        task = { number: this.#byName.size, ref, isGenerator: isGenerator(fn), cost: Infinity, proven: 0 };
        this.#byName.set(name, task);
      }
      this.#byFunction.set(fn as object, task);
    }
    return task;
  }
}

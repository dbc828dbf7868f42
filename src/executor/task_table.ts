// The tasks of one executor: each gets a number, under which workers know it, and a record of how long it takes.

import { type TaskRef, taskRef } from "../wire/task_ref.ts";

/** A task that an executor has been given. */
export interface TaskRecord {
  readonly number: number;
  readonly ref: TaskRef;
  /** How long a call of it has been taking, in milliseconds; Infinity until one has been answered. */
  cost: number;
}

/** Numbers tasks. */
export class TaskTable {
  readonly #inlineTasks: boolean;
  #byFunction = new WeakMap<object, TaskRecord>();
  /** A function that is made anew for each call is the same task each time. */
  #byName = new Map<string, TaskRecord>();

  /**
   * @param inlineTasks Whether functions may be sent by their source.
   */
  constructor(inlineTasks: boolean) {
    this.#inlineTasks = inlineTasks;
  }

  /**
   * The task that a function is.
   *
   * @param action What cannot be done otherwise, for the message.
   * @param fn The function.
   * @returns Its task.
   * @throws {TypeError} when `fn` cannot be a task.
   */
  get(action: string, fn: unknown): TaskRecord {
    let task = typeof fn === "function" ? this.#byFunction.get(fn) : undefined;
    if (!task) {
      const ref = taskRef(action, fn, this.#inlineTasks);
      const name = ref.kind === "source" ? ref.source : `${ref.module} ${ref.name} ${ref.registered ?? ""}`;
      task = this.#byName.get(name);
      if (!task) {
        task = { number: this.#byName.size, ref, cost: Infinity };
        this.#byName.set(name, task);
      }
      this.#byFunction.set(fn as object, task);
    }
    return task;
  }
}

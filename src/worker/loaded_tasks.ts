// The tasks that the parent has told this worker, and their functions.

import type { Place } from "../wire/place.ts";
import { isInline, type TaskRef } from "../wire/task_ref.ts";
import { type AnyFunction, resolveTask } from "./resolve_task.ts";

/** A task, and its function as soon as that is loaded. */
export interface LoadedTask {
  readonly ref: TaskRef;
  fn: AnyFunction | undefined;
}

/** The tasks of one worker. */
export class LoadedTasks {
  readonly #place: Place;
  readonly #tasks: (LoadedTask | undefined)[] = [];
  #inline = true;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Gives numbers to tasks. */
  add(tasks: readonly (readonly [number, TaskRef])[]): void {
    for (const [number, ref] of tasks) this.#tasks[number] = { ref, fn: undefined };
  }

  get(number: number): LoadedTask | undefined {
    return this.#tasks[number];
  }

  /** Refuses inline tasks from now on. The parent does so, too, but a task can forge its messages. */
  refuseInline(): void {
    this.#inline = false;
  }

  /** Loads the function of a task, and keeps it. Throws or rejects when there is none. */
  load(task: LoadedTask): AnyFunction | Promise<AnyFunction> {
    const found = this.resolve(task.ref);
    if (typeof found === "function") return task.fn = found;
    return found.then((fn) => task.fn = fn);
  }

  /** Finds the function that a task names. Throws or rejects when there is none. */
  resolve(ref: TaskRef): AnyFunction | Promise<AnyFunction> {
    if (!this.#inline && isInline(ref)) {
      throw new TypeError("Cannot run an inline task as inline tasks are switched off");
    }
    return resolveTask(ref, this.#place);
  }

  /** Drops the functions of modules: each is looked for again, which fails if its module was refused. */
  forgetExports(): void {
    for (const task of this.#tasks) if (task?.ref.kind === "export") task.fn = undefined;
  }
}

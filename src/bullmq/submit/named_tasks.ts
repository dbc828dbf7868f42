// The tasks that can be run on another machine: those that have a name there.

import { type TaskRecord, TaskTable } from "../../executor/task_table.ts";

/** Tasks of modules that hosts know by name. */
export class NamedTasks extends TaskTable {
  constructor() {
    super(false);
  }

  /**
   * The task that a function is.
   *
   * @throws {TypeError} when `fn` is not of a module with a name.
   */
  override get(action: string, fn: unknown): TaskRecord {
    const task = super.get(action, fn);
    if (task.ref.kind === "export" && task.ref.registered !== undefined) return task;
    throw new TypeError(
      `Cannot ${action} as hosts know modules by name, and '${
        (fn as { name: string }).name
      }' is of one without: give it ` +
        'the name that serve() has for it, as in task(import.meta.url, fn, { name: "words" }) or taskModule(url, { name: "words" })',
    );
  }
}

// The tasks that a host can run: those whose module has a name that hosts know.

import { type TaskRecord, TaskTable } from "../../executor/task_table.ts";

/** The tasks of a {@linkcode BullMQExecutor}. */
export class NamedTasks extends TaskTable {
  constructor() {
    super(false);
  }

  /**
   * Finds the task of a function.
   *
   * @throws {TypeError} when `fn` is not an export of a module with a name.
   */
  override get(action: string, fn: unknown): TaskRecord {
    const task = super.get(action, fn);
    const { ref } = task;
    if (ref.kind === "export" && ref.registered !== undefined) {
      if (ref.name !== "") return task;
      throw new TypeError(
        `Cannot ${action} as hosts know functions by name, and this one has none: give it the name under which the module ` +
          `exports it, as in task(import.meta.url, fn, { module: "${ref.registered}", name: "countWords" })`,
      );
    }
    throw new TypeError(
      `Cannot ${action} as hosts know modules by name, and the module of '${
        (fn as { name: string }).name
      }' has none: ` +
        'give it the name that serve() has for it, as in task(import.meta.url, fn, { module: "words" }) or ' +
        'taskModule(url, { module: "words" })',
    );
  }
}

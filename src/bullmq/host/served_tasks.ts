// The tasks that jobs may name: exports of the modules that a host serves.

import type { Task } from "../../task/task.ts";
import type { JobData } from "../protocol.ts";
import type { ServeSettings } from "./serve_options.ts";

/**
 * Maximum number of names that a module is asked for. The local executor remembers each, whether the module exports it or
 * not, and jobs can name anything.
 */
const MOST_NAMES = 10_000;

/** Finds tasks by name. */
export class ServedTasks {
  readonly #modules: ServeSettings["modules"];
  /** The names that each module was asked for. */
  readonly #names = new Map<string, Set<string>>();

  constructor(modules: ServeSettings["modules"]) {
    this.#modules = modules;
  }

  /** The task that a job names, if the module is there. The local executor finds out whether the module exports it. */
  find({ module, name }: JobData): Task<unknown[], unknown> | undefined {
    const tasks = this.#modules.get(module);
    if (!tasks) return undefined;
    let names = this.#names.get(module);
    if (!names) this.#names.set(module, names = new Set());
    if (!names.has(name) && names.size === MOST_NAMES) return undefined;
    names.add(name);
    return tasks[name];
  }
}

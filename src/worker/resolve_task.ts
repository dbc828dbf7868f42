// Finds the functions of the tasks that this worker is told.

import { isInline, TASK_NOT_FOUND, type TaskRef } from "../wire/messages.ts";
import { type Place, taskKey } from "../wire/place.ts";
import { type AnyFunction, evaluate } from "./inline_task.ts";

/**
 * How many calls of a task have to be short until finished results wait for others while the next one runs. They are as many
 * messages, for each task and worker; after a long call, the number grows to {@linkcode MOST_TRUSTED}.
 */
export const TRUSTED = 16;

/** A task, and its function as soon as that is loaded. */
export interface LoadedTask {
  readonly ref: TaskRef;
  fn: AnyFunction | undefined;
  /** How many calls of it, at least, have run since one was long, and how many have to until it counts as short. */
  short: number;
  trusted: number;
}

/** The tasks of one worker. */
export class LoadedTasks {
  readonly byNumber: (LoadedTask | undefined)[] = [];
  readonly #place: Place;
  #inline = true;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Gives numbers to tasks. */
  add(tasks: readonly (readonly [number, TaskRef])[]): void {
    for (const [number, ref] of tasks) this.byNumber[number] = { ref, fn: undefined, short: 0, trusted: TRUSTED };
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
    for (const task of this.byNumber) if (task?.ref.kind === "export") task.fn = undefined;
  }
}

/** What Deno (2.9) says when this package, which came from JSR, loads a module from a host that is not JSR. */
const OF_ANOTHER_HOST = /^Importing .* blocked\. JSR packages cannot import non-JSR remote modules/;
const ADVICE =
  " Export the task from a file of your own, which may import that module, and make it a task of that file";

/**
 * Finds the function that a task names.
 *
 * @param ref The name.
 * @param place The worker that looks for it.
 * @returns The function, or a promise of it while its module loads. Throws or rejects when there is none.
 */
export function resolveTask(ref: TaskRef, place: Place): AnyFunction | Promise<AnyFunction> {
  return ref.kind === "source" ? evaluate(ref.source) : load(ref.module, ref.name, place);
}

async function load(module: string, name: string, place: Place): Promise<AnyFunction> {
  let exports: Record<string, unknown>;
  try {
    exports = await importInto(place, module);
    const refused = place.refused.get(module);
    if (refused) throw refused; // the module was told, and did not throw it, or has not yet
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const advice = OF_ANOTHER_HOST.test(why) ? ADVICE : "";
    throw new Error(`Cannot load the task '${name}' as its module ${module} fails to load: ${why}${advice}`, { cause });
  }
  const found = place.tasks.get(taskKey(module, name)) ?? exports[name];
  if (typeof found === "function") return found as AnyFunction;
  const error = new TypeError(
    `Cannot find the task '${name}' as module ${module} exports ${
      found === undefined ? "nothing" : `a ${typeof found}`
    } ` +
      `of that name; it exports: ${Object.keys(exports).join(", ") || "nothing"}`,
  );
  throw Object.assign(error, { code: TASK_NOT_FOUND });
}

async function importInto(place: Place, module: string): Promise<Record<string, unknown>> {
  const { refused, modules, follow } = place;
  if (refused.has(module)) throw refused.get(module);
  modules.add(module);
  place.loading = module;
  try {
    const load = () => import(module);
    return await (follow ? follow(false, load) : load());
  } finally {
    place.loading = undefined;
  }
}

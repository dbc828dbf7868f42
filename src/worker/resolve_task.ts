// Finds the functions of the tasks that this worker is told.

import { isInline, MODULE_NOT_LOADED, TASK_NOT_FOUND, type TaskRef } from "../wire/messages.ts";
import type { Place } from "../wire/place.ts";
import { isGenerator } from "../wire/generator.ts";
import { findElsewhere, findRegistered, type NamedRef } from "../wire/registry.ts";
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

  /**
   * Loads the function of a task, and keeps it; one that yields is looked for each time.
   *
   * @param task The task.
   * @param streams Whether it may be a generator function. The program cannot know what is in a module that it has not loaded.
   * @returns The function. Throws or rejects when there is none.
   */
  load(task: LoadedTask, streams: boolean): AnyFunction | Promise<AnyFunction> {
    const keep = (fn: AnyFunction) => {
      if (!isGenerator(fn)) return task.fn = fn;
      if (streams) return fn;
      throw new TypeError("Cannot run a generator function as a call with one result: use stream()");
    };
    const found = this.resolve(task.ref);
    return typeof found === "function" ? keep(found) : found.then(keep);
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
  ". Export the task from a file of your own, which may import that module, and make it a task of that file";

/**
 * Finds the function that a task names.
 *
 * @param ref The name.
 * @param place The worker that looks for it.
 * @returns The function, or a promise of it while its module loads. Throws or rejects when there is none.
 */
export function resolveTask(ref: TaskRef, place: Place): AnyFunction | Promise<AnyFunction> {
  return ref.kind === "source" ? evaluate(ref.source) : load(ref, place);
}

async function load(ref: NamedRef, place: Place): Promise<AnyFunction> {
  // Its tasks are in that file: the module that the program names can be the program itself, bundled. And a program must not
  // wait for itself: its first module may be waiting for this very call.
  const present = place.own || place.isProgram ? findRegistered(ref) ?? findElsewhere(ref) : undefined;
  if (present) return present as AnyFunction;
  const { module, name } = ref;
  const shown = name ? `'${name}'` : `number ${ref.number}`;
  let exports: Record<string, unknown>;
  let from = module;
  try {
    ({ from, exports } = await importInto(place, module));
    const refused = place.refused.get(module);
    if (refused) throw refused; // the module was told, and did not throw it, or has not yet
  } catch (cause) {
    const advice = place.own ? OWN : adviceOn(cause, ref);
    const message = cause instanceof Error ? shortened(cause.message) : String(cause);
    const why = (advice ? message.replace(/\.$/, "") : message) + advice;
    const error = new Error(`Cannot load the task ${shown} as its module ${module} fails to load: ${why}`, { cause });
    throw place.own ? error : Object.assign(error, { code: MODULE_NOT_LOADED }); // tasks of its own need no module
  }
  const found = findRegistered({ ...ref, module: from }) ?? exports[name];
  if (typeof found === "function") return found as AnyFunction;
  const kind = found === undefined ? "nothing" : `a ${typeof found}`;
  const what = name ? `exports ${kind} of that name` : "does not make as many tasks here as in the program";
  const error = new TypeError(
    `Cannot find the task ${shown} as module ${from} ${what}; it exports: ${
      Object.keys(exports).join(", ") || "nothing"
    }${ref.number !== undefined ? LOST : Object.keys(exports).length === 0 ? LEFT_OUT : ""}`,
  );
  throw Object.assign(error, { code: TASK_NOT_FOUND });
}

/** Advice on tasks that a worker of the user's own does not have. */
const OWN = ". The file of this worker has no such task: import the task's module there, and give it a name, as in " +
  'task(import.meta.url, fn, { name: "square" })';

function adviceOn(cause: unknown, { module, number }: NamedRef): string {
  if (isMissing(cause, module)) return number === undefined ? LEFT_OUT : WRITTEN_DOWN;
  if (cause instanceof Error && OF_ANOTHER_HOST.test(cause.message)) return ADVICE;
  return cause instanceof SyntaxError && cause.message === "Invalid or unexpected token" ? EXECUTABLE : "";
}

/** Advice on what Node (20, 24) says when a module is the program itself, compiled into an executable. */
const EXECUTABLE =
  ". If a build tool has made an executable of the program, workers cannot load it: start them from a file " +
  "inside, by the option 'worker'";

/** Advice on a module that is not where `taskModule()` says. */
const LEFT_OUT =
  ". If a build tool has left it, or its exports, out, make it an entry point of its own there, or use task()";

/** Advice on a module that is not where `task()` says. */
const WRITTEN_DOWN =
  ". If a build tool has written its old place in place of import.meta.url, have it leave that alone, " +
  "in webpack by module.parser.javascript.importMeta: false";

/** A message without the text of a module whose URL is its source. */
function shortened(message: string): string {
  return message.replace(/(data:[^,\s]{0,60},)\S{40,}/g, "$1...");
}

/** Advice on functions of task() which are not called, or not exported. */
const LOST =
  ". Call task() when the module is loaded, in the program and in a worker alike, or give it a name that both know, " +
  'as in task(import.meta.url, fn, { name: "square" })';

interface Loaded {
  /** The URL that was loaded. */
  readonly from: string;
  readonly exports: Record<string, unknown>;
}

async function importInto(place: Place, module: string): Promise<Loaded> {
  const { refused, modules, follow } = place;
  if (refused.has(module)) throw refused.get(module);
  modules.add(module);
  place.loading = module;
  try {
    const load = () => importOrCompiled(module);
    return await (follow ? follow(false, load) : load());
  } finally {
    place.loading = undefined;
  }
}

/** Imports a module, or what a compiler has made of it: no compiler changes `new URL("./words.ts", import.meta.url)`. */
async function importOrCompiled(module: string): Promise<Loaded> {
  try {
    return { from: module, exports: await import(module) };
  } catch (error) {
    const [, before, after] = /^([^?#]*\.)[cm]?[jt]sx?([?#].*)?$/.exec(module) ?? [];
    if (before === undefined || !isMissing(error, module)) throw error;
    for (const ending of ["js", "mjs", "cjs"]) {
      const from = `${before}${ending}${after ?? ""}`;
      if (from === module) continue;
      try {
        return { from, exports: await import(from) };
      } catch (other) {
        if (!isMissing(other, from)) throw other;
      }
    }
    throw error;
  }
}

/** Whether a module was not found itself, rather than one that it imports. */
function isMissing(error: unknown, module: string): boolean {
  const { code, message, url, specifier } = Object(error) as Record<string, unknown>;
  if (typeof url === "string") return url === module; // Node
  if (typeof specifier === "string" && URL.canParse(module)) { // Bun, by the path
    return decodeURIComponent(new URL(module).pathname).endsWith(specifier.replaceAll("\\", "/"));
  }
  const found = /(?:Module not found|Cannot find module) (["'])(.*?)\1/.exec(String(message)); // Deno
  return code === "ERR_MODULE_NOT_FOUND" && found?.[2] === module;
}

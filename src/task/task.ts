// task() and taskModule(): functions that a worker finds by module and name, as Python's pickling does.

import { setTaskRef } from "../wire/marks.ts";
import { register } from "../wire/registry.ts";
import { checkOptions, checkString, optionNames, refuseKind, show } from "../wire/check.ts";

/** Any function. One that is not of {@linkcode task} is sent by its source, so it must not use names from outside of it. */
// deno-lint-ignore no-explicit-any
export type TaskFunction = (...args: any[]) => unknown;

/**
 * A function of a module that is not loaded here, see {@linkcode taskModule}: an executor takes it, and it cannot be called.
 *
 * @typeParam Args The parameters of the function.
 * @typeParam R What the function returns.
 */
export interface Task<Args extends unknown[], R> {
  /** The name under which the module exports the function. */
  readonly name: string;
  /** For type inference; there is no such property. */
  readonly "~call": (...args: Args) => R;
}

/** Stands beside the type of a generic or overloaded function of a {@linkcode TaskModule}, so that it cannot be called. */
export interface NotCallable {
  /** There is no such property. */
  readonly "~notCallable": never;
}

/**
 * What an executor takes: a function or a {@linkcode Task}.
 *
 * @typeParam Args The parameters of the function.
 * @typeParam R What the function returns.
 */
export type Submittable<Args extends unknown[], R> = ((...args: Args) => R) | Task<Args, R> | NotCallable;

/**
 * The function `F` of a module as a task. The type of a generic or overloaded function, which cannot be taken apart, stays
 * whole: `words.first<string>` says which it is. So does `any`.
 *
 * @typeParam F The type of the function.
 */
export type TaskOf<F> = 0 extends 1 & F ? F
  : F extends (...args: infer Args) => infer R ? ((...args: Args) => R) extends F ? Task<Args, R> : F | NotCallable
  : never;

/**
 * The functions that a module exports, each of which is a task.
 *
 * @typeParam M The type of the module: `typeof import("./words.ts")`.
 */
export type TaskModule<M> = {
  readonly [K in keyof M as M[K] extends TaskFunction ? K : never]: TaskOf<M[K]>;
};

/** Options of {@linkcode taskModule}. */
export interface TaskModuleOptions {
  /**
   * Name of the module where it may have another URL: the one under which hosts on other machines have registered it, and the
   * same in each bundle.
   *
   * @default none: its tasks cannot be submitted to a BullMQExecutor
   */
  module?: string | undefined;
}

/** Options of {@linkcode task}. */
export interface TaskOptions extends TaskModuleOptions {
  /**
   * Name of the function, which stays the same when a build tool renames it. For hosts on other machines, the one under which
   * the module exports it there.
   *
   * @default the function's own name
   */
  name?: string | undefined;
}

const MODULE_OPTIONS = optionNames<TaskModuleOptions>({ module: true });
const TASK_OPTIONS = optionNames<TaskOptions>({ name: true, module: true });

/**
 * Makes a function of a module a task. A worker imports the module once, so its imports, its other functions and its state are
 * there. The function stays callable.
 *
 * The worker's copy of the module calls `task()` too, by which the function is found: call it when the module is loaded, and
 * each time in the same order.
 *
 * @typeParam F The type of the function.
 * @param url The module with the function: `import.meta.url`, or `__filename` in CommonJS.
 * @param fn The function.
 * @param options Names for build tools and for other machines.
 * @returns The same function.
 * @throws {TypeError} when `url` is neither an absolute URL nor an absolute path, `fn` is not a function, or an option is
 * unknown or of the wrong type.
 *
 * @example A module `words.ts`
 * ```ts
 * import { task } from "@concurrent/futures/task";
 *
 * export const countWords = task(import.meta.url, function countWords(text: string): number {
 *   return text.split(/\s+/).length;
 * });
 * ```
 */
export function task<F extends TaskFunction>(url: string | URL, fn: F, options: TaskOptions = {}): F {
  const action = "make a task";
  const module = absoluteUrl(action, url);
  checkOptions(action, options, TASK_OPTIONS);
  checkString(action, "name", options.name);
  if (typeof fn !== "function") refuseKind(action, "fn", "a function", fn);
  const name = options.name === undefined ? { name: fn.name } : { name: options.name, named: true };
  setTaskRef(fn, register({ kind: "export", module, ...name, ...registeredName(action, options) }, fn));
  return fn;
}

/**
 * Makes the functions of a module tasks, without loading the module here: `taskModule<typeof import("./words.ts")>(...)`.
 *
 * @typeParam M The type of the module.
 * @param url The module: `new URL("./words.ts", import.meta.url)`. Where there is no such file and a `./words.js` or
 * `./words.mjs` beside it, as after `tsc`, workers load that.
 * @param options The name of the module on other machines.
 * @returns An object with a {@linkcode Task} for each function that the module exports.
 * @throws {TypeError} when `url` is neither an absolute URL nor an absolute path, or an option is unknown or of the wrong type.
 *
 * @example A function of Node's path module, in a thread
 * ```ts
 * import { taskModule, ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * const path = taskModule<typeof import("node:path")>(new URL("node:path"));
 * await using executor = new ThreadPoolExecutor();
 * assert.equal(await executor.submit(path.basename, "a/b.txt", ".txt"), "b");
 * ```
 */
export function taskModule<M>(url: string | URL, options: TaskModuleOptions = {}): TaskModule<M> {
  const action = "make a module of tasks";
  const module = absoluteUrl(action, url);
  checkOptions(action, options, MODULE_OPTIONS);
  const registered = registeredName(action, options);
  const tasks = new Map<string, TaskFunction>();
  return new Proxy(Object.create(null), {
    get(_target, name) {
      // Not thenable: an `await` of the module must not look for a task called `then`.
      if (typeof name === "symbol" || name === "then") return undefined;
      let found = tasks.get(name);
      if (!found) {
        found = () => {
          throw new TypeError(`Cannot call '${name}' of ${module} as it is not loaded here: submit it to an executor`);
        };
        Object.defineProperty(found, "name", { value: name });
        setTaskRef(found, { kind: "export", module, name, ...registered });
        tasks.set(name, found);
      }
      return found;
    },
  });
}

function registeredName(action: string, { module }: TaskModuleOptions): { registered?: string } {
  checkString(action, "module", module);
  return module === undefined ? {} : { registered: module };
}

function absoluteUrl(action: string, url: unknown): string {
  if (typeof url === "string" || url instanceof URL) {
    try {
      return new URL(typeof url === "string" && isPath(url) ? urlOfPath(url) : url).href;
    } catch {
      // Told below.
    }
  }
  throw new TypeError(
    `Cannot ${action} as 'url' must be an absolute URL, as import.meta.url or new URL("./tasks.ts", import.meta.url), or an ` +
      `absolute path, as __filename: received ${show(url)}`,
  );
}

/** Whether this is an absolute path: of a drive or a share of Windows, too. */
function isPath(text: string): boolean {
  return /^(\/(?!\/)|[a-z]:[\\/]|\\\\)/i.test(text);
}

/** As `pathToFileURL()` of `node:url` does it, which a worker would have to load. */
function urlOfPath(path: string): string {
  const isWindows = !path.startsWith("/");
  const escaped = path.replace(isWindows ? /[%?#[\]\n\r\t]/g : /[%?#[\]\n\r\t\\]/g, encodeURIComponent);
  if (!isWindows) return `file://${escaped}`;
  const slashed = escaped.replaceAll("\\", "/");
  return slashed.startsWith("//") ? `file:${slashed}` : `file:///${slashed}`;
}

// task() and taskModule(): functions that a worker finds by their module and name, as Python's pickling does.

import { currentPlace } from "../wire/place.ts";
import { setTaskRef } from "../wire/marks.ts";
import { checkOptions, checkString, show } from "../wire/check.ts";

/** What an executor can be given: any function, of which an inline one has to stand for itself. */
// deno-lint-ignore no-explicit-any
export type TaskFunction = (...args: any[]) => unknown;

/** The functions that a module exports, each of which is a task. */
export type TaskModule<M> = {
  readonly [K in keyof M as M[K] extends TaskFunction ? K : never]: M[K];
};

/** Options of {@linkcode task} and {@linkcode taskModule}. */
export interface TaskOptions {
  /**
   * The name under which hosts on other machines have registered the module, where it may have another URL. Threads and
   * processes have no use for it.
   */
  name?: string;
}

/**
 * Makes a task of a function that its module exports under the function's own name. A worker imports the module once, so
 * the module's other functions, its imports and its state are there. The function stays callable as it is.
 *
 * @param url The module that exports it: `import.meta.url`.
 * @param fn The function; it has a name.
 * @param options The name of the module on other machines.
 * @returns The same function.
 * @throws {TypeError} when `url` is not an absolute URL, or `fn` not a function with a name.
 *
 * @example A module `words.ts`
 * ```ts
 * import { task } from "@concurrent/futures";
 *
 * export const countWords = task(import.meta.url, function countWords(text: string): number {
 *   return text.split(/\s+/).length;
 * });
 * ```
 */
export function task<F extends TaskFunction>(url: string | URL, fn: F, options: TaskOptions = {}): F {
  const module = absoluteUrl("make a task", url);
  const registered = registeredName("make a task", options);
  if (typeof fn !== "function" || fn.name === "") {
    throw new TypeError(
      `Cannot make a task as 'fn' must be a function with the name of its export: received ${show(fn)}`,
    );
  }
  setTaskRef(fn, { kind: "export", module, name: fn.name, ...registered });
  currentPlace()?.tasks.set(`${module} ${fn.name}`, fn);
  return fn;
}

/**
 * The exports of a module as tasks, without loading the module here: `taskModule<typeof import("./words.ts")>(...)`.
 *
 * @typeParam M The module's type.
 * @param url The module: `new URL("./words.ts", import.meta.url)`.
 * @param options The name of the module on other machines.
 * @returns An object with a task for each function that the module exports. They cannot be called here.
 * @throws {TypeError} when `url` is not an absolute URL.
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
export function taskModule<M>(url: string | URL, options: TaskOptions = {}): TaskModule<M> {
  const module = absoluteUrl("make a module of tasks", url);
  const registered = registeredName("make a module of tasks", options);
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

function registeredName(action: string, options: TaskOptions): { registered?: string } {
  checkOptions(action, options);
  checkString(action, "name", options.name);
  return options.name === undefined ? {} : { registered: options.name };
}

function absoluteUrl(action: string, url: unknown): string {
  if (typeof url === "string" || url instanceof URL) {
    try {
      return new URL(url).href;
    } catch {
      // Told below.
    }
  }
  throw new TypeError(
    `Cannot ${action} as 'url' must be an absolute URL, as import.meta.url or new URL("./tasks.ts", import.meta.url): ` +
      `received ${show(url)}`,
  );
}

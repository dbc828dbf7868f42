// From a task's name to its function, in the worker.

import type { TaskRef } from "../wire/task_ref.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/**
 * Finds the function that a task names.
 *
 * @param ref The name.
 * @returns The function, or a promise of it while its module loads. Throws or rejects when there is none.
 */
export function resolveTask(ref: TaskRef): AnyFunction | Promise<AnyFunction> {
  return ref.kind === "source" ? evaluate(ref.source) : load(ref.module, ref.name);
}

function evaluate(source: string): AnyFunction {
  // Indirect, so that the function sees no scope but the global one; strict, as the module that it comes from.
  const evaluateGlobally = eval;
  try {
    return evaluateGlobally(`"use strict"; (${source}\n)`);
  } catch (error) {
    // A method, `{ double(n) { ... } }.double`, is no expression by itself.
    const methods = /^(async\b|\*|[\w$]|\[|")/.test(source) ? tryMethods(evaluateGlobally, source) : undefined;
    if (methods) return methods;
    throw error;
  }
}

function tryMethods(evaluateGlobally: (source: string) => unknown, source: string): AnyFunction | undefined {
  try {
    const [method] = Object.values(evaluateGlobally(`"use strict"; ({ ${source}\n })`) as object);
    return typeof method === "function" ? method : undefined;
  } catch {
    return undefined; // the error of the first try is the better one
  }
}

async function load(module: string, name: string): Promise<AnyFunction> {
  let exports: Record<string, unknown>;
  try {
    exports = await import(module);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot load the task '${name}' as its module ${module} fails to load: ${why}`, { cause });
  }
  const found = exports[name];
  if (typeof found === "function") return found as AnyFunction;
  throw new TypeError(
    `Cannot find the task '${name}' as module ${module} exports ${
      found === undefined ? "nothing" : `a ${typeof found}`
    } ` +
      `of that name; it exports: ${Object.keys(exports).join(", ") || "nothing"}`,
  );
}

/**
 * Says what to do about it when an inline task used a name that it closed over.
 *
 * @param thrown What the task threw.
 * @returns The same; a ReferenceError has a longer message.
 */
export function explainClosure(thrown: unknown): unknown {
  if (!(thrown instanceof ReferenceError)) return thrown;
  // V8's words, and JavaScriptCore's.
  const [, name] = /^([^\s.]+) is not defined$/.exec(thrown.message) ??
    /^Can't find variable: ([^\s.]+)$/.exec(thrown.message) ?? [];
  if (name && !Object.isFrozen(thrown)) {
    thrown.message = `${name} is not defined: an inline task is sent by its source and cannot close over variables; ` +
      `move it to a module and use task(), or pass '${name}' as an argument`;
  }
  return thrown;
}

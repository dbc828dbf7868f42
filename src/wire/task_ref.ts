// Names functions for workers. A worker finds the function again by worker/resolve_task.ts.

import { refuse } from "./check.ts";
import { getTaskRef } from "./marks.ts";
import { isInline, type TaskRef } from "./messages.ts";
import { countOf } from "./registry.ts";

export type { TaskRef };

/**
 * Names a function for a worker.
 *
 * @param action What fails without a name, for the message: "submit a task".
 * @param fn The function.
 * @param inline Whether it may be sent by its source.
 * @returns Its name on the wire.
 * @throws {TypeError} when `fn` is not a function, or its source cannot be run elsewhere.
 */
export function taskRef(action: string, fn: unknown, inline = true): TaskRef {
  if (typeof fn !== "function") refuse(action, "it must be a function", fn);
  const ref = getTaskRef(fn);
  if (ref?.kind === "export" && (inline || !isInline(ref))) {
    return ref.number === undefined ? ref : { ...ref, of: countOf(ref) };
  }
  if (!inline) {
    const where = ref ? " of a module whose URL is its source" : "";
    refuse(action, "inline tasks are switched off", fn, `${where}. Use task() or taskModule() with the URL of a file`);
  }
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    const advice = ". Wrap it: (...args) => fn(...args), or export it from a module and use task()";
    refuse(action, "bound and native functions have no source", fn, advice);
  }
  // A method may be called `class`.
  if (/^class\b/.test(source) && Object.hasOwn(fn, "prototype")) {
    refuse(action, "a class cannot be called", fn, ". Wrap it: () => new It()");
  }
  return { kind: "source", source };
}

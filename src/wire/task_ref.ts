// How a task is named so that a worker can find it; made in the parent, resolved by worker/resolve_task.ts.

/** A function by its source, or the export of a module. */
export type TaskRef =
  | { readonly kind: "source"; readonly source: string }
  | {
    readonly kind: "export";
    readonly module: string;
    readonly name: string;
    /** What hosts on other machines call the module. */
    readonly registered?: string | undefined;
  };

// A registered symbol, so that two copies of this package in one program understand each other's tasks.
const REF: unique symbol = Symbol.for("@concurrent/futures/task") as never;

/** Marks a function as the export of a module. */
export function setTaskRef(fn: object, ref: TaskRef): void {
  Object.defineProperty(fn, REF, { value: ref, configurable: true });
}

/**
 * Names a function for a worker.
 *
 * @param action What cannot be done otherwise, for the message.
 * @param fn The function.
 * @param inline Whether it may be sent by its source.
 * @returns Its name on the wire.
 * @throws {TypeError} when `fn` is not a function, or one whose source does not stand for itself.
 */
export function taskRef(action: string, fn: unknown, inline = true): TaskRef {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${action} as it must be a function: received ${nameOf(fn)}`);
  }
  const ref = (fn as { [REF]?: TaskRef })[REF];
  if (ref) return ref;
  if (!inline) {
    throw new TypeError(
      `Cannot ${action} as inline tasks are switched off: received ${nameOf(fn)}. Use task() or taskModule()`,
    );
  }
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    throw new TypeError(
      `Cannot ${action} as bound and native functions have no source: received ${nameOf(fn)}. ` +
        "Wrap it: (...args) => fn(...args), or export it from a module and use task()",
    );
  }
  if (/^class\b/.test(source)) {
    throw new TypeError(
      `Cannot ${action} as a class cannot be called: received ${nameOf(fn)}. Wrap it: () => new It()`,
    );
  }
  return { kind: "source", source };
}

function nameOf(value: unknown): string {
  if (typeof value === "function") return value.name ? `'${value.name}'` : "an anonymous function";
  return value === null ? "null" : typeof value;
}

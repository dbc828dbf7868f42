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
const REFS: unique symbol = Symbol.for("@concurrent/futures/tasks") as never;

/** Which functions are exports of modules. Not noted on the functions: what inherits from one is no task. */
const refs: WeakMap<object, TaskRef> = ((globalThis as { [REFS]?: typeof refs })[REFS] ??= new WeakMap());

/** The `code` of the error when a module does not export the task that it was asked for. */
export const TASK_NOT_FOUND = "ERR_TASK_NOT_FOUND";

/** Marks a function as the export of a module. */
export function setTaskRef(fn: object, ref: TaskRef): void {
  refs.set(fn, ref);
}

/** Whether a task brings its source with it: that of a function, or in the URL of a module. */
export function isInline(ref: TaskRef): boolean {
  if (ref.kind !== "export") return true;
  return !URL.canParse(ref.module) || /^(data|blob):$/.test(new URL(ref.module).protocol);
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
  const ref = refs.get(fn);
  if (ref?.kind === "export" && (inline || !isInline(ref))) return ref;
  if (!inline) {
    const what = ref ? `${nameOf(fn)} of a module whose URL is its source` : nameOf(fn);
    throw new TypeError(
      `Cannot ${action} as inline tasks are switched off: received ${what}. Use task() or taskModule(), of a file`,
    );
  }
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    throw new TypeError(
      `Cannot ${action} as bound and native functions have no source: received ${nameOf(fn)}. ` +
        "Wrap it: (...args) => fn(...args), or export it from a module and use task()",
    );
  }
  // A method may be called so.
  if (/^class\b/.test(source) && Object.hasOwn(fn, "prototype")) {
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

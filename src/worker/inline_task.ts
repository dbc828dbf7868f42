// Inline tasks: evaluates their source, and explains errors that occur because they run outside of their module.

/** The function of a task. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/**
 * Helpers that build tools call in the functions that they compile, and what replaces them here. Only the source that uses one
 * can see it.
 */
const INJECTED: readonly (readonly [RegExp, unknown])[] = [
  // esbuild, and so tsx, with `keepNames`.
  [/\b__name\d*(?=\()/g, setName],
  // The counters of Istanbul (nyc, Jest, Vitest). Nobody reads those of a worker.
  [/\bcov_[0-9a-z]+(?=\(\)\.(?:s|f|b|bT)\[)/g, counters()],
  // `import()` in Vitest.
  [/\b__vi(?:te_ssr_dynamic)?_import__(?=\()/g, (module: string) => import(module)],
];

const MOVE = "move the function to a module and use task()";

/**
 * Evaluates the source of a function in strict mode, as in a module, and in the global scope.
 *
 * @param source What `toString()` of the function returned. It may be a method.
 * @returns The function. Throws when the source cannot be evaluated by itself.
 */
export function evaluate(source: string): AnyFunction {
  const scope = new Map<string, unknown>();
  for (const [name, value] of INJECTED) for (const [found] of source.matchAll(name)) scope.set(found, value);
  try {
    return evaluateIn(scope, source) as AnyFunction;
  } catch (error) {
    if (error instanceof EvalError) refuseEval(error);
    if (!(error instanceof SyntaxError)) throw error;
    return evaluateMethod(scope, source) ?? refuse(source, error);
  }
}

function evaluateIn(scope: ReadonlyMap<string, unknown>, expression: string): unknown {
  // An indirect call, by which the source sees the global scope alone.
  const evaluateGlobally = eval;
  if (scope.size === 0) return evaluateGlobally(`"use strict"; (${expression}\n)`);
  return evaluateGlobally(`"use strict"; (${[...scope.keys()]}) => (${expression}\n)`)(...scope.values());
}

/** Evaluates a method, `{ double(n) { ... } }.double`, whose source is no expression; `undefined` when it is none. */
function evaluateMethod(scope: ReadonlyMap<string, unknown>, source: string): AnyFunction | undefined {
  let holder: object;
  try {
    holder = evaluateIn(scope, `{ ${source}\n }`) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // the first error tells more
    throw error;
  }
  const [method] = Reflect.ownKeys(holder).map((key) => Object.getOwnPropertyDescriptor(holder, key)!);
  if (typeof method?.value === "function") return method.value;
  throw new TypeError("Cannot run a getter or a setter as a task: wrap it: () => object.name");
}

function refuse(source: string, cause: SyntaxError): never {
  let why = `it cannot be evaluated by itself; ${MOVE}`;
  if (/\bimport\.meta\b/.test(source)) {
    why =
      "an inline task runs outside of its module and has no import.meta; pass what you need of it as an argument, " +
      `such as import.meta.url, or ${MOVE}`;
  } else if (/^(async\b\s*)?\*?\s*#/.test(source)) {
    why = "a method with a # has no meaning outside of its class; wrap it in a function of a module and use task()";
  }
  throw new SyntaxError(`Cannot evaluate the source of an inline task: ${cause.message}: ${why}`, { cause });
}

function refuseEval(cause: EvalError): never {
  throw new EvalError(
    "Cannot evaluate the source of an inline task as this worker may not run code from text, " +
      `by a Content-Security-Policy without 'unsafe-eval' or a flag of the runtime: ${MOVE}`,
    { cause },
  );
}

function setName(target: object, value: string): object {
  return Object.defineProperty(target, "name", { value, configurable: true });
}

/** Takes whatever the counters are used for, such as `cov_1x2y().s[0]++`, and counts nothing. */
function counters(): unknown {
  // With `reportLogic`, a value that is kept for a moment: `cov_1x2y().cov_1x2y_temp = a && b`.
  let kept: unknown;
  const isKept = (key: string | symbol) => typeof key === "string" && key.startsWith("cov_");
  const counting: unknown = new Proxy(() => {}, {
    get: (_target, key) => isKept(key) ? kept : key === Symbol.toPrimitive ? () => 0 : counting,
    set(_target, key, value) {
      if (isKept(key)) kept = value;
      return true;
    },
    apply: () => counting,
  });
  return counting;
}

/**
 * Adds advice to the error of an inline task that used a variable or an import of its module.
 *
 * @param thrown What the task threw.
 * @param source The source of the task.
 * @returns The same, with a longer message where there is advice.
 */
export function explain(thrown: unknown, source: string): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { message } = thrown;
  const advice = thrown instanceof ReferenceError ? adviseOnName(message, source) : adviseOnImport(message, source);
  try {
    if (advice) thrown.message = advice;
  } catch {
    // A frozen error stays as it is.
  }
  return thrown;
}

function adviseOnName(message: string, source: string): string | undefined {
  // The words of V8, and those of JavaScriptCore.
  const [, name] = /^([^\s.]+) is not defined$/.exec(message) ?? /^Can't find variable: ([^\s.]+)$/.exec(message) ?? [];
  if (!name) return undefined;
  const kind = name.replaceAll("$", "\\$");
  if (/import_?meta/.test(name)) {
    return `${name} is not defined: your build tool turned import.meta into this, and an inline task has none; pass what you ` +
      `need of it as an argument, such as import.meta.url, or ${MOVE}`;
  }
  // `(0, path_1.join)("a")`, and names that tools give to imported modules.
  if (/^(__vi(te_ssr)?_import_\d+__|import_\w+)$/.test(name) || new RegExp(`\\(0, ?${kind}\\.`).test(source)) {
    return `${name} is not defined: your build tool turned an import into this, and an inline task has none of the ` +
      `imports of its module; call import() in the task, or ${MOVE}`;
  }
  if (/^(__\w+|_[a-z]+(_[a-z]|[A-Z])\w*)$/.test(name) || new RegExp(`\\b${kind}\\([\\w$]+, ?"`).test(source)) {
    return `${name} is not defined: it looks like a helper that your build tool adds, and an inline task is sent by its ` +
      `source alone; compile for a newer target and without keeping names, or ${MOVE}`;
  }
  return `${name} is not defined: an inline task is sent by its source and cannot close over variables; ` +
    `move it to a module and use task(), or pass '${name}' as an argument`;
}

/** Advice on an `import("./x.ts")` that has found nothing. */
function adviseOnImport(message: string, source: string): string | undefined {
  if (!/\b(module|resolve|import)/i.test(message)) return undefined;
  for (const [, path, name] of source.matchAll(/\b_?import(?:__)?\(\s*["'`](\.\.?\/(?:[^"'`]*\/)?([^"'`/]+))["'`]/g)) {
    if (message.includes(name!)) {
      return `${message}: an inline task runs outside of its module, so "${path}" is not relative to that; ` +
        `pass import.meta.resolve("${path}") as an argument and import it, or ${MOVE}`;
    }
  }
  return undefined;
}

// From the source of a function to the function.

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/**
 * What build tools put into functions, as far as it means the same everywhere: by the name, and what is put in its place.
 * The source sees it, nothing else does.
 */
const INJECTED: readonly (readonly [RegExp, unknown])[] = [
  // esbuild, and so tsx, with `keepNames`.
  [/\b__name\d*(?=\()/g, setName],
  // The counters of Istanbul (nyc, Jest, Vitest): nobody reads a worker's.
  [/\bcov_[0-9a-z]+(?=\(\)\.(?:s|f|b|bT)\[)/g, counters()],
  // `import()` in Vitest.
  [/\b__vi(?:te_ssr_dynamic)?_import__(?=\()/g, (module: string) => import(module)],
];

/**
 * Evaluates the source of a function: strictly, as in a module, and in the global scope.
 *
 * @param source What `toString()` of the function gave; a method's, too.
 * @returns The function. Throws when the source does not stand for itself.
 */
export function evaluate(source: string): AnyFunction {
  const scope = new Map<string, unknown>();
  for (const [name, value] of INJECTED) for (const [found] of source.matchAll(name)) scope.set(found, value);
  try {
    return evaluateIn(scope, source) as AnyFunction;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return evaluateMethod(scope, source) ?? refuse(source, error);
  }
}

function evaluateIn(scope: ReadonlyMap<string, unknown>, expression: string): unknown {
  // Indirect, so that the source sees no scope but the global one.
  const evaluateGlobally = eval;
  if (scope.size === 0) return evaluateGlobally(`"use strict"; (${expression}\n)`);
  return evaluateGlobally(`"use strict"; (${[...scope.keys()]}) => (${expression}\n)`)(...scope.values());
}

/** A method, `{ double(n) { ... } }.double`, is no expression by itself. */
function evaluateMethod(scope: ReadonlyMap<string, unknown>, source: string): AnyFunction | undefined {
  let holder: object;
  try {
    holder = evaluateIn(scope, `{ ${source}\n }`) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // the error of the first try is the better one
    throw error;
  }
  const [method] = Reflect.ownKeys(holder).map((key) => Object.getOwnPropertyDescriptor(holder, key)!);
  if (typeof method?.value === "function") return method.value;
  throw new TypeError("Cannot run a getter or a setter as a task: wrap it, as in () => object.name");
}

function refuse(source: string, cause: SyntaxError): never {
  let why = "it does not stand for itself; move the function to a module and use task()";
  if (/\bimport\.meta\b/.test(source)) {
    why = "an inline task has left its module, and has no import.meta: pass import.meta.url, say, as an argument, " +
      "or move the function to a module and use task()";
  } else if (/^(async\b\s*)?\*?\s*#/.test(source)) {
    why = "a method with a # has no meaning outside of its class; wrap it in a function of a module, and use task()";
  }
  throw new SyntaxError(`Cannot evaluate the source of an inline task: ${cause.message}: ${why}`, { cause });
}

function setName(target: object, value: string): object {
  return Object.defineProperty(target, "name", { value, configurable: true });
}

/** Counts nothing, whatever is done with it: `cov_1x2y().s[0]++`. */
function counters(): unknown {
  // With `reportLogic`, the value that is looked at: `cov_1x2y().cov_1x2y_temp = a && b`.
  let looked: unknown;
  const isLooked = (key: string | symbol) => typeof key === "string" && key.startsWith("cov_");
  const counting: unknown = new Proxy(() => {}, {
    get: (_target, key) => isLooked(key) ? looked : key === Symbol.toPrimitive ? () => 0 : counting,
    set(_target, key, value) {
      if (isLooked(key)) looked = value;
      return true;
    },
    apply: () => counting,
  });
  return counting;
}

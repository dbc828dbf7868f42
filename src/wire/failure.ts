// Whatever a task throws, as a record that structured clone carries whole: classes, properties and causes would be lost
// otherwise (every runtime clones a subclass of Error as a plain Error). toFailure() in the worker, fromFailure() in the parent.

/** A thrown value on the wire. */
export type Failure =
  | { readonly kind: "value"; readonly value: unknown }
  | {
    readonly kind: "error";
    /** The names of its classes, from its own up to the first that every program has. */
    readonly classes: readonly string[];
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    /** Own properties that can be cloned; the others as text. */
    readonly properties: readonly (readonly [string, unknown])[];
    /** Nested failures: `cause`, `errors` and whatever other properties hold errors. */
    readonly nested: readonly (readonly [string, Failure])[];
    /** The members of an AggregateError. */
    readonly errors: readonly Failure[] | undefined;
  };

/** The constructor of an error class; its instances are made without calling it. */
// deno-lint-ignore no-explicit-any
export type ErrorConstructorLike = abstract new (...args: any[]) => Error;

const BUILT_INS: ReadonlyMap<string, ErrorConstructorLike> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]
    .map((type) => [type.name, type]),
);

/** How deep causes are followed; beyond that, text will do. */
const DEEPEST = 16;

/**
 * Turns a thrown value into a record.
 *
 * @param thrown Anything.
 * @param clone Copies a value as the channel would, or throws when it cannot cross.
 * @returns The record; it can always be sent.
 */
export function toFailure(thrown: unknown, clone: (value: unknown) => unknown = structuredClone, depth = 0): Failure {
  if (!isError(thrown)) {
    try {
      return { kind: "value", value: clone(thrown) };
    } catch {
      return toFailure(new Error(`A task threw a value that cannot be cloned: ${textOf(thrown)}`), clone, depth);
    }
  }
  const properties: [string, unknown][] = [];
  const nested: [string, Failure][] = [];
  let errors: Failure[] | undefined;
  for (const key of Object.getOwnPropertyNames(thrown)) {
    if (key === "stack" || key === "message" || key === "name" || isEngines(thrown, key)) continue;
    let value: unknown;
    try {
      value = (thrown as unknown as Record<string, unknown>)[key];
    } catch {
      continue;
    }
    if (key === "errors" && Array.isArray(value)) {
      errors = depth < DEEPEST ? value.map((error) => toFailure(error, clone, depth + 1)) : [];
    } else if (isError(value)) {
      if (depth < DEEPEST) nested.push([key, toFailure(value, clone, depth + 1)]);
    } else {
      try {
        properties.push([key, clone(value)]);
      } catch {
        properties.push([key, textOf(value)]);
      }
    }
  }
  return {
    kind: "error",
    classes: classesOf(thrown),
    name: textOf(thrown.name),
    message: textOf(thrown.message),
    stack: typeof thrown.stack === "string" ? thrown.stack : undefined,
    properties,
    nested,
    errors,
  };
}

/**
 * Makes the error again: of its class where that is known here, with its name, message, properties, causes and the
 * worker's stack.
 *
 * @param failure The record. It came from another program: a malformed one gives an error that says so.
 * @param errorTypes The custom classes, by name.
 * @returns What the task threw.
 */
export function fromFailure(failure: Failure, errorTypes: ReadonlyMap<string, ErrorConstructorLike> = BUILT_INS): unknown {
  if (failure?.kind === "value") return failure.value;
  if (failure?.kind !== "error" || !Array.isArray(failure.classes)) return new Error("A worker sent a malformed failure");
  const { classes, name, message, stack, properties, nested, errors } = failure;
  const error = blank(classes, textOf(message), textOf(name), errorTypes);
  const define = (key: string, value: unknown, enumerable: boolean) => {
    // defineProperty: a property called __proto__ is a property like any other.
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  };
  if (error.name !== name) define("name", textOf(name), false);
  if (typeof stack === "string") define("stack", stack, false);
  for (const [key, value] of properties) define(key, value, key !== "cause");
  for (const [key, value] of nested) define(key, fromFailure(value, errorTypes), key !== "cause");
  if (errors) define("errors", errors.map((member) => fromFailure(member, errorTypes)), false);
  return error;
}

function blank(
  classes: readonly string[],
  message: string,
  name: string,
  errorTypes: ReadonlyMap<string, ErrorConstructorLike>,
): Error {
  if (classes.includes("DOMException")) return new DOMException(message, name);
  const error = new Error(message);
  for (const className of classes) {
    const type = errorTypes.get(className) ?? BUILT_INS.get(className);
    // The constructor is not called: nobody knows its arguments. It stays a true Error, with its stack and all.
    if (type) return Object.setPrototypeOf(error, type.prototype) as Error;
  }
  return error;
}

/** Its class first; a subclass of RangeError that the parent does not know is at least a RangeError there. */
function classesOf(error: Error): string[] {
  const classes: string[] = [];
  for (let at = Object.getPrototypeOf(error); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const name: unknown = Object.hasOwn(at, "constructor") ? at.constructor?.name : undefined;
    if (typeof name === "string" && name !== "") classes.push(name);
    if (classes.length > DEEPEST) break;
  }
  return classes;
}

/** JavaScriptCore puts where an error was made on the error itself, hidden; what a program put there shows. */
function isEngines(error: Error, key: string): boolean {
  return /^(original)?(line|column|sourceURL)$/i.test(key) && !Object.prototype.propertyIsEnumerable.call(error, key);
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]" ||
    Object.prototype.toString.call(value) === "[object DOMException]";
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

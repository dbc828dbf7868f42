// Whatever a task throws, as a record that structured clone carries whole: classes, properties and causes would be lost
// otherwise (every runtime clones a subclass of Error as a plain Error). toFailure() in the worker, fromFailure() in the parent.

import type { ErrorConstructorLike } from "./error_class.ts";

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

/** Every program has these. By name: to touch the classes makes them, which is 0.07 ms of a thread's start on Bun (1.4). */
const BUILT_INS: ReadonlySet<string> = new Set(
  ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "AggregateError"],
);

// A registered symbol, so that a task's copy of this package and the worker's share it.
const ORIGINS: unique symbol = Symbol.for("@concurrent/futures/origins") as never;

/** The classes of errors that were made of a record. One that is sent on may be of a class that only its last receiver has. */
const origins: WeakMap<object, readonly string[]> =
  ((globalThis as { [ORIGINS]?: typeof origins })[ORIGINS] ??= new WeakMap());

/** How deep causes are followed; beyond that, text will do. */
const DEEPEST = 16;

/** Copies a value as the channel would, or throws when it cannot cross. */
type Clone = (value: unknown) => unknown;

/**
 * Turns a thrown value into a record. An error that is met twice, as in a cycle of causes, is one record.
 *
 * @param thrown Anything.
 * @param clone Copies a value as the channel would, or throws when it cannot cross.
 * @returns The record; it can always be sent.
 */
export function toFailure(thrown: unknown, clone: Clone = structuredClone): Failure {
  try {
    return describe(thrown, clone, new Map(), 0);
  } catch {
    // A proxy, say, that throws whatever it is asked.
    return describe(new Error("A task threw a value that cannot be looked at"), clone, new Map(), 0);
  }
}

function describe(thrown: unknown, clone: Clone, known: Map<object, Failure>, depth: number): Failure {
  if (!isError(thrown)) {
    try {
      return { kind: "value", value: clone(thrown) };
    } catch {
      return describe(new Error(`A task threw a value that cannot be cloned: ${textOf(thrown)}`), clone, known, depth);
    }
  }
  const before = known.get(thrown);
  if (before) return before;
  const stack = read(thrown, "stack");
  const properties: [string, unknown][] = [], nested: [string, Failure][] = [], errors: Failure[] = [];
  const members = Object.hasOwn(thrown, "errors") ? read(thrown, "errors") : undefined;
  const failure: Failure = {
    kind: "error",
    classes: origins.get(thrown) ?? classesOf(thrown),
    name: textOf(read(thrown, "name")),
    message: textOf(read(thrown, "message")),
    stack: typeof stack === "string" ? stack : undefined,
    properties,
    nested,
    errors: Array.isArray(members) ? errors : undefined,
  };
  known.set(thrown, failure);
  const deeper = (value: unknown) => describe(value, clone, known, depth + 1);
  if (failure.errors && depth < DEEPEST) errors.push(...(members as unknown[]).map(deeper));
  for (const key of Object.getOwnPropertyNames(thrown)) {
    if (key === "stack" || key === "message" || key === "name" || isEngines(thrown, key)) continue;
    if (key === "errors" && failure.errors) continue;
    const value = read(thrown, key);
    if (isError(value)) {
      if (depth < DEEPEST) nested.push([key, deeper(value)]);
    } else {
      try {
        properties.push([key, clone(value)]);
      } catch {
        properties.push([key, textOf(value)]);
      }
    }
  }
  return failure;
}

/** A property, or nothing when it cannot be read. */
function read(owner: object, key: string): unknown {
  try {
    return (owner as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/**
 * Makes the error again: of its class where that is known here, with its name, message, properties, causes and the
 * worker's stack.
 *
 * @param failure The record. It came from another program: a malformed one gives an error that says so.
 * @param errorTypes The custom classes, by name.
 * @returns What the task threw.
 */
export function fromFailure(failure: Failure, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  try {
    return revive(failure, errorTypes, new Map());
  } catch {
    return new Error("A worker sent a malformed failure");
  }
}

/** Whether a value is a record that {@linkcode toFailure} could have made. */
export function isFailure(value: unknown): value is Failure {
  return typeof value === "object" && value !== null;
}

function revive(
  failure: Failure,
  errorTypes: ReadonlyMap<string, ErrorConstructorLike>,
  made: Map<Failure, Error>,
): unknown {
  if (failure.kind === "value") return failure.value;
  if (failure.kind !== "error") throw new TypeError("No such kind of failure");
  const before = made.get(failure);
  if (before) return before;
  const { classes, name, message, stack, properties, nested, errors } = failure;
  const error = blank(classes, textOf(message), textOf(name), errorTypes);
  made.set(failure, error);
  origins.set(error, classes);
  const define = (key: string, value: unknown, enumerable: boolean) => {
    // defineProperty: a property called __proto__ is a property like any other.
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  };
  if (error.name !== name) define("name", textOf(name), false);
  if (typeof stack === "string") define("stack", stack, false);
  for (const [key, value] of properties) define(key, value, key !== "cause");
  for (const [key, value] of nested) define(key, revive(value, errorTypes, made), key !== "cause");
  if (errors) define("errors", errors.map((member) => revive(member, errorTypes, made)), false);
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
    const type = errorTypes.get(className) ?? builtIn(className);
    // The constructor is not called: nobody knows its arguments. It stays a true Error, with its stack and all.
    if (type) return Object.setPrototypeOf(error, type.prototype) as Error;
  }
  return error;
}

function builtIn(name: string): ErrorConstructorLike | undefined {
  return BUILT_INS.has(name) ? (globalThis as unknown as Record<string, ErrorConstructorLike>)[name] : undefined;
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

// What a task throws, as a record that structured clone carries whole. A clone of the error itself would lose its class, its
// properties and its causes: every runtime clones a subclass of Error as a plain Error. toFailure() makes the record in the
// worker, fromFailure() makes the error again in the parent.

import type { ErrorConstructorLike } from "./error_class.ts";
import { isList, isListOfNames, isListOfPairs, ownProperty, ownValue } from "./parts.ts";

/** A thrown value on the wire. */
export type Failure =
  | { readonly kind: "value"; readonly value: unknown }
  | {
    readonly kind: "error";
    /** The names of its classes, its own first. */
    readonly classes: readonly string[];
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    /** Own properties: as they are if they can be cloned, as text otherwise. */
    readonly properties: readonly (readonly [string, unknown])[];
    /** Own properties that hold errors, such as `cause`. */
    readonly nested: readonly (readonly [string, Failure])[];
    /** The members of an AggregateError. */
    readonly errors: readonly Failure[] | undefined;
  };

/** Classes that every program has. By name: reading the classes creates them, 0.07 ms of a thread's start on Bun (1.4). */
const BUILT_INS: ReadonlySet<string> = new Set(
  ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "AggregateError"],
);

// A registered symbol, so that a task's copy of this package and the worker's share it.
const ORIGINS: unique symbol = Symbol.for("@concurrent/futures/origins") as never;

/** The classes of errors that were made of records. One that is sent on may have a class that its last receiver alone knows. */
const origins: WeakMap<object, readonly string[]> =
  ((globalThis as { [ORIGINS]?: typeof origins })[ORIGINS] ??= new WeakMap());

/** How deep errors are nested in a record; deeper ones are left out. */
const DEEPEST = 16;

/** Errors of one record that keep their stacks: Deno (2.9) takes up to 0.1 ms to write one, and few are ever read. */
const MOST_STACKS = 1000;

/** Classes of an error that are named, and characters of a name. */
const MOST_CLASSES = 17, LONGEST_NAME = 1000;

/** Bits of a bigint that is shown. */
const LONGEST_BIGINT = 4096;

/** Copies a value as the channel would, or throws when it cannot cross. */
type Clone = (value: unknown) => unknown;

// --- In the worker. A thrown value may have traps anywhere: each part is read by itself, and may fail by itself.

/**
 * Turns a thrown value into a record. An error that occurs twice, as in a cycle of causes, is one record.
 *
 * @param thrown Anything.
 * @param clone Copies a value as the channel would, or throws when it cannot cross.
 * @param what The start of the message of the error that replaces a value which cannot cross.
 * @returns The record, which can always be sent.
 */
export function toFailure(
  thrown: unknown,
  clone: Clone = structuredClone,
  what = "A task threw a value that",
): Failure {
  if (isError(thrown)) return describe(thrown, clone, new Map(), 0);
  try {
    return { kind: "value", value: clone(thrown) };
  } catch {
    return toFailure(new Error(`${what} cannot be cloned: ${textOf(thrown)}`), clone);
  }
}

function describe(thrown: Error, clone: Clone, known: Map<object, Failure>, depth: number): Failure {
  const before = known.get(thrown);
  if (before) return before;
  const classes = origins.get(thrown) ?? classesOf(thrown);
  const name = read(thrown, "name"), message = read(thrown, "message");
  const stack = known.size < MOST_STACKS ? read(thrown, "stack") : undefined;
  const properties: [string, unknown][] = [], nested: [string, Failure][] = [], errors: Failure[] = [];
  const members = membersOf(thrown);
  const failure: Failure = {
    kind: "error",
    classes,
    name: name === undefined ? classes[0] ?? "Error" : textOf(name),
    message: message === undefined ? "" : textOf(message),
    stack: typeof stack === "string" ? stack : undefined,
    properties,
    nested,
    errors: members && errors,
  };
  known.set(thrown, failure);
  if (members && depth < DEEPEST) {
    for (const member of members) {
      errors.push(
        isError(member) ? describe(member, clone, known, depth + 1) : toFailure(member, clone, "A member that"),
      );
    }
  }
  for (const key of keysOf(thrown)) {
    if (key === "stack" || key === "message" || key === "name" || isEngines(thrown, key)) continue;
    if (key === "errors" && members) continue;
    const value = read(thrown, key);
    if (isError(value)) {
      if (depth < DEEPEST) nested.push([key, describe(value, clone, known, depth + 1)]);
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

/** A property; `undefined` when reading it throws. */
function read(owner: object, key: string): unknown {
  try {
    return (owner as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function keysOf(error: Error): string[] {
  try {
    return Object.getOwnPropertyNames(error);
  } catch {
    return [];
  }
}

/** The members of an AggregateError. An array with holes is a property like any other: it may have billions of them. */
function membersOf(error: Error): readonly unknown[] | undefined {
  try {
    if (!Object.hasOwn(error, "errors")) return undefined;
    const { errors } = error as AggregateError;
    if (!Array.isArray(errors)) return undefined;
    const members: unknown[] = [];
    for (let i = 0; i < errors.length; i++) {
      if (!Object.hasOwn(errors, i)) return undefined;
      members.push(errors[i]);
    }
    return members;
  } catch {
    return undefined;
  }
}

/** The names of its classes, its own first: the parent uses the first that it knows, such as RangeError. */
function classesOf(error: Error): string[] {
  const classes: string[] = [];
  try {
    let at = Object.getPrototypeOf(error);
    // A proxy may be its own prototype.
    for (let steps = 0; at && at !== Object.prototype && steps < MOST_CLASSES; steps++) {
      const name = classNameOf(at);
      if (typeof name === "string" && name !== "" && name.length <= LONGEST_NAME) classes.push(name);
      at = Object.getPrototypeOf(at);
    }
  } catch {
    // A proxy among them has thrown: the names so far have to do.
  }
  return classes;
}

function classNameOf(prototype: object): unknown {
  try {
    return Object.hasOwn(prototype, "constructor") ? prototype.constructor?.name : undefined;
  } catch {
    return undefined;
  }
}

/** Whether JavaScriptCore has added this property: its own ones, which say where an error was made, are not enumerable. */
function isEngines(error: Error, key: string): boolean {
  if (!/^(original)?(line|column|sourceURL)$/i.test(key)) return false;
  try {
    return !Object.prototype.propertyIsEnumerable.call(error, key);
  } catch {
    return true;
  }
}

function isError(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  try {
    const tag = Object.prototype.toString.call(value);
    return tag === "[object Error]" || tag === "[object DOMException]" || value instanceof Error;
  } catch {
    return false; // such as a revoked proxy
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    // The text of an array contains the texts of its elements, which may be billions.
    // To write 15 million digits takes V8 (Node 24) 40 s.
    if (typeof value === "bigint" && BigInt.asIntN(LONGEST_BIGINT, value) !== value) return "a bigint of many digits";
    return Array.isArray(value) ? "[object Array]" : String(value);
  } catch {
    return tagOf(value);
  }
}

function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value);
  } catch {
    return "[object Object]";
  }
}

// --- In the parent. A record comes from another program: it is mere data until it has been checked.

/**
 * Whether this is a failure: in every part what {@linkcode toFailure} makes. Nothing of it is called.
 *
 * @param value What another program has sent.
 */
export function isFailure(value: unknown): value is Failure {
  try {
    let level: unknown[] = [];
    if (!isRecord(value, level)) return false;
    const met = level.length > 0 ? new Set<unknown>([value]) : undefined;
    for (let depth = 1; level.length > 0; depth++) {
      const deeper: unknown[] = [];
      for (const record of level) {
        if (met!.has(record)) continue;
        met!.add(record);
        if (depth > DEEPEST || !isRecord(record, deeper)) return false;
      }
      level = deeper;
    }
    return true;
  } catch {
    return false; // such as a revoked proxy, which no structured clone contains
  }
}

/** Whether this is the record of a failure, apart from the records in it, which are added to `inner`. */
function isRecord(record: unknown, inner: unknown[]): boolean {
  if (typeof record !== "object" || record === null) return false;
  const kind = ownValue(record, "kind");
  if (kind === "value") return ownProperty(record, "value") !== undefined;
  const stack = ownValue(record, "stack"), errors = ownValue(record, "errors");
  return kind === "error" && typeof ownValue(record, "name") === "string" &&
    typeof ownValue(record, "message") === "string" &&
    (stack === undefined || typeof stack === "string") &&
    isListOfNames(ownValue(record, "classes"), MOST_CLASSES, LONGEST_NAME) &&
    isListOfPairs(ownValue(record, "properties")) && isListOfPairs(ownValue(record, "nested"), inner) &&
    (errors === undefined || isList(errors, inner));
}

/**
 * Makes the error again, with its class if that is known here, its name, message, properties and causes, and the worker's
 * stack.
 *
 * @param failure The record. One that is malformed becomes an error that says so: it came from another program.
 * @param errorTypes The custom classes, by name.
 * @returns What the task threw.
 */
export function fromFailure(failure: Failure, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  return isFailure(failure) ? revive(failure, errorTypes) : new Error("A worker sent a malformed failure");
}

/** Does what {@linkcode fromFailure} does, with a failure that {@linkcode isFailure} has checked. */
export function revive(failure: Failure, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  if (failure.kind === "value") return failure.value;
  const made: Made = new Map();
  const error = make(failure, made, errorTypes);
  // Filling an error adds the nested ones to `made`: they are filled in their turn, however deep they are.
  for (const [failure, error] of made) fill(error, failure, (inner) => make(inner, made, errorTypes));
  return error;
}

/** The errors that are being made, by record: one record may be in several places. */
type Made = Map<ErrorRecord, Error>;

function make(failure: Failure, made: Made, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  if (failure.kind === "value") return failure.value;
  let error = made.get(failure);
  if (!error) made.set(failure, error = blank(failure, errorTypes));
  return error;
}

type ErrorRecord = Extract<Failure, { kind: "error" }>;

/** An error with the nearest class that is known here, and without its properties. */
function blank({ classes, name, message }: ErrorRecord, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): Error {
  if (classes.includes("DOMException")) return new DOMException(message, name);
  const error = new Error(message);
  for (const className of classes) {
    const type = errorTypes.get(className) ?? builtIn(className);
    // The constructor is not called, as its arguments are unknown. The engine still treats it as an Error, with a stack.
    if (type) return Object.setPrototypeOf(error, type.prototype) as Error;
  }
  return error;
}

function builtIn(name: string): ErrorConstructorLike | undefined {
  return BUILT_INS.has(name) ? (globalThis as unknown as Record<string, ErrorConstructorLike>)[name] : undefined;
}

function fill(error: Error, failure: ErrorRecord, make: (failure: Failure) => unknown): void {
  const { classes, name, message, stack, properties, nested, errors } = failure;
  origins.set(error, classes);
  const define = (key: string, value: unknown, enumerable: boolean) => {
    // Not an assignment: a property called __proto__ is a property like any other.
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  };
  // read(): its class may have a getter for the name, which may throw.
  if (read(error, "name") !== name) define("name", name, false);
  // Not the stack of this function.
  define("stack", stack ?? `${name}: ${message}`, false);
  for (const [key, value] of properties) define(key, value, key !== "cause");
  for (const [key, value] of nested) define(key, make(value), key !== "cause");
  if (errors) define("errors", errors.map((member) => make(member)), false);
}

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

/** How deep causes are followed; what is deeper is left out. */
const DEEPEST = 16;

/** Of so many errors in one the stacks are sent: one takes Deno (2.9) up to 0.1 ms to write down, and few are ever read. */
const MOST_STACKS = 1000;

/** How many classes of an error are named, and how long the name of one may be. */
const MOST_CLASSES = 17, LONGEST_NAME = 1000;

/** Copies a value as the channel would, or throws when it cannot cross. */
type Clone = (value: unknown) => unknown;

// --- in the worker: whatever a task throws may have traps anywhere, so each thing is read by itself, and may fail by itself

/**
 * Turns a thrown value into a record. An error that is met twice, as in a cycle of causes, is one record.
 *
 * @param thrown Anything.
 * @param clone Copies a value as the channel would, or throws when it cannot cross.
 * @param what What it is, for the error that stands for a value that cannot cross.
 * @returns The record; it can always be sent.
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

/** A property, or nothing when it cannot be read. */
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

/** The members of an AggregateError. With holes they are a property like any other: there may be billions. */
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

/** Its class first; a subclass of RangeError that the parent does not know is at least a RangeError there. */
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
    // As far as they can be told.
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

/** JavaScriptCore puts where an error was made on the error itself, hidden; what a program put there shows. */
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
    return false; // a revoked proxy, for instance
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    // The text of an array has the texts of all that is in it: there may be billions.
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

// --- in the parent: a record comes from another program, and is nothing but data until it has been looked at

/**
 * Whether this is a failure: exactly what {@linkcode toFailure} makes, to the last part. Nothing of it is called, and it is
 * looked at by what it has, not by the lengths that it claims.
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
    return false; // no structured clone can be so, but a stand-in for one
  }
}

/** Whether this is the record of a failure, whatever those inside are: they are put into `inner`. */
function isRecord(record: unknown, inner: unknown[]): boolean {
  if (typeof record !== "object" || record === null) return false;
  const kind = field(record, "kind");
  if (kind === "value") return own(record, "value") !== undefined;
  const stack = field(record, "stack"), errors = field(record, "errors");
  return kind === "error" && typeof field(record, "name") === "string" &&
    typeof field(record, "message") === "string" &&
    (stack === undefined || typeof stack === "string") && isListOfNames(field(record, "classes")) &&
    isListOfPairs(field(record, "properties")) && isListOfPairs(field(record, "nested"), inner) &&
    (errors === undefined || isList(errors, inner));
}

/** What a record has of its own under a key, unless that is an accessor. */
function own(record: object, key: PropertyKey): { readonly value?: unknown } | undefined {
  const property = Object.getOwnPropertyDescriptor(record, key);
  return property && "value" in property ? property : undefined;
}

/** The same, where there is no difference between what is `undefined` and what is not there. */
function field(record: object, key: PropertyKey): unknown {
  return own(record, key)?.value;
}

/** An array without holes; its elements are put into `elements`. One that claims to be long ends at its first hole. */
function isList(list: unknown, elements: unknown[]): boolean {
  if (!Array.isArray(list)) return false;
  for (let i = 0; i < list.length; i++) {
    const element = own(list, i);
    if (!element) return false;
    elements.push(element.value);
  }
  return true;
}

function isListOfNames(list: unknown): boolean {
  if (!Array.isArray(list) || list.length > MOST_CLASSES) return false;
  for (let i = 0; i < list.length; i++) {
    const name = field(list, i);
    if (typeof name !== "string" || name.length > LONGEST_NAME) return false;
  }
  return true;
}

/** An array of names and whatever belongs to them, which is put into `values`. */
function isListOfPairs(list: unknown, values?: unknown[]): boolean {
  if (!Array.isArray(list)) return false;
  for (let i = 0; i < list.length; i++) {
    const pair = field(list, i);
    if (!Array.isArray(pair) || pair.length !== 2 || typeof field(pair, 0) !== "string") return false;
    const second = own(pair, 1);
    if (!second) return false;
    values?.push(second.value);
  }
  return true;
}

/**
 * Makes the error again: of its class where that is known here, with its name, message, properties, causes and the
 * worker's stack.
 *
 * @param failure The record. It came from another program: one that is no failure gives an error that says so.
 * @param errorTypes The custom classes, by name.
 * @returns What the task threw.
 */
export function fromFailure(failure: Failure, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  return isFailure(failure) ? revive(failure, errorTypes) : new Error("A worker sent a malformed failure");
}

/** As {@linkcode fromFailure}, of what {@linkcode isFailure} has found to be one. */
export function revive(failure: Failure, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  if (failure.kind === "value") return failure.value;
  const made: Made = new Map();
  const error = make(failure, made, errorTypes);
  // Those that are made on the way are filled in their turn, however deep they are.
  for (const [failure, error] of made) fill(error, failure, (inner) => make(inner, made, errorTypes));
  return error;
}

/** The errors that are being made, each of which may be in several places. */
type Made = Map<ErrorRecord, Error>;

function make(failure: Failure, made: Made, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  if (failure.kind === "value") return failure.value;
  let error = made.get(failure);
  if (!error) made.set(failure, error = blank(failure, errorTypes));
  return error;
}

type ErrorRecord = Extract<Failure, { kind: "error" }>;

/** An error of the nearest class that is known here. */
function blank({ classes, name, message }: ErrorRecord, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): Error {
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

function fill(error: Error, failure: ErrorRecord, make: (failure: Failure) => unknown): void {
  const { classes, name, message, stack, properties, nested, errors } = failure;
  origins.set(error, classes);
  const define = (key: string, value: unknown, enumerable: boolean) => {
    // defineProperty: a property called __proto__ is a property like any other.
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  };
  // The name that its class gives it may be a getter, which throws.
  if (read(error, "name") !== name) define("name", name, false);
  // Where it was made again is of no interest.
  define("stack", stack ?? `${name}: ${message}`, false);
  for (const [key, value] of properties) define(key, value, key !== "cause");
  for (const [key, value] of nested) define(key, make(value), key !== "cause");
  if (errors) define("errors", errors.map((member) => make(member)), false);
}

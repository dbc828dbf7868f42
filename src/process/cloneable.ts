// Checks that a value can cross to another process and arrive as it was. The runtimes' channels do not report it when they
// are given the value: Deno (2.9) fails later and then crashes, Bun (1.4) silently copies shared memory, Node turns a Blob
// into `{}`.

import { loadBuiltin, process, runtime } from "../runtime.ts";
import { assertNotLocal } from "../wire/marks.ts";
import { FEW, glance, isSimple, partsOf, partsOfError, partsOfMap, partsOfSet, UNKNOWN } from "../wire/parts.ts";
import { toSend } from "../wire/sendable.ts";

// Not `node:util`, which takes 1.8 ms of a process's start on Bun (1.4).
const {
  isAnyArrayBuffer,
  isArgumentsObject,
  isBoxedPrimitive,
  isDataView,
  isDate,
  isMap,
  isNativeError,
  isPromise,
  isProxy,
  isRegExp,
  isSet,
  isSharedArrayBuffer,
  isSymbolObject,
  isWeakMap,
  isWeakSet,
} = runtime === "browser" ? {} as never : loadBuiltin<typeof import("node:util/types")>("node:util/types");

/** How deep a value may be nested. JavaScriptCore reads whatever it can write, which is up to 40,000 deep. */
const DEEPEST = runtime === "bun" ? 30_000 : undefined;

/** From this length on, it is quicker to format an array without its elements than to list its properties. */
const LONG = runtime === "bun" ? 64 : 512;

/** Deno (2.9) ends the program over a value that it cannot clone. There no element may be a getter, which may return one. */
const FATAL = runtime === "deno";

const NONE: readonly unknown[] = [], COPY_FIRST: readonly unknown[] = [UNKNOWN];

/** A getter of the language, called on a value even if a subclass has overridden it. */
type Getter = (this: unknown) => unknown;
const bufferOfArray = getter(Object.getPrototypeOf(Uint8Array.prototype), "buffer")!;
const bufferOfView = getter(DataView.prototype, "buffer")!;
/** Not on Node 20, which does not lose the worker over a detached buffer either. */
const detached = getter(ArrayBuffer.prototype, "detached");

function getter(prototype: object, name: string): Getter | undefined {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get;
}

/**
 * Prepares values for another process.
 *
 * @param values Any values.
 * @returns The same; or, when there are getters in them, a copy with what these returned.
 * @throws {DOMException} a DataCloneError, when something in them cannot cross.
 * @throws whatever a getter throws.
 */
export function toProcess<V extends readonly unknown[]>(values: V): V {
  return glance(values, isPlain, isWhole) ? values : toSend(values, look, DEEPEST);
}

/**
 * Copies a value as the line to another process would, unless the value can be used as it is.
 *
 * @param value Any value.
 * @returns The same, or a copy.
 * @throws {DOMException} a DataCloneError, when it cannot cross.
 */
export function cloneForProcess(value: unknown): unknown {
  const [ready] = toProcess([value]);
  // Bun (1.4) refuses more values, such as `Math`.
  return isSimple(ready) || runtime !== "bun" ? ready : structuredClone(ready);
}

function look(part: unknown): readonly unknown[] {
  if (typeof part === "symbol") refuse(String(part));
  if (typeof part === "function") refuse(nameOf(part) ? `The function ${nameOf(part)}` : "An anonymous function");
  const value = part as object;
  if (isProxy(value)) refuse("A Proxy");
  if (Array.isArray(value) || isPlain(value)) return partsOf(value, hasOthers);
  if (isDate(value)) return NONE;
  if (ArrayBuffer.isView(value)) return checkBuffer((isDataView(value) ? bufferOfView : bufferOfArray).call(value));
  if (isAnyArrayBuffer(value)) return checkBuffer(value);
  if (isMap(value)) return partsOfMap(value);
  if (isSet(value)) return partsOfSet(value);
  if (isSymbolObject(value)) refuse("A symbol");
  if (isRegExp(value) || isBoxedPrimitive(value)) return NONE;
  assertNotOfPlatform(value);
  // Any other object is copied first, which shows what arrives.
  return isNativeError(value) && hasText(value, "name") && hasText(value, "message") ? partsOfError(value) : COPY_FIRST;
}

/** Whether an object is nothing but its properties. One without any may be a Map, say, with a changed prototype. */
function isPlain(value: object): boolean {
  if (isProxy(value) || (FATAL && isArgumentsObject(value))) return false;
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    assertNotLocal(value);
    if (isNamed(value) || Object.prototype.toString.call(value) !== "[object Object]") return false;
  }
  for (const _ in value) return true;
  return !isMap(value) && !isSet(value) && !isPromise(value) && !isWeakMap(value) && !isWeakSet(value);
}

/** Whether a property is a string or missing. To make a string of anything else, something may have to be called. */
function hasText(value: object, key: string): boolean {
  let property: PropertyDescriptor | undefined;
  for (let at: object | null = value; at && !property; at = Object.getPrototypeOf(at)) {
    property = Object.getOwnPropertyDescriptor(at, key);
  }
  return property === undefined || typeof property.value === "string";
}

/** Whether its class has a `Symbol.toStringTag`, as all but the oldest classes of the language and the platform do. */
function isNamed(value: object): boolean {
  for (let at: object | null = value; at; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, Symbol.toStringTag)) return true;
  }
  return false;
}

function assertNotOfPlatform(value: object): void {
  for (let at: object | null = value; at; at = Object.getPrototypeOf(at)) {
    if (!Object.hasOwn(at, Symbol.toStringTag)) continue;
    const type: unknown = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    const name = typeof type === "function" ? nameOf(type) : "";
    if (name && (globalThis as Record<string, unknown>)[name] === type) refuse(name);
  }
}

/** The name of a function; empty if its `name` is something else, such as a static method. */
// deno-lint-ignore ban-types
function nameOf(fn: Function): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, "name")?.value;
  return typeof name === "string" ? name : "";
}

/** Whether an array is nothing but its elements. */
function isWhole(array: unknown[]): boolean {
  if (isProxy(array)) return false;
  if (array.length > FEW) return !hasOthers(array);
  if (Object.keys(array).length !== array.length) return false;
  for (let i = 0; FATAL && i < array.length; i++) {
    const element = Object.getOwnPropertyDescriptor(array, i);
    if (!element || !("value" in element)) return false;
  }
  return true;
}

/** Whether an array has other properties than its elements. Listing all of them takes as long as sending them. */
function hasOthers(array: unknown[]): boolean {
  if (array.length < LONG) return Object.keys(array).length !== array.length;
  const { inspect } = process.getBuiltinModule?.("node:util") ?? {};
  // A program can change how an array is formatted by its prototype, or by these properties.
  if (!inspect || Object.getPrototypeOf(array) !== Array.prototype || Object.hasOwn(array, "constructor")) return true;
  if (Object.getOwnPropertySymbols(array).length > 0) return true;
  return !/^\[ \.\.\. \d+ more items \]$/.test(inspect(array, { customInspect: false, maxArrayLength: 0, depth: 0 }));
}

function checkBuffer(buffer: unknown): readonly unknown[] {
  if (isSharedArrayBuffer(buffer)) refuse("SharedArrayBuffer");
  if (detached?.call(buffer)) refuse("A detached ArrayBuffer");
  return NONE;
}

function refuse(what: string): never {
  throw new DOMException(`${what} cannot be sent to another process`, "DataCloneError");
}

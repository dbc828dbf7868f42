// What can cross to another process and arrive as it was. The runtimes' own channels do not say it at the call: Deno (2.9)
// fails later and then crashes, Bun (1.4) copies shared memory in silence, Node makes `{}` of a Blob.

import process from "node:process";
// All of `node:util` would be 1.8 ms of a process's start on Bun (1.4).
import {
  isAnyArrayBuffer,
  isBoxedPrimitive,
  isDataView,
  isDate,
  isMap,
  isNativeError,
  isProxy,
  isRegExp,
  isSet,
  isSharedArrayBuffer,
  isSymbolObject,
} from "node:util/types";
import { isSimple, partsOf, partsOfError, partsOfMap, partsOfSet, UNKNOWN } from "../wire/parts.ts";
import { toSend } from "../wire/sendable.ts";

/** How deep a value may be nested. JavaScriptCore reads what it can write, which is 40,000. */
const DEEPEST = "Bun" in globalThis ? 30_000 : undefined;

const NONE: readonly unknown[] = [], COPY_FIRST: readonly unknown[] = [UNKNOWN];

/** Calls a getter of the language's, whatever a subclass has put before it. */
type Getter = (this: unknown) => unknown;
const bufferOfArray = getter(Object.getPrototypeOf(Uint8Array.prototype), "buffer")!;
const bufferOfView = getter(DataView.prototype, "buffer")!;
/** Node 20 cannot tell, but does not lose the worker over it either. */
const detached = getter(ArrayBuffer.prototype, "detached");

function getter(prototype: object, name: string): Getter | undefined {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get;
}

/**
 * Makes values ready to cross to another process.
 *
 * @param values Any values.
 * @returns The same; or, when a getter is among them, a copy that has what it gave.
 * @throws {DOMException} a DataCloneError, when something in them cannot cross.
 * @throws whatever a getter throws.
 */
export function toProcess<V extends readonly unknown[]>(values: V): V {
  return values.every(isSimple) ? values : toSend(values, look, DEEPEST);
}

function look(part: unknown): readonly unknown[] {
  if (typeof part === "symbol") refuse(String(part));
  if (typeof part === "function") refuse(nameOf(part) ? `The function ${nameOf(part)}` : "An anonymous function");
  const value = part as object;
  if (isProxy(value)) refuse("A Proxy");
  if (Array.isArray(value)) return partsOf(value, hasOthers);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return partsOf(value, hasOthers);
  if (ArrayBuffer.isView(value)) return checkBuffer((isDataView(value) ? bufferOfView : bufferOfArray).call(value));
  if (isAnyArrayBuffer(value)) return checkBuffer(value);
  if (isMap(value)) return partsOfMap(value);
  if (isSet(value)) return partsOfSet(value);
  if (isSymbolObject(value)) refuse("A symbol");
  if (isDate(value) || isRegExp(value) || isBoxedPrimitive(value)) return NONE;
  const named = isNamed(value);
  if (isNativeError(value)) return partsOfError(value);
  // One that calls itself something may be anything: a copy shows what it is.
  return named ? COPY_FIRST : partsOf(value, hasOthers);
}

/** Whether a value's class calls itself something (`Symbol.toStringTag`); one of the platform's, which do, is refused. */
function isNamed(value: object): boolean {
  let named = false;
  for (let at: object | null = value; at; at = Object.getPrototypeOf(at)) {
    if (!Object.hasOwn(at, Symbol.toStringTag)) continue;
    named = true;
    const type: unknown = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    const name = typeof type === "function" ? nameOf(type) : "";
    if (name && (globalThis as Record<string, unknown>)[name] === type) refuse(name);
  }
  return named;
}

/** A function's own name, if that is a text: a static method may be called `name`, too. */
// deno-lint-ignore ban-types
function nameOf(fn: Function): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, "name")?.value;
  return typeof name === "string" ? name : "";
}

/** Whether an array has other properties than its elements. What is shown of it says so, whatever its length. */
function hasOthers(array: unknown[]): boolean {
  const { inspect } = process.getBuiltinModule?.("node:util") ?? {};
  // What a program may have put there has a say in how an array is shown.
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

// What can cross to another process and arrive as it was. The runtimes' own channels do not say it at the call: Deno (2.9)
// fails later and then crashes, Bun (1.4) copies shared memory in silence, Node makes `{}` of a Blob.

// All of `node:util` would be 1.8 ms of a process's start on Bun (1.4).
import { isAnyArrayBuffer, isMap, isNativeError, isProxy, isSet, isSharedArrayBuffer } from "node:util/types";

/** What serialization keeps, by its tag; typed arrays aside. */
const CROSSES: ReadonlySet<string> = new Set(
  ["Object", "Array", "Date", "RegExp", "Map", "Set", "Error", "ArrayBuffer", "DataView"]
    .concat(["Boolean", "Number", "String", "BigInt"]),
);

/** The same for each of many values, of which most are mere numbers or texts. */
export function assertAllCloneable(values: readonly unknown[]): void {
  if (!values.every(isPrimitive)) assertCloneable(values);
}

/**
 * Checks that a value can cross to another process.
 *
 * @param value Any value.
 * @throws {DOMException} a DataCloneError, when something in it cannot.
 */
export function assertCloneable(value: unknown): void {
  if (isPrimitive(value)) return;
  const seen = new Set<object>();
  const rest: object[] = [];
  visit(value);
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (isProxy(next)) refuse("A Proxy");
    const tag = Object.prototype.toString.call(next).slice(8, -1);
    if (ArrayBuffer.isView(next)) {
      checkBuffer(next.buffer);
      continue;
    }
    if (!CROSSES.has(tag)) refuse(tag);
    if (isAnyArrayBuffer(next)) {
      checkBuffer(next);
    } else if (Array.isArray(next)) {
      for (const element of next) visit(element);
    } else if (isMap(next)) {
      for (const [key, element] of next) {
        visit(key);
        visit(element);
      }
    } else if (isSet(next)) {
      for (const element of next) visit(element);
    } else if (isNativeError(next)) {
      visit(next.cause);
    } else {
      for (const key of Object.keys(next)) visit((next as Record<string, unknown>)[key]);
    }
  }

  function visit(part: unknown): void {
    if (isPrimitive(part)) return;
    if (typeof part === "function") refuse(part.name ? `The function ${part.name}` : "An anonymous function");
    if (!seen.has(part as object)) {
      seen.add(part as object);
      rest.push(part as object);
    }
  }
}

function isPrimitive(value: unknown): boolean {
  if (typeof value === "symbol") refuse(String(value));
  return value === null || (typeof value !== "object" && typeof value !== "function");
}

function checkBuffer(buffer: ArrayBufferLike): void {
  if (isSharedArrayBuffer(buffer)) refuse("SharedArrayBuffer");
  // Node 20 cannot tell, but does not lose the worker over it either.
  if ((buffer as { detached?: boolean }).detached) refuse("A detached ArrayBuffer");
}

function refuse(what: string): never {
  throw new DOMException(`${what} cannot be sent to another process`, "DataCloneError");
}

// transfer(): marks what of a value is moved instead of copied.

import { refuse, refuseKind } from "../wire/check.ts";
import { markTransfer } from "../wire/marks.ts";

/**
 * What can be moved to another thread: an `ArrayBuffer`, a `MessagePort`, a stream, or what else the runtime moves. Not a view
 * such as `Uint8Array`, but its `buffer`. It needs no library of types, such as DOM.
 */
export type Movable = object & { readonly buffer?: never };

/**
 * Marks buffers, ports and streams inside of an argument, or of a result, that are moved to the other thread instead of
 * copied. To and from processes they are copied all the same.
 *
 * @typeParam T The type of the value.
 * @param value The argument or result: an object.
 * @param transferables What is moved. It cannot be used on this side afterwards.
 * @returns The same value.
 * @throws {TypeError} when `value` is not an object, or `transferables` is not an array.
 *
 * @example A buffer goes to a thread and comes back without a copy
 * ```ts
 * import { ThreadPoolExecutor, transfer } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * const bytes = new Uint8Array(1024);
 * const length = await executor.submit((b: Uint8Array) => b.length, transfer(bytes, [bytes.buffer]));
 * assert.deepEqual([length, bytes.length], [1024, 0]);
 * ```
 */
export function transfer<T>(value: T, transferables: readonly Movable[]): T {
  if (typeof value !== "object" || value === null) refuse("transfer a value", "it must be an object", value);
  if (!Array.isArray(transferables)) refuseKind("transfer a value", "transferables", "an array", transferables);
  markTransfer(value, transferables);
  return value;
}

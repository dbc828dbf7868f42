// Keeps calls that share objects out of one message. Structured clone preserves identity within a message: the shared object
// would be one object in the worker, too, and one task would see what another does to it.

import { assertNotLocal } from "./marks.ts";

/** Objects of one call that are checked. A call with more gets a message of its own, which adds little to its cost. */
const MOST = 64;

/** Properties of one object that are checked. */
const MOST_PARTS = 4 * MOST;

/**
 * Checks that the arguments of a call share no object with other calls of the message. No getter is called.
 *
 * @param args The arguments.
 * @param met The objects of the other calls; those of this one are added.
 * @returns Whether the call may be in that message; false also when it is not cheap to tell.
 * @throws {DOMException} a DataCloneError, when one of them has no meaning in a worker.
 */
export function standApart(args: readonly unknown[], met: Set<object>): boolean {
  const own = new Set<object>();
  const rest: unknown[] = args.slice();
  let apart = true;
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value !== "object" || value === null || own.has(value)) continue;
    if (met.has(value) || own.size === MOST) return false;
    own.add(value);
    if (addParts(value, rest)) continue;
    assertNotLocal(value);
    apart = false;
  }
  if (apart) { for (const object of own) met.add(object); }
  return apart;
}

/** Adds the parts of an object to the rest; false when they cannot be listed cheaply and without calling anything. */
function addParts(value: object, rest: unknown[]): boolean {
  try {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
    if (Array.isArray(value) && value.length > MOST_PARTS) return false;
    const keys = Object.keys(value);
    if (keys.length > MOST_PARTS) return false;
    if (Array.isArray(value) && keys.length === value.length) {
      for (let i = 0; i < value.length; i++) rest.push(value[i]);
      return true;
    }
    for (const key of keys) {
      const property = Object.getOwnPropertyDescriptor(value, key)!;
      if (!("value" in property)) return false;
      rest.push(property.value);
    }
    return true;
  } catch {
    return false; // a Proxy has thrown; sending it fails
  }
}

// One message carries the arguments of many calls, and structured clone keeps identity within a message: an object that two
// calls share would be one object in the worker, and the one task would see what the other did to it.

import { assertNotLocal } from "./marks.ts";

/** Objects that are looked at for one call; with more, a message of its own costs little. */
const MOST = 64;

/** Properties of one object that are looked at. */
const MOST_PARTS = 4 * MOST;

/**
 * Checks that the arguments of a call share nothing with those of others. No getter of theirs is called.
 *
 * @param args The arguments.
 * @param met The objects of the other calls of the message; those of this one are added.
 * @returns Whether the call may be in that message: false also where it cannot be told cheaply.
 * @throws {DOMException} a DataCloneError, when something is met in them that means nothing in another place.
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

/** Puts the parts of an object to the rest, if it is one whose parts can be told. */
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
    return false; // a Proxy has thrown, which is refused when it is sent
  }
}

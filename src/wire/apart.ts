// One message carries the arguments of many calls, and structured clone keeps identity within a message: an object that two
// calls share would be one object in the worker, and the one task would see what the other did to it.

/** Objects that are looked at for one call; with more, a message of its own costs little. */
const MOST = 64;

/**
 * Checks that the arguments of a call share nothing with those of others.
 *
 * @param args The arguments.
 * @param met The objects of the other calls of the message; those of this one are added.
 * @returns Whether the call may be in that message: false also where it cannot be told cheaply.
 */
export function standApart(args: readonly unknown[], met: Set<object>): boolean {
  try {
    return lookAt(args, met);
  } catch {
    return false; // a getter or a proxy has thrown: it does so again when it is sent, and that is the call's error
  }
}

function lookAt(args: readonly unknown[], met: Set<object>): boolean {
  const own = new Set<object>();
  const rest: unknown[] = [...args];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value !== "object" || value === null || own.has(value)) continue;
    if (met.has(value) || own.size === MOST) return false;
    own.add(value);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
    const parts = Object.values(value);
    if (parts.length > MOST * 4) return false;
    rest.push(...parts);
  }
  for (const object of own) met.add(object);
  return true;
}

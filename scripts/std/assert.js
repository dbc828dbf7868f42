// Stands in for @std/assert where JSR cannot be reached: the functions that this project uses, over node:assert/strict.
// scripts/std.ts puts it into node_modules. It is JavaScript, as Node strips no types there.

import node from "node:assert/strict";

/** What all of these throw. */
export class AssertionError extends node.AssertionError {
  static [Symbol.hasInstance](error) {
    return error instanceof node.AssertionError;
  }

  constructor(message) {
    super({ message });
  }
}

export function assert(value, msg) {
  node.ok(value, msg);
}

export function fail(msg) {
  node.fail(msg);
}

export function assertEquals(actual, expected, msg) {
  node.deepEqual(actual, expected, msg);
}

export function assertNotEquals(actual, expected, msg) {
  node.notDeepEqual(actual, expected, msg);
}

export function assertStrictEquals(actual, expected, msg) {
  node.equal(actual, expected, msg);
}

export function assertNotStrictEquals(actual, expected, msg) {
  node.notEqual(actual, expected, msg);
}

export function assertMatch(actual, expected, msg) {
  node.match(actual, expected, msg);
}

export function assertNotMatch(actual, expected, msg) {
  node.doesNotMatch(actual, expected, msg);
}

export function assertThrows(fn, ...expected) {
  try {
    fn();
  } catch (error) {
    return checked(error, expected);
  }
  return node.fail("Expected function to throw");
}

export async function assertRejects(fn, ...expected) {
  let promise;
  node.doesNotThrow(() => promise = fn(), "Function throws when expected to reject");
  node.equal(typeof promise?.then, "function", "Expected function to return a promise");
  try {
    await promise;
  } catch (error) {
    return checked(error, expected);
  }
  return node.fail("Expected function to reject");
}

/** Checks the class of an error, and what its message includes. `[msg]` expects nothing. */
function checked(error, [ErrorClass, msgIncludes = "", msg = ""]) {
  if (typeof ErrorClass !== "function") return error;
  node.ok(error instanceof ErrorClass, `Expected a ${ErrorClass.name}, received ${error?.stack ?? error} ${msg}`);
  node.ok(error.message.includes(msgIncludes), `Expected a message with '${msgIncludes}', received ${error} ${msg}`);
  return error;
}

// A module whose functions the consumer's programs submit.

import { task } from "@concurrent/futures/task";

let calls = 0;

export const shout = task(import.meta.url, function shout(text) {
  return text.toUpperCase() + "!";
});

/** Uses the module's state, which a worker has of its own. */
export const countCalls = task(import.meta.url, function countCalls() {
  return ++calls;
});

/** Not marked: for `taskModule()`. */
export function reverse(text) {
  return [...text].reverse().join("");
}

export function fail(message) {
  throw new RangeError(message);
}

// A worker's line is not ours alone: tasks and what they import send on it (`process.send("ready")`, `postMessage(...)`), and
// so does the runtime (Node tells a watching parent what it loads). So what is ours is sealed, and the rest is not looked at.

import type { FromWorker, ToWorker } from "./messages.ts";

/** The last element of every message of ours. A small integer: arrays of small integers stay that. */
export const SEAL = 0x2f757365;

/**
 * Seals a message, for the line alone: a flat one has the seal in itself from then on, as a copy of it would take longer.
 *
 * @param message The message; a flat one has two elements at least.
 * @returns What {@linkcode open} makes the message of again.
 */
export function seal(message: ToWorker | FromWorker): unknown[] {
  if (!Array.isArray(message)) return [message, SEAL];
  message.push(SEAL);
  return message;
}

/**
 * Opens what came through a line: anything at all. Of what is none of ours, only the last element is read.
 *
 * @param received What came.
 * @returns The message, or what somebody sealed in place of one; `undefined` when it is none of ours.
 */
export function open(received: unknown): unknown {
  if (!Array.isArray(received)) return undefined;
  const last = received.length - 1;
  if (last < 1 || received[last] !== SEAL) return undefined;
  if (last === 1) return received[0];
  received.pop();
  return received;
}

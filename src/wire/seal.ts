// Tells messages of this package from others on the same line. Tasks and what they import may send on it
// (`process.send("ready")`, `postMessage(...)`), and so does the runtime (Node tells a watching parent what it loads). So our
// messages have a seal, and others are ignored.

import type { FromWorker, ToWorker } from "./messages.ts";

/** The last element of each of our messages. A small integer, so that an array of small integers stays one. */
export const SEAL = 0x2f757365;

/**
 * Seals a message that is about to be sent. An array gets the seal added to it, as a copy would take longer.
 *
 * @param message The message. An array has at least two elements.
 * @returns What {@linkcode open} turns into the message again.
 */
export function seal(message: ToWorker | FromWorker): unknown[] {
  if (!Array.isArray(message)) return [message, SEAL];
  message.push(SEAL);
  return message;
}

/**
 * Opens a message. Without a seal, only the last element of an array is read.
 *
 * @param received Anything that came through the line.
 * @returns The message, or what a task has sealed in its place; `undefined` without a seal.
 */
export function open(received: unknown): unknown {
  if (!Array.isArray(received)) return undefined;
  const last = received.length - 1;
  if (last < 1 || received[last] !== SEAL) return undefined;
  if (last === 1) return received[0];
  received.pop();
  return received;
}

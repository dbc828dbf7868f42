// What goes through the channel to another process: a message as it is, by the channel's own clone; on Bun, one with many
// values that JSON keeps goes as text. Bun's clone (1.4) is slow: as text, map() is 36 % faster with small integers, 19 %
// with short strings, and as fast with fractions. On Node 24 and Deno 2.9 nothing is gained, and fractions are 13 % slower.

import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { open, SEAL, seal } from "../wire/seal.ts";
import { valuesOf, withValues } from "../wire/sendable.ts";
import { toProcess } from "./cloneable.ts";

const asText = "Bun" in globalThis;

/** With fewer values than so many, there is nothing to be gained. */
const MANY = 32;

/** How the text of a message ends. */
const TEXT_SEAL = `,${SEAL}]`;

/** A longer string is not text yet: JSON would look at each character, where a clone copies them. */
const LONGEST = 64;

/**
 * Makes a message ready for the channel.
 *
 * @param message The message.
 * @returns What {@linkcode unpack} makes the message of again.
 * @throws {DOMException} a DataCloneError, when a value in it cannot cross.
 */
export function pack(message: ToWorker | FromWorker): object | string {
  const values = valuesOf(message);
  if (values === undefined) {
    return seal(message.kind === "init" ? packInit(message) : message);
  }
  // There is more than values in a message of kind "run"; where a call has failed, its result is `undefined`: no text.
  if (asText && message.kind !== "run" && values.length >= MANY && values.every(isText)) {
    return JSON.stringify(seal(message));
  }
  const sent = toProcess(values);
  return seal(sent === values ? message : withValues(message, sent));
}

function packInit(message: Extract<ToWorker, { kind: "init" }>): ToWorker {
  const { initializer } = message;
  return initializer ? { ...message, initializer: { ...initializer, args: toProcess(initializer.args) } } : message;
}

/**
 * What {@linkcode pack} was given.
 *
 * @param received What came through the channel: anything at all.
 * @returns The message, or what somebody sealed in place of one; `undefined` when it is none of ours.
 */
export function unpack(received: unknown): unknown {
  if (typeof received !== "string") return open(received);
  if (!received.endsWith(TEXT_SEAL)) return undefined;
  try {
    return open(JSON.parse(received));
  } catch {
    return undefined;
  }
}

/** Whether a value is the same after it was JSON: -0, NaN and the infinities are not. */
function isText(value: unknown): boolean {
  if (typeof value === "number") return value === 0 ? 1 / value > 0 : value - value === 0;
  if (typeof value === "string") return value.length <= LONGEST;
  return value === null || typeof value === "boolean";
}

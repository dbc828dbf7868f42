// What a message is on the channel to another process. The channel clones it as it is; on Bun, a message with many values that
// JSON preserves is sent as text, because Bun's clone (1.4) is slow: as text, map() is 36 % faster with small integers, 19 %
// faster with short strings, and as fast with fractions. On Node 24 and Deno 2.9, text gains nothing, and fractions are 13 %
// slower.

import { runtime } from "../runtime.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { open, SEAL, seal } from "../wire/seal.ts";
import { valuesOf, withValues } from "../wire/sendable.ts";
import { toProcess } from "./cloneable.ts";

/** With fewer values, text gains nothing. */
const MANY = 32;

/** With a longer string, a clone is faster: it copies the characters, while JSON looks at each of them. */
const LONGEST = 64;

/** How the text of a sealed message ends. */
const TEXT_SEAL = `,${SEAL}]`;

/**
 * Packs a message for the channel.
 *
 * @param message The message.
 * @returns What {@linkcode unpack} turns into the message again.
 * @throws {DOMException} a DataCloneError, when a value in it cannot cross.
 */
export function pack(message: ToWorker | FromWorker): object | string {
  const values = valuesOf(message);
  if (values === undefined) {
    return seal(message.kind === "init" ? packInit(message) : message);
  }
  // Never a message with tasks or failures: the first is of kind "run", and the result of a failed call is `undefined`.
  if (runtime === "bun" && message.kind !== "run" && values.length >= MANY && values.every(isText)) {
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
 * Unpacks a message.
 *
 * @param received Anything that came through the channel: tasks send on it, too.
 * @returns What {@linkcode pack} was given, or what a task has sealed in its place; `undefined` when it has no seal.
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

/** Whether JSON preserves a value, as it does not -0, NaN and the infinities. */
function isText(value: unknown): boolean {
  if (typeof value === "number") return value === 0 ? 1 / value > 0 : value - value === 0;
  if (typeof value === "string") return value.length <= LONGEST;
  return value === null || typeof value === "boolean";
}

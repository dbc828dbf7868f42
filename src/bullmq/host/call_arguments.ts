// Reads the arguments of a call.

import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import { decode, decodeAll } from "../codec.ts";

/** Maximum number of arguments that a function can be called with on every runtime. */
const MOST_ARGUMENTS = 65_535;

const NO_TYPES: ReadonlyMap<string, ErrorConstructorLike> = new Map();

/**
 * Reads the arguments of a call.
 *
 * @param text Anything that a job may have in their place.
 * @param limit The host's `maxPayload`.
 * @returns The arguments.
 * @throws {Error} when the text is malformed or too long, or they would be too large.
 */
export function decodeArguments(text: string, limit: number): readonly unknown[] {
  return asArguments(decode(text, NO_TYPES, limit));
}

/**
 * Reads the arguments of the calls of a chunk.
 *
 * @param texts Anything that a job may have in their place.
 * @param limit The host's `maxPayload`.
 * @returns The arguments of each call, equally many.
 * @throws {Error} when a text is malformed, or they are too long, or would be too large.
 */
export function decodeChunk(texts: readonly string[], limit: number): readonly (readonly unknown[])[] {
  const items = decodeAll(texts, NO_TYPES, limit).map(asArguments), arity = items[0]!.length;
  if (arity > 0 && items.every(({ length }) => length === arity)) return items;
  throw new TypeError("The calls of a chunk must have equally many arguments, and at least one");
}

function asArguments(args: unknown): readonly unknown[] {
  if (Array.isArray(args) && args.length <= MOST_ARGUMENTS) return args;
  throw new TypeError(`Arguments must be an array of at most ${MOST_ARGUMENTS} elements`);
}

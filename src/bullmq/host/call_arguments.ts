// Reads the arguments of a call.

import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import { decode } from "../codec.ts";

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
  const args = decode(text, NO_TYPES, limit);
  if (Array.isArray(args) && args.length <= MOST_ARGUMENTS) return args;
  throw new TypeError(`Arguments must be an array of at most ${MOST_ARGUMENTS} elements`);
}

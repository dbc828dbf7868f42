// What tests say about an error in more than its class.

import { assert, assertEquals, AssertionError, assertMatch } from "@std/assert";

/** What an error is like: a pattern for its text, its properties, or a function that says whether it is the one. */
// deno-lint-ignore no-explicit-any
export type ErrorLike = RegExp | ((error: any) => boolean) | Readonly<Record<string, unknown>> | Error;

/**
 * Checks an error that `assertThrows()` or `assertRejects()` has caught.
 *
 * @param expected What it is like: a text is matched by a pattern, or is the same; other properties are equal.
 */
export function assertError(error: unknown, expected: ErrorLike): void {
  if (expected instanceof RegExp) return assertMatch(String(error), expected);
  if (typeof expected === "function") return assert(expected(error), `Another error was thrown: ${error}`);
  const names = expected instanceof Error ? ["name", "message", ...Object.keys(expected)] : Object.keys(expected);
  try {
    for (const name of names) {
      const value: unknown = Reflect.get(Object(error), name), wanted: unknown = Reflect.get(expected, name);
      if (wanted instanceof RegExp && typeof value === "string") assertMatch(value, wanted);
      else assertEquals<unknown>(value, wanted);
    }
  } catch (cause) {
    throw new AssertionError(`${error instanceof Error ? error.stack : error}: ${(cause as Error).message}`);
  }
}

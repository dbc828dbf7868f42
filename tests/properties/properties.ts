// How a property is checked: fast-check tries random inputs and shrinks one that fails, then prints it with the `seed` and
// the `path` that lead to it again. The environment says what to try, for any file of properties:
//
//   PROPERTY_RUNS=100                     a hundred times as many inputs
//   PROPERTY_SEED=-123 PROPERTY_PATH=7:1  that very input
//   PROPERTY_REPLAY=AAB:F                 the `replayPath` that is printed besides, where the input is a list of commands

import fc from "fast-check";
import { test } from "node:test";
import process from "node:process";

const { PROPERTY_RUNS, PROPERTY_SEED, PROPERTY_PATH, PROPERTY_REPLAY } = process.env;

/** How long a failing input is shrunk, in milliseconds. The smallest one by then is good enough. */
const SHRINKING = 15_000;

/**
 * Registers a test of a property.
 *
 * @param name The name of the test.
 * @param runs How many inputs are tried.
 * @param input What is tried.
 * @param holds Throws or rejects when the property does not hold for an input.
 */
export function property<T>(
  name: string,
  runs: number,
  input: fc.Arbitrary<T>,
  holds: (input: T) => Promise<void> | void,
): void {
  test(name, () => {
    let failedAt = Infinity;
    const checked = fc.asyncProperty(input, async (input) => {
      if (Date.now() - failedAt > SHRINKING) return;
      try {
        await holds(input);
      } catch (error) {
        failedAt = Math.min(failedAt, Date.now());
        throw error;
      }
    });
    return fc.assert(checked, {
      numRuns: Math.ceil(runs * Number(PROPERTY_RUNS || 1)),
      ...(PROPERTY_SEED ? { seed: Number(PROPERTY_SEED) } : {}),
      ...(PROPERTY_PATH ? { path: PROPERTY_PATH } : {}),
    });
  });
}

/**
 * Lists of commands, for `fc.asyncModelRun()`.
 *
 * @param kinds The commands.
 * @returns The arbitrary.
 */
export function commands<Model extends object, Real>(
  kinds: fc.Arbitrary<fc.AsyncCommand<Model, Real>>[],
): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Real>>> {
  return fc.commands(kinds, {
    maxCommands: 30,
    size: "max",
    ...(PROPERTY_REPLAY ? { replayPath: PROPERTY_REPLAY } : {}),
  });
}

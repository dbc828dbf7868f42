// Failures: whatever a task throws arrives. Whatever another program claims that a task has thrown does no harm and costs
// next to nothing.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { type Failure, fromFailure, isFailure, toFailure } from "../../src/wire/failure.ts";
import { property } from "./properties.ts";

/** How long the parent may take for a record, in milliseconds. */
const LIMIT = 50;

/** How often a trap was called. */
let calls = 0;
const trap = () => {
  calls++;
  throw new Error("It was called");
};

const leaf = fc.oneof(
  fc.constantFrom(undefined, null, true, "", "Error", "error", "value", "__proto__", 0, -1, NaN, 2 ** 53, 5n),
  fc.string(),
  fc.integer(),
);

/** Arrays that are long but have few or no items. */
const sparse = fc.tuple(fc.constantFrom(1000, 10 ** 8, 2 ** 31, 2 ** 32 - 1), fc.array(leaf, { maxLength: 3 })).map(
  ([length, elements]) => {
    const array: unknown[] = [...elements];
    array.length = length;
    return array;
  },
);

/** Arrays whose text is too long for any computer. */
const explosive = fc.tuple(fc.integer({ min: 20, max: 60 }), leaf).map(([depth, leaf]) => {
  let array: unknown = [leaf];
  for (let level = 0; level < depth; level++) array = [array, array];
  return array;
});

/** Objects that run code when they are touched. A structured clone holds none, and nothing relies on that. */
const trapped = fc.constantFrom("get", "toString", "length", "iterator").map((how) => {
  if (how === "get") return Object.defineProperty({}, "kind", { get: trap, enumerable: true });
  if (how === "length") return Object.defineProperty({ 0: 1 }, "length", { get: trap });
  return how === "toString" ? { toString: trap, valueOf: trap } : { [Symbol.iterator]: trap, length: 2 };
});

const wrong = fc.oneof(leaf, sparse, explosive, trapped, fc.array(leaf), fc.dictionary(fc.string(), leaf));

/** A record that is right for the most part. */
const mostly = <T>(right: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: wrong });

const { failure: forged } = fc.letrec((tie) => ({
  failure: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ kind: mostly(fc.constant("value")), value: wrong }),
    fc.record({
      kind: mostly(fc.constant("error")),
      classes: mostly(fc.array(mostly(fc.constantFrom("Error", "RangeError", "DOMException", "Own", "Object")))),
      name: mostly(fc.string()),
      message: mostly(fc.string()),
      stack: mostly(fc.option(fc.string(), { nil: undefined })),
      properties: mostly(fc.array(mostly(fc.tuple(mostly(fc.string()), wrong)))),
      nested: mostly(fc.array(mostly(fc.tuple(mostly(fc.constantFrom("cause", "inner")), tie("failure"))))),
      errors: mostly(fc.option(fc.array(tie("failure")), { nil: undefined })),
    }, { requiredKeys: [] }),
    wrong,
  ),
}));

/** An error of a class that the parent knows, and whose name throws when it is read. */
class Own extends Error {
  override get name(): string {
    throw new Error("It has none");
  }
}

const TYPES = new Map([["Own", Own]]);

/** Takes the shortest of several runs, so that other work of the machine does not count. */
function cost(fn: () => unknown): number {
  let least = Infinity;
  for (let turn = 0; turn < 3 && least > LIMIT; turn++) {
    const start = performance.now();
    fn();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

property(
  "fromFailure() of anything is quick, calls nothing and throws nothing [hostile]",
  3000,
  forged,
  async (forged) => {
    calls = 0;
    let sound = false;
    assert(cost(() => sound = isFailure(forged)) <= LIMIT, "to look at it");
    let error: unknown;
    assert(cost(() => error = fromFailure(forged as Failure, TYPES)) <= LIMIT, "to make it");
    assertEquals(calls, 0);
    if (!sound) assertEquals((error as Error).message, "A worker sent a malformed failure");
    await Promise.resolve();
  },
);

const { thrown } = fc.letrec((tie) => ({
  thrown: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
    fc.constantFrom(() => {}, Symbol("s"), new WeakMap()),
    fc.record({
      make: fc.constantFrom(Error, RangeError, Own, (message: string) => new DOMException(message)),
      message: fc.string(),
      more: fc.dictionary(fc.string(), tie("thrown")),
    }).map(({ make, message, more }) => {
      const error = Reflect.apply(make === Own ? Error : make, undefined, [message]);
      for (const [key, value] of Object.entries(more)) {
        Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
      }
      return make === Own ? Object.setPrototypeOf(error, Own.prototype) : error;
    }),
    fc.tuple(fc.array(tie("thrown")), fc.string()).map(([errors, message]) => new AggregateError(errors, message)),
  ),
}));

property(
  "toFailure() of anything is a failure, and an error arrives as itself [round trip]",
  1000,
  thrown,
  async (thrown) => {
    const failure = structuredClone(toFailure(thrown));
    assert(isFailure(failure));
    const arrived = fromFailure(failure, TYPES);
    if (thrown instanceof Error) {
      assert(arrived instanceof Error);
      assertStrictEquals(arrived instanceof RangeError, thrown instanceof RangeError);
      if (typeof thrown.message === "string") assertStrictEquals(arrived.message, thrown.message);
    }
    await Promise.resolve();
  },
);

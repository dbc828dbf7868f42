// pack() and unpack(): a message to another process arrives unchanged, as text or not.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pack, unpack } from "../../../src/process/pack.ts";
import type { FromWorker, ToWorker } from "../../../src/wire/messages.ts";
import { SEAL } from "../../../src/wire/seal.ts";
import { property } from "../../properties/properties.ts";
import { assertError } from "../../support/assert_error.ts";

/** Packs and unpacks as the channel does. */
const cross = (message: ToWorker | FromWorker) => unpack(structuredClone(pack(message)));

const text = fc.oneof(fc.integer(), fc.double(), fc.string({ unit: "binary", maxLength: 80 }), fc.boolean());
const special = fc.oneof(fc.constantFrom(-0, NaN, Infinity, -Infinity, null, undefined, 5n), fc.anything());
/** Many values that can be text, the same with some that cannot, and few values of any kind. */
const values = fc.oneof(
  fc.array(text, { minLength: 32, maxLength: 100 }),
  fc.array(fc.oneof({ weight: 50, arbitrary: text }, { weight: 1, arbitrary: special }), { minLength: 32 }),
  fc.array(fc.oneof(text, special)),
);

property("pack() keeps calls as they are [text]", 500, values, async (args) => {
  const calls = [0, 1, args.length, ...args];
  assert.deepStrictEqual(cross([...calls] as ToWorker), calls);
  await Promise.resolve();
});

property("pack() keeps answers as they are [text]", 500, values, async (results) => {
  const done = { kind: "done", first: 7, results, failures: undefined, spent: 12, full: false } as const;
  const arrived = cross(done) as typeof done;
  assert.deepStrictEqual({ ...arrived, failures: undefined }, done);
  assertEquals(arrived.failures, undefined);
  await Promise.resolve();
});

test("pack() makes text of many plain values on Bun, and nowhere else", () => {
  const many = Array.from({ length: 100 }, (_, i) => i);
  const expected = "Bun" in globalThis ? "string" : "object";
  assertStrictEquals(typeof pack([...many] as unknown[] as ToWorker), expected);
  assertEquals(typeof pack([...many, "x".repeat(1000)] as unknown[] as ToWorker), "object");
  assertEquals(typeof pack([...many, -0] as unknown[] as ToWorker), "object");
  assertEquals(typeof pack([0, 1, 1, 5] as unknown[] as ToWorker), "object");
});

test("pack() refuses values that cannot cross, also among many others", () => {
  const many: unknown[] = Array.from({ length: 100 }, (_, i) => i);
  for (const value of [Symbol("s"), () => {}, new WeakMap()]) {
    assertError(assertThrows(() => pack([...many, value] as ToWorker)), { name: "DataCloneError" });
    const done = {
      kind: "done",
      first: 0,
      results: [...many, value],
      failures: undefined,
      spent: 0,
      full: false,
    } as const;
    assertError(assertThrows(() => pack(done)), { name: "DataCloneError" });
  }
});

test("unpack() returns nothing for what pack() has not made", () => {
  const foreign = [
    "",
    "{",
    "[1,",
    "undefined",
    "\0",
    "ready",
    "[0,1,2]",
    `{"kind":"ready"}`,
    `[1,${SEAL}`,
    `,${SEAL}]`,
  ];
  for (const received of [...foreign, null, 1, {}, { kind: "ready" }, [0, 1, 2]]) {
    assertEquals(unpack(received), undefined, String(received));
  }
});

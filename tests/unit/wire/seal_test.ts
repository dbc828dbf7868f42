// seal() and open() tell this library's messages on a line from all others, at once.

import { assertEquals, assertStrictEquals, fail } from "@std/assert";
import { test } from "node:test";
import fc from "fast-check";
import type { FromWorker } from "../../../src/wire/messages.ts";
import { open, SEAL, seal } from "../../../src/wire/seal.ts";
import { property } from "../../properties/properties.ts";

property("open() returns what seal() was given", 300, fc.array(fc.anything(), { minLength: 2 }), async (values) => {
  const expected = [...values];
  assertEquals(open(seal(values as unknown as FromWorker)), expected);
  const ready = { kind: "ready" } as const;
  assertStrictEquals(open(seal(ready)), ready);
  await Promise.resolve();
});

property("open() returns nothing for what seal() has not made", 300, fc.anything(), async (foreign) => {
  assertEquals(open(foreign), undefined);
  await Promise.resolve();
});

test("open() gives nothing for arrays that are nearly ours", () => {
  for (const foreign of [[], [SEAL], [1, String(SEAL)], [SEAL, 1], { length: 2, 1: SEAL }]) {
    assertEquals(open(foreign), undefined);
  }
});

test("open() neither reads nor calls anything in a value that seal() has not made", () => {
  const sparse: unknown[] = [];
  sparse.length = 2 ** 32 - 1;
  assertEquals(open(sparse), undefined);
  const touched = () => fail("it was touched");
  const object = Object.defineProperties({}, { kind: { get: touched }, length: { get: touched } });
  assertEquals(open(object), undefined);
  const first = Object.defineProperty([1, 2, 3], 0, { get: touched });
  assertEquals(open(first), undefined);
});

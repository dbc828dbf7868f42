// assertCloneable(): what can cross to another process and arrive as it was.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cloneForProcess as assertCloneable } from "../src/process/cloneable.ts";

const refused = { name: "DataCloneError" };

test("assertCloneable() takes what arrives as it was", () => {
  const cyclic: Record<string, unknown> = { list: [1, [2]] };
  cyclic.self = cyclic;
  const fine = [
    ...[undefined, null, true, 0, NaN, 5n, "text", new Date(), /x/g, new Error("x", { cause: { a: 1 } })],
    ...[new Map([[{ a: 1 }, new Set([1])]]), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Uint8Array(8)],
    ...[Object(5), Object("text"), Object.create(null), cyclic, [, 1], new BigInt64Array(1)],
  ];
  for (const value of fine) assert.doesNotThrow(() => assertCloneable(value));
  assert.doesNotThrow(() => assertCloneable(fine));
});

test("assertCloneable() refuses what cannot be cloned, and names it", () => {
  assert.throws(() => assertCloneable(Symbol("s")), { ...refused, message: /^Symbol\(s\) cannot be sent/ });
  assert.throws(() => assertCloneable(function named() {}), { ...refused, message: /^The function named / });
  assert.throws(() => assertCloneable(() => {}), { ...refused, message: /^An anonymous function / });
  for (const value of [new WeakMap(), new WeakRef({}), Promise.resolve(), new Proxy({}, {}), [].values()]) {
    assert.throws(() => assertCloneable(value), refused);
  }
});

test("assertCloneable() refuses what would be shared, moved or emptied in silence", () => {
  const shared = new SharedArrayBuffer(8);
  assert.throws(() => assertCloneable(shared), { ...refused, message: /^SharedArrayBuffer / });
  assert.throws(() => assertCloneable(new Uint8Array(shared)), refused);
  assert.throws(() => assertCloneable(new DataView(shared)), refused);
  const { port1 } = new MessageChannel();
  for (const value of [new Blob([]), new URL("https://example.com"), port1, new ReadableStream()]) {
    assert.throws(() => assertCloneable(value), refused);
  }
  port1.close();
});

test("assertCloneable() looks everywhere inside", () => {
  const bad = () => {};
  const inside = [
    ...[[bad], { bad }, { a: [{ bad }] }, new Map([[bad, 1]]), new Map([[1, bad]]), new Set([bad])],
    ...[new Error("x", { cause: bad }), new Error("x", { cause: new Error("y", { cause: [bad] }) })],
  ];
  for (const value of inside) assert.throws(() => assertCloneable(value), refused);
});

test("assertCloneable() looks at own enumerable properties only, as structured clone does", () => {
  class Pot {
    size = 5;
    pour() {}
  }
  assert.doesNotThrow(() => assertCloneable(new Pot()));
  assert.doesNotThrow(() => assertCloneable(Object.defineProperty({}, "hidden", { value: () => {} })));
  assert.doesNotThrow(() => assertCloneable({ [Symbol("key")]: () => {} }));
});

test("assertCloneable() is not fooled by a depth that no stack could follow", () => {
  let deep: unknown = () => {};
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.throws(() => assertCloneable(deep), refused);
});

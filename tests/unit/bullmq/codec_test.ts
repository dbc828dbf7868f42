// Values as text: what arrives, what is refused, and what a stranger may have written.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import node from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Future } from "../../../mod.ts";
import { COSTLY } from "../../support/costly_texts.ts";
import { decode, decodeFailure, encode, encodeFailure } from "../../../src/bullmq/codec.ts";
import { assertError } from "../../support/assert_error.ts";

const NO_TYPES = new Map<string, never>();

function pass(value: unknown): unknown {
  return decode(encode(value, Infinity), NO_TYPES, Infinity);
}

class Point {
  readonly x: number;
  readonly y: unknown;

  constructor(x: number, y: unknown) {
    this.x = x;
    this.y = y;
  }
}

test("encode() and decode() keep the types of values", () => {
  const values: unknown[] = [
    ...[undefined, null, true, false, 0, -0, 1.5, NaN, Infinity, -Infinity, "", "é\u2028\ud83d\ude00", 2n ** 100n, -1n],
    ...[new Date(0), new Date(NaN), /a\/b/giu, new Map<unknown, unknown>([[{ a: 1 }, new Set([1, "1"])], [NaN, -0]])],
    ...[new Uint8Array([1, 2]), new Float64Array([-0, NaN, 1e300]), new BigInt64Array([-1n]), new ArrayBuffer(3)],
    ...[new DataView(new ArrayBuffer(4), 1, 2), new Uint8Array(8).subarray(2, 5), new Uint8ClampedArray(1)],
    ...[[1, , 3, undefined], { a: undefined, b: { c: [] } }, Object(5), Object("text"), Object(false), [[[]]]],
  ];
  for (const value of values) {
    const passed = pass(value);
    node.deepEqual(passed, value);
    assertStrictEquals(Object.prototype.toString.call(passed), Object.prototype.toString.call(value));
  }
  assert(Object.is(pass(-0), -0));
  node.deepEqual(Object.keys(pass([1, , 3]) as object), ["0", "2"]);
});

test("encode() and decode() keep identity and cycles, and the length of sparse arrays", () => {
  const shared = { n: 1 };
  const value: Record<string, unknown> = { one: shared, two: shared, map: new Map() };
  value["self"] = value;
  (value["map"] as Map<unknown, unknown>).set(value, shared);
  const passed = pass(value) as typeof value;
  assertStrictEquals(passed["one"], passed["two"]);
  assertStrictEquals(passed["self"], passed);
  assertStrictEquals((passed["map"] as Map<unknown, unknown>).get(passed), passed["one"]);
  const sparse: number[] = [];
  sparse[1_000_000] = 1;
  assertEquals((pass(sparse) as number[]).length, 1_000_001);
});

test("encode() sends the properties of an instance, and of an error also its class, cause and stack", () => {
  node.deepEqual(pass([new Point(1, new Point(2, null))]), [{ x: 1, y: { x: 2, y: null } }]);
  const error = Object.assign(new RangeError("why", { cause: new TypeError("how") }), { code: 7 });
  const passed = pass({ error }) as { error: RangeError & { code: number } };
  assert(passed.error instanceof RangeError);
  node.deepEqual([passed.error.message, passed.error.code, passed.error.stack], ["why", 7, error.stack]);
  assert(passed.error.cause instanceof TypeError);
});

test("encode() sends only the part of a buffer that a view shows", () => {
  assert(encode(Buffer.from("x"), Infinity).length < 100);
});

test("encode() refuses what belongs to one program with a DataCloneError", () => {
  const values: unknown[] = [
    ...[() => 1, Symbol("s"), { deep: [new Map([[1, () => 1]])] }, Promise.resolve(), new WeakMap(), new Future()],
    ...[new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1)), new MessageChannel().port1],
  ];
  for (const value of values) {
    assertError(assertThrows(() => encode(value, Infinity), String(value)), { name: "DataCloneError" });
    if (value instanceof MessagePort) value.close();
  }
});

test("encode() refuses a value that is too long, and says how long it is", () => {
  assertError(
    assertThrows(() => encode("x".repeat(100), 50)),
    /RangeError: .*104 characters.*'maxPayload', which is 50/,
  );
});

test("encodeFailure() makes a record of anything that was thrown", () => {
  const thrown: unknown[] = [
    undefined,
    0,
    "text",
    new Error("why"),
    () => 1,
    Object.assign(new Error("x"), { f() {} }),
  ];
  const cyclic: Error & { self?: unknown; list?: unknown } = new Error("cycle");
  cyclic.self = cyclic.cause = cyclic;
  cyclic.list = [cyclic, new SharedArrayBuffer(1)];
  for (const value of [...thrown, cyclic]) {
    const error = decodeFailure(encodeFailure(value, 10_000), NO_TYPES, Infinity);
    if (value instanceof Error) assertStrictEquals((error as Error).message, value.message);
    else if (typeof value !== "function") assertStrictEquals(error, value);
  }
  const long = decodeFailure(encodeFailure(new Error("x".repeat(1000)), 100), NO_TYPES, Infinity);
  assertMatch((long as Error).message, /maxPayload/);
});

test("decode() throws when encode() cannot have written the text, and changes no prototype", () => {
  const texts = [
    ...[
      "",
      "{",
      "null",
      "[]",
      "[[5]]",
      '[["Map",1]]',
      '[["Nothing",1],2]',
      '[["Uint8Array",0]]',
      "[[-7,1e99]]",
      '[["Error",0]]',
    ],
    ...['[{"__proto__":1},{"polluted":2},true]', '[["null","__proto__",1],{"polluted":2},true]', '[["RegExp","("]]'],
  ];
  for (const text of texts) assertThrows(() => decode(text, NO_TYPES, Infinity), Error, "", text);
  assertEquals(({} as { polluted?: boolean }).polluted, undefined);
  const error = decode('[["Error",1],{"kind":2,"classes":3},"error",[4],"constructor"]', NO_TYPES, Infinity);
  assert(error instanceof Error);
});

for (const [what, text] of Object.entries(COSTLY)) {
  test(`decode() and decodeFailure() take no time for ${what}`, () => {
    for (const read of [decode, decodeFailure]) {
      const start = performance.now();
      let value: unknown;
      try {
        value = read(text, NO_TYPES, 0);
      } catch (error) {
        assert(error instanceof Error || error instanceof DOMException);
      }
      structuredClone(value);
      const took = performance.now() - start;
      assert(took < 1000 + 50 * text.length / 1024, `${took} ms for ${text.length} characters`);
    }
  });
}

test("encode() and encodeFailure() take no time for a bigint with millions of digits", () => {
  // JavaScriptCore (Bun 1.4) has none of more than 2 ** 20 bits.
  const size = "Bun" in globalThis ? 1_000_000n : 40_000_000n;
  for (const value of [1n << size, -(1n << size)]) {
    const start = performance.now();
    const error = assertThrows(() => encode([value], Infinity), DOMException);
    assertEquals(error.message, "A bigint of more than 100000 digits cannot be sent to another machine");
    const failed = decodeFailure(encodeFailure(value, Infinity), NO_TYPES, Infinity);
    assertMatch(String(failed), /^Error: A task threw a value that cannot be cloned: a bigint of many digits$/);
    encodeFailure(Object.assign(new Error("failed"), { value }), Infinity);
    const took = performance.now() - start;
    assert(took < 1000, `${took} ms`);
  }
  const most = 10n ** 100_000n - 1n;
  assertEquals(decode(encode(most, Infinity), NO_TYPES, Infinity), most);
  assertThrows(() => encode(most + 1n, Infinity), DOMException);
});

// toThread() refuses what the other side of a thread's line cannot read.

import { assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import type { ToWorker } from "../../../src/wire/messages.ts";
import { cloneForThread, toThread } from "../../../src/wire/sendable.ts";
import { assertError } from "../../support/assert_error.ts";

const refused = { name: "DataCloneError" };

/** Returns what leaves, if it does. */
function leaves(values: unknown[], transfer?: Transferable[], shallow = true): unknown[] {
  let sent: unknown;
  toThread<ToWorker>((message) => void (sent = message), shallow)(values as unknown[] as ToWorker, transfer);
  return sent as unknown[];
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = wrap(value);
  return value;
}

const WRAPS: Readonly<Record<string, (inner: unknown) => unknown>> = {
  list: (next) => ({ next }),
  array: (inner) => [inner],
  "other property": (other) => Object.assign([1], { other }),
  "key of a Map": (key) => new Map([[key, 1]]),
  "value of a Map": (value) => new Map([[1, value]]),
  Set: (inner) => new Set([inner]),
  cause: (cause) => new Error("x", { cause }),
  getter: (inner) => ({
    get inner() {
      return inner;
    },
  }),
  instance: (inner) =>
    new (class Node {
      inner = inner;
    })(),
};

for (const [name, wrap] of Object.entries(WRAPS)) {
  test(`toThread() refuses what is nested too deep: ${name}`, () => {
    const fine = nested(1000, wrap);
    assertEquals(leaves([fine]).length, 1);
    assertError(assertThrows(() => leaves([nested(1001, wrap)])), refused);
    assertError(assertThrows(() => leaves([1, { among: [nested(100_000, wrap)] }])), refused);
    if (name !== "getter") assertError(assertThrows(() => leaves([nested(1001, wrap)], [])), refused);
  });
}

test("toThread() sends values that are not deep as they are", () => {
  const twice = {}, cycle: unknown[] = [];
  cycle.push(cycle);
  let wide: unknown = {};
  for (let n = 0; n < 100; n++) wide = { a: wide, b: wide };
  const proxy = new Proxy({}, {
    ownKeys: () => {
      throw new Error("It was called");
    },
  });
  const values = [
    1,
    "text",
    { twice, again: twice },
    cycle,
    wide,
    new Uint8Array(1e6),
    proxy,
    [, 1],
    () => {},
    new Date(),
  ];
  const sent = leaves(values);
  assertStrictEquals(sent, values);
  const { proxy: gone, revoke } = Proxy.revocable([], {});
  revoke();
  assertEquals(leaves([gone, [gone]]).length, 2);
});

test("toThread() asks a getter once, where it asks at all", () => {
  let calls = 0;
  const value = {
    get it() {
      return ++calls;
    },
  };
  assertEquals(leaves([value]), [{ it: 1 }]);
  assertStrictEquals(leaves([value], [])[0], value);
  assertStrictEquals(leaves([value], undefined, false)[0], value);
  assertEquals(calls, 1);
});

test("toThread() makes a DataCloneError of the errors that runtimes throw instead", () => {
  const says = (error: Error) =>
    toThread<ToWorker>(() => {
      throw error;
    }, false);
  for (
    const error of [new RangeError("Maximum call stack size exceeded"), new Error("#<Promise> could not be cloned.")]
  ) {
    assertError(assertThrows(() => says(error)([] as unknown[] as ToWorker)), refused);
  }
  const own = new RangeError("mine");
  assertError(assertThrows(() => says(own)([] as unknown[] as ToWorker)), (thrown) => thrown === own);
});

test("cloneForThread() copies as the line does, and refuses as it does", () => {
  const value = { a: [new Date(5)] };
  assertEquals(cloneForThread(value), value);
  assertNotStrictEquals(cloneForThread(value), value);
  for (const bad of [() => {}, Symbol("s"), nested(1001, WRAPS.list!)]) {
    assertError(assertThrows(() => cloneForThread(bad)), refused);
  }
});

// toProcess() and cloneForProcess(): values that can cross to another process and arrive unchanged.

import { assertStrictEquals, assertThrows } from "@std/assert";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Future } from "../../../mod.ts";
import { cloneForProcess, toProcess } from "../../../src/process/cloneable.ts";
import { runtime } from "../../support/runtime.ts";
import { assertError } from "../../support/assert_error.ts";

const refused = { name: "DataCloneError" };

/** A method that must not be called. */
const trap = () => {
  throw new Error("It was called");
};

function accepts(value: unknown): void {
  toProcess([value]);
}

function refuses(value: unknown, message?: RegExp): void {
  assertError(assertThrows(() => toProcess([value])), message ? { ...refused, message } : refused);
}

test("toProcess() returns values that arrive unchanged as they are", () => {
  const cyclic: Record<string, unknown> = { list: [1, [2]] };
  cyclic.self = cyclic;
  const fine = [
    ...[undefined, null, true, 0, NaN, 5n, "text", new Date(), /x/g, new Error("x", { cause: { a: 1 } })],
    ...[new Map([[{ a: 1 }, new Set([1])]]), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Uint8Array(8)],
    ...[Object(5), Object("text"), Object.create(null), cyclic, [, 1], new BigInt64Array(1)],
  ];
  for (const value of fine) accepts(value);
  assertStrictEquals(toProcess(fine), fine);
});

test("toProcess() refuses values that cannot be cloned, and names them", () => {
  refuses(Symbol("s"), /^Symbol\(s\) cannot be sent/);
  refuses(function named() {}, /^The function named /);
  refuses(() => {}, /^An anonymous function /);
  for (const value of [new WeakMap(), new WeakRef({}), Promise.resolve(), new Proxy({}, {}), [].values()]) {
    refuses(value);
  }
  refuses(
    class {
      static get name() {
        return trap();
      }
    },
  );
});

test("toProcess() refuses values that would silently be shared, moved or emptied", () => {
  const shared = new SharedArrayBuffer(8);
  refuses(shared, /^SharedArrayBuffer /);
  refuses(new Uint8Array(shared));
  refuses(new DataView(shared));
  const { port1 } = new MessageChannel();
  for (const value of [new Blob([]), new URL("https://example.com"), port1, new ReadableStream()]) refuses(value);
  port1.close();
  refuses({ inside: [new Future()] });
});

test("toProcess() looks everywhere inside", () => {
  const bad = () => {};
  const inside = [
    ...[[bad], { bad }, { a: [{ bad }] }, new Map([[bad, 1]]), new Map([[1, bad]]), new Set([bad])],
    ...[new Error("x", { cause: bad }), new Error("x", { cause: new Error("y", { cause: [bad] }) })],
    ...[
      Object.assign([1], { bad }),
      Object.assign(Array(1000).fill(1), { bad }),
      Object.assign([], { 5_000_000: bad }),
    ],
  ];
  for (const value of inside) refuses(value);
});

test("toProcess() looks at own enumerable properties only, as structured clone does", () => {
  class Pot {
    size = 5;
    pour() {}
  }
  accepts(new Pot());
  accepts(Object.defineProperty({}, "hidden", { value: () => {} }));
  accepts({ [Symbol("key")]: () => {} });
  accepts(Object.assign([1], { [Symbol("key")]: () => {} }));
});

test("toProcess() takes an instance of a class, whatever its Symbol.toStringTag says", () => {
  class Money {
    amount = 1;
    get [Symbol.toStringTag]() {
      return trap();
    }
  }
  assert.deepEqual(toProcess([new Money()]), [{ amount: 1 }]);
  const named = Object.defineProperty(new Money(), Symbol.toStringTag, { value: "Map" });
  assert.deepEqual(toProcess([named]), [{ amount: 1 }]);
  refuses(Object.assign(new Money(), { amount() {} }));
});

test("toProcess() calls nothing that a value has, but its getters, each once", () => {
  const own = { value: trap };
  for (
    const [list, bad] of [[[1], [trap]], [new Map([[1, 2]]), new Map([[1, trap]])], [new Set([1]), new Set([trap])]]
  ) {
    for (const value of [list, bad]) {
      Object.defineProperties(value, { [Symbol.iterator]: own, forEach: own, keys: own, entries: own, values: own });
    }
    accepts(list);
    refuses(bad);
  }
  accepts(Object.defineProperty(new Uint8Array(1), "buffer", { get: trap }));
  accepts(Object.defineProperty(new ArrayBuffer(1), "detached", { get: trap }));
  accepts(Object.defineProperty(new Error("x"), "cause", { get: trap }));
  let calls = 0;
  const [copy] = toProcess([{
    deep: [{
      get it() {
        return ++calls;
      },
    }],
  }]);
  assert.deepEqual([copy, calls], [{ deep: [{ it: 1 }] }, 1]);
  assertError(
    assertThrows(() =>
      toProcess([{
        get it() {
          throw new RangeError("mine");
        },
      }])
    ),
    { name: "RangeError", message: "mine" },
  );
  let turn = 0;
  refuses({
    get it() {
      return turn++ === 0 ? trap : 1;
    },
  });
  refuses({
    get it() {
      return new SharedArrayBuffer(1);
    },
  });
});

test("toProcess() is not fooled by a prototype that somebody has changed", () => {
  for (const prototype of [null, Object.prototype]) {
    for (const value of [new WeakMap(), Promise.resolve(), new Map([[1, trap]]), new Set([trap])]) {
      refuses(Object.setPrototypeOf(value, prototype));
    }
  }
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [proxy, [proxy], new Proxy([], {}), new Proxy({}, { get: trap, ownKeys: trap })]) refuses(value);
});

test("toProcess() has an error of odd fields as they are read, or that error", () => {
  const [error] = toProcess([Object.defineProperty(new TypeError("x"), "message", { value: 5 })]);
  assert.deepEqual([error instanceof TypeError, String(error.message)], [true, "5"]);
  assertError(
    assertThrows(() => toProcess([Object.defineProperty(new Error("x"), "name", { get: trap })])),
    /It was called/,
  );
  refuses(Object.defineProperty(new Error("x"), "message", { value: Symbol("m") }));
});

test("toProcess() costs by the items of an array, not by its length", () => {
  const sparse: unknown[] = [];
  sparse[2 ** 32 - 2] = "x";
  accepts(sparse);
  sparse[5] = () => {};
  refuses(sparse);
});

test("toProcess() refuses values that are nested too deep to be read, in the order in which they are written", () => {
  let deep: unknown = () => {};
  for (let i = 0; i < 100_000; i++) deep = [deep];
  refuses(deep);
  const wraps = [(v: unknown) => [v], (v: unknown) => ({ v }), (v: unknown) => new Map([[1, v]]), (v: unknown) => ({
    get v() {
      return v;
    },
  })];
  for (const wrap of wraps) {
    let value: unknown = 1;
    for (let i = 0; i < 1000; i++) value = wrap(value);
    accepts(value);
    for (let i = 0; i < 99_000; i++) value = wrap(value);
    refuses(value);
  }
  // All links are also in a list, the last one first, so that none is nested in another.
  const links: { next: unknown }[] = [];
  for (let i = 0; i < 100_000; i++) links.push({ next: links.at(-1) });
  accepts(links);
  refuses(links.reverse());
});

test("toProcess() reads an object once that is in two places", () => {
  let value: unknown = {};
  for (let i = 0; i < 100; i++) value = { a: value, b: value };
  accepts(value);
});

test("cloneForProcess() takes and refuses the same values as its line", () => {
  for (const value of [undefined, 5, "text", { a: [1] }, new Date(5)]) {
    assert.deepEqual(cloneForProcess(value), value);
  }
  for (const value of [() => {}, Symbol("s"), new SharedArrayBuffer(8)]) {
    assertError(assertThrows(() => cloneForProcess(value)), refused);
  }
  if (runtime === "bun") assertError(assertThrows(() => cloneForProcess(Math)), refused);
  else cloneForProcess(Math);
});

// standApart() and assertNotLocal(): checks of arguments before they share a message.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Future, ThreadPoolExecutor } from "../../../mod.ts";
import { standApart } from "../../../src/wire/calls.ts";
import { assertNotLocal, transfersOf } from "../../../src/wire/marks.ts";

const trap = () => {
  throw new Error("It was called");
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

test("standApart() tells whether calls share an object", () => {
  const shared = { a: [1] };
  const met = new Set<object>();
  assert.ok(standApart([shared, 1], met));
  assert.ok(standApart([{ a: [1] }], met));
  assert.equal(standApart([{ deep: [shared.a] }], met), false);
  assert.equal(standApart([new Map()], met), false, "it cannot be told");
  assert.equal(standApart([Array.from({ length: 100 }, () => ({}))], met), false, "not cheaply");
});

test("standApart() calls nothing and throws nothing, whatever the arguments are", () => {
  let calls = 0;
  const getter = {
    get a() {
      return ++calls;
    },
  };
  const proxy = new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap });
  const sparse: unknown[] = [];
  sparse[2 ** 32 - 2] = 1;
  for (const value of [getter, [getter], proxy, revoked(), sparse, [revoked()]]) {
    assert.equal(standApart([value], new Set()), false);
  }
  assert.equal(calls, 0);
  assert.ok(standApart([() => {}, Symbol("s"), undefined, Object.assign([1], { more: 1 })], new Set()));
});

test("standApart() refuses values that mean nothing in a worker, also nested ones", () => {
  const refused = { name: "DataCloneError", message: /^A Future cannot be sent to a worker/ };
  for (const value of [{ inside: [new Future()] }, [new Date(), new Future()], [new Future(), new Date()]]) {
    assert.throws(() => standApart([value], new Set()), refused);
  }
});

test("assertNotLocal() tells Futures and executors, and asks nothing of anything else", () => {
  class Own extends Future<number> {}
  for (const value of [new Future(), new Own()]) {
    assert.throws(() => assertNotLocal(value), { name: "DataCloneError", message: /^A Future cannot/ });
  }
  const executor = new ThreadPoolExecutor();
  for (const value of [executor, executor.with({})]) {
    assert.throws(() => assertNotLocal(value), { name: "DataCloneError", message: /^An executor cannot/ });
  }
  const proxy = new Proxy(new Future(), { get: trap, has: trap, getPrototypeOf: trap });
  for (const value of [undefined, 5, {}, proxy, revoked(), Object.create(Future.prototype)]) {
    assert.doesNotThrow(() => assertNotLocal(value));
    assert.equal(transfersOf(value), undefined);
  }
});

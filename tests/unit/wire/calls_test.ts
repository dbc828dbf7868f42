// Calls in messages: what CallWriter writes, CallReader reads; and checks of arguments before they share a message.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { Future, ThreadPoolExecutor } from "../../../mod.ts";
import { CallReader, type CallRing, CallWriter, standApart } from "../../../src/wire/calls.ts";
import { assertNotLocal, transfersOf } from "../../../src/wire/marks.ts";
import { valuesOf } from "../../../src/wire/sendable.ts";
import { assertError } from "../../support/assert_error.ts";

const trap = () => {
  throw new Error("It was called");
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** A call of task 1, 2, ... with arguments; none was withdrawn. */
function call(task: number, ...args: unknown[]): CallRing[number] {
  const ref = { kind: "source", source: `task ${task}` } as const;
  return { task: { number: task, ref }, args, attempt: undefined, reports: false, stream: undefined };
}

/** All calls of a message, each as its task and its arguments. */
function readAll(reader: CallReader): unknown[][] {
  const calls: unknown[][] = [];
  while (reader.next()) calls.push([reader.task, ...reader.takeAll()]);
  return calls;
}

test("CallReader reads the calls that CallWriter wrote, in order", () => {
  const ring: CallRing = [call(1, "a"), call(1, "b"), call(1, "c", "d"), call(2), call(2), call(1, undefined)];
  const writer = new CallWriter(), reader = new CallReader();
  const letter = writer.write(ring, 0, 6, false);
  assertEquals([letter.end, letter.tasks.map(([number]) => number)], [6, [1, 2]]);
  reader.read(valuesOf(letter.message) as unknown[]);
  assertEquals(readAll(reader), [[1, "a"], [1, "b"], [1, "c", "d"], [2], [2], [1, undefined]]);
  assertEquals(reader.next(), false);
  // Tasks travel once: a message that tells of none is a plain array.
  writer.sent(letter);
  const { message } = writer.write(ring, 1, 3, false);
  assert(Array.isArray(message));
  reader.read(message);
  assertEquals(readAll(reader), [[1, "b"], [1, "c", "d"]]);
});

test("CallWriter puts calls that are listened to into messages of their own, which say so", () => {
  const listening = (...args: unknown[]) => ({ ...call(1, ...args)!, reports: true });
  const ring: CallRing = [undefined, call(1), listening(), undefined, listening(), call(1), listening()];
  const writer = new CallWriter(), told: unknown[] = [];
  for (let at = 0; at < ring.length;) {
    const letter = writer.write(ring, at, ring.length, false);
    writer.sent(letter);
    told.push([letter.end, letter.message.kind === "run" ? letter.message.reports ?? false : "plain"]);
    at = letter.end;
  }
  assertEquals(told, [[2, false], [5, true], [6, "plain"], [7, true]]);
});

test("CallReader steps over withdrawn calls, which have no task, and over arguments that nobody takes", () => {
  const reader = new CallReader();
  const { message } = new CallWriter().write([undefined, call(3, "a", "b"), undefined, call(3, "c", "d")], 0, 4, false);
  reader.read(valuesOf(message) as unknown[]);
  const tasks: number[] = [];
  while (reader.next()) {
    tasks.push(reader.task);
    if (tasks.length === 4) assertEquals([reader.arity, reader.take(), reader.take()], [2, "c", "d"]);
  }
  assertEquals(tasks.map((task) => Math.max(task, 0)), [0, 3, 0, 3]);
});

test("CallReader leaves no argument in the message that was taken, and nothing after drop() [T8]", () => {
  const message = [1, 1, 2, { kept: 1 }, { kept: 2 }, 1, 2, 1, { kept: 3 }, { kept: 4 }];
  const reader = new CallReader();
  reader.read(message);
  assert(reader.next());
  assertEquals(reader.take(), { kept: 1 });
  assert(reader.next() && reader.next());
  assertEquals(reader.takeAll(), [{ kept: 3 }, { kept: 4 }]);
  assertEquals(message, [1, 1, 2, undefined, { kept: 2 }, 1, 2, 1, undefined, undefined]);
  reader.read(message);
  assert(reader.next());
  reader.drop();
  assertEquals(reader.next(), false);
});

test("standApart() tells whether calls share an object", () => {
  const shared = { a: [1] };
  const met = new Set<object>();
  assert(standApart([shared, 1], met));
  assert(standApart([{ a: [1] }], met));
  assertEquals(standApart([{ deep: [shared.a] }], met), false);
  assertEquals(standApart([new Map()], met), false, "it cannot be told");
  assertEquals(standApart([Array.from({ length: 100 }, () => ({}))], met), false, "not cheaply");
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
    assertEquals(standApart([value], new Set()), false);
  }
  assertEquals(calls, 0);
  assert(standApart([() => {}, Symbol("s"), undefined, Object.assign([1], { more: 1 })], new Set()));
});

test("standApart() refuses values that mean nothing in a worker, also nested ones", () => {
  const refused = { name: "DataCloneError", message: /^A Future cannot be sent to a worker/ };
  for (const value of [{ inside: [new Future()] }, [new Date(), new Future()], [new Future(), new Date()]]) {
    assertError(assertThrows(() => standApart([value], new Set())), refused);
  }
});

test("assertNotLocal() tells Futures and executors, and asks nothing of anything else", () => {
  class Own extends Future<number> {}
  for (const value of [new Future(), new Own()]) {
    assertError(assertThrows(() => assertNotLocal(value)), { name: "DataCloneError", message: /^A Future cannot/ });
  }
  const executor = new ThreadPoolExecutor();
  for (const value of [executor, executor.with({})]) {
    assertError(assertThrows(() => assertNotLocal(value)), { name: "DataCloneError", message: /^An executor cannot/ });
  }
  const proxy = new Proxy(new Future(), { get: trap, has: trap, getPrototypeOf: trap });
  for (const value of [undefined, 5, {}, proxy, revoked(), Object.create(Future.prototype)]) {
    assertNotLocal(value);
    assertEquals(transfersOf(value), undefined);
  }
});

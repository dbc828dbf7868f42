// Future: its states, its results and what it leaves behind. Callbacks have their own file, future_callbacks_test.ts.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import node from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { CancelledError, Future, InvalidStateError, TimeoutError } from "../../../mod.ts";
import { bindCall, settleFuture } from "../../../src/future/future.ts";
import { cancelled, failed, pending, running, succeeded } from "../../support/futures.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { listenersOf, reportsOf, timersOf } from "../../support/observe.ts";
import { assertError } from "../../support/assert_error.ts";

const REASON = new Error("enough");

test("Future() takes nothing and is pending [F1]", () => {
  assertEquals(Future.length, 0);
  const future = new Future();
  node.deepEqual([future.done(), future.running(), future.cancelled()], [false, false, false]);
  assertEquals(future.outcome, undefined);
});

test("Future.cancel() is true once, then stays true [F2, test_cancel]", () => {
  const future = pending();
  assertEquals(future.cancel(), true);
  assertEquals(future.cancelled(), true);
  assertEquals(future.cancel(), true);
  assertEquals(future.cancelled(), true);
});

test("Future.cancel() is false when it runs or has finished, and changes nothing [F2, test_cancel]", () => {
  for (const future of [running(), failed(new Error()), succeeded(5)]) {
    const before = future.toString();
    assertEquals(future.cancel(), false);
    assertStrictEquals(future.toString(), before);
  }
});

test("Future.cancel() asks its executor to take the call back [F2]", () => {
  for (const answer of [true, false]) {
    const future = pending();
    bindCall(future, { unobserved: { add() {}, remove() {} }, withdraw: () => answer, begun: () => !answer });
    assertStrictEquals(future.running(), !answer);
    assertStrictEquals(future.cancel(), answer);
    assertStrictEquals(future.cancelled(), answer);
  }
});

test("Future.cancel() wakes those who wait [F2, test_result_with_cancel]", async () => {
  const future = pending();
  const waiting = [future.result(), future.result(1e6), future.exception(), future.then()];
  future.cancel();
  for (const result of await Promise.allSettled(waiting)) {
    assertEquals(result.status, "rejected");
    assert((result as PromiseRejectedResult).reason instanceof CancelledError);
  }
});

test("Future.cancelled(), running() and done() tell the state at once [F3, test_cancelled, test_running, test_done]", () => {
  const states = [pending(), running(), cancelled(), failed(new Error()), succeeded(5)];
  node.deepEqual(states.map((future) => future.cancelled()), [false, false, true, false, false]);
  node.deepEqual(states.map((future) => future.running()), [false, true, false, false, false]);
  node.deepEqual(states.map((future) => future.done()), [false, false, true, true, true]);
});

test("Future.outcome tells how it ended, without waiting [F3]", () => {
  const reason = new Error("reason"), stopped = cancelled();
  node.deepEqual([pending().outcome, running().outcome], [undefined, undefined]);
  node.deepEqual(succeeded(5).outcome, { status: "fulfilled", value: 5 });
  node.deepEqual(failed(reason).outcome, { status: "rejected", reason });
  assertEquals(stopped.outcome?.status, "cancelled");
  assert(stopped.outcome?.status === "cancelled" && stopped.outcome.reason instanceof CancelledError);
});

test("Future.result() rejects with the same object every time [F4]", async () => {
  const reason = new Error("reason"), future = failed(reason);
  for (let i = 0; i < 2; i++) assertError(await assertRejects(() => future.result()), (error) => error === reason);
  const stopped = cancelled();
  const [first, second] = await Promise.all([stopped.result().catch((e) => e), stopped.result().catch((e) => e)]);
  assertStrictEquals(first, second);
});

test("Future.result(0) and less look once [F4, test_result_with_timeout]", async () => {
  const reason = new Error("reason");
  for (const timeout of [0, -1, -Infinity]) {
    await assertRejects(() => pending().result(timeout), TimeoutError);
    await assertRejects(() => running().result(timeout), TimeoutError);
    await assertRejects(() => cancelled().result(timeout), CancelledError);
    assertError(await assertRejects(() => failed(reason).result(timeout)), (error) => error === reason);
    assertEquals(await succeeded(5).result(timeout), 5);
  }
});

test("Future.result() wakes all who wait, with and without a limit [F4, test_result_with_success]", async () => {
  const future = running<number>();
  const waiting = [future.result(), future.result(1e6), future.result(Infinity), future];
  future.setResult(5);
  node.deepEqual(await Promise.all(waiting), [5, 5, 5, 5]);
});

test("Future.result() that ran out of time can be asked again [F4]", async () => {
  const future = pending<number>();
  await assertRejects(() => future.result(1), TimeoutError);
  assertError(await assertRejects(() => future.result(1)), {
    name: "TimeoutError",
    message: "The result of <Future state=pending> was not there after 1 ms",
  });
  assertError(await assertRejects(() => running().result(-1)), {
    message: "The result of <Future state=running> was not there after 0 ms",
  });
  node.deepEqual([future.done(), future.cancelled()], [false, false]);
  future.setResult(5);
  assertEquals(await future.result(1), 5);
});

test("Future.result() leaves no timer behind [L2]", async () => {
  const { delays, left } = await timersOf(async () => {
    const future = pending<number>();
    const waiting = [future.result(1e6), future.exception(1e6)];
    future.setResult(5);
    await Promise.all(waiting);
  });
  node.deepEqual([delays.length, left], [2, 0]);
});

test("Future.result({ signal }) and exception({ signal }) reject with the reason, and can be asked again", async () => {
  for (const method of ["result", "exception"] as const) {
    const controller = new AbortController(), { signal } = controller;
    const listeners = listenersOf(signal), future = pending<number>();
    const waiting = [future[method]({ signal }), future[method]({ signal, timeout: 1e6 })];
    assertEquals(listeners.count, 1);
    controller.abort(REASON);
    for (const promise of waiting) assertError(await assertRejects(() => promise), (error) => error === REASON);
    assertError(await assertRejects(() => future[method]({ signal, timeout: 0 })), (error) => error === REASON);
    node.deepEqual([future.done(), listeners.count], [false, 0]);
    future.setResult(5);
    assertError(
      await assertRejects(() => future[method]({ signal }), "as every function of the web does"),
      (error) => error === REASON,
    );
    assertStrictEquals(await future[method]({ timeout: 0 }), method === "result" ? 5 : undefined);
  }
});

test("Future.result({ signal }) leaves neither a listener nor a timer when the Future is done or time is up", async () => {
  const { signal } = new AbortController(), listeners = listenersOf(signal);
  const { left } = await timersOf(async () => {
    const future = pending<number>();
    await assertRejects(() => future.result({ signal, timeout: 1 }), TimeoutError);
    assertEquals(listeners.count, 0);
    const waiting = Array.from({ length: 100 }, () => future.result({ signal, timeout: 1e6 }));
    assertEquals(listeners.count, 1);
    future.setResult(5);
    assertEquals(new Set(await Promise.all(waiting)).size, 1);
  });
  node.deepEqual([listeners.count, left], [0, 0]);
});

test("Future.exception({ signal }) that was aborted is no look at a failure that comes later", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  const future = executor.submit(() => {
    throw new Error("unseen");
  });
  assertError(
    await assertRejects(() => future.exception({ signal: AbortSignal.abort(REASON) })),
    (error) => error === REASON,
  );
  const reports = await reportsOf(() => executor.shutdown());
  assertMatch(String(reports[0]?.[1]), /unseen/);
  assertError(
    await assertRejects(() => future.exception({ signal: AbortSignal.abort(REASON) })),
    (error) => error === REASON,
  );
  assertEquals((await future.exception() as Error).message, "unseen");
});

test("Future.result() refuses limits of a wrong kind [F4]", () => {
  assertError(assertThrows(() => pending().result({ signal: {} as never })), {
    name: "TypeError",
    message: "Cannot wait for a result as 'signal' must be an AbortSignal: received an object",
  });
  assertThrows(() => pending().exception({ timeout: "1" as never }), TypeError);
  assertThrows(() => pending().result("1" as never), TypeError);
  assertThrows(() => pending().result(NaN), RangeError);
  assertThrows(() => pending().exception(null as never), TypeError);
  assertThrows(() => pending().exception(NaN), RangeError);
});

test("Future.exception() resolves to the error, or to undefined [F5, test_exception_with_timeout]", async () => {
  const reason = new Error("reason");
  assertStrictEquals(await failed(reason).exception(0), reason);
  assertEquals(await succeeded(5).exception(0), undefined);
  await assertRejects(() => pending().exception(0), TimeoutError);
  await assertRejects(() => running().exception(0), TimeoutError);
  await assertRejects(() => cancelled().exception(0), CancelledError);
});

test("Future.exception() wakes when the error comes [F5, test_exception_with_success]", async () => {
  const future = running(), reason = new Error("reason");
  const waiting = [future.exception(), future.exception(1e6)];
  future.setException(reason);
  node.deepEqual(await Promise.all(waiting), [reason, reason]);
});

test("Future.result() prefers the result to a limit that is over at the same moment [F6]", async () => {
  const future = running<number>();
  const waiting = future.result(1);
  const due = performance.now() + 5;
  while (performance.now() < due); // the timer is due now, and has not fired
  future.setResult(5);
  assertEquals(await waiting, 5);
});

test("Future.setRunningOrNotifyCancel() makes a pending Future run, once [F10, E5]", () => {
  const future = pending();
  assertEquals(future.setRunningOrNotifyCancel(), true);
  assertEquals(future.running(), true);
  for (const wrong of [future, succeeded(5), failed(new Error())]) {
    assertError(assertThrows(() => wrong.setRunningOrNotifyCancel()), {
      name: "InvalidStateError",
      message: /unexpected state/,
    });
  }
});

test("Future.setRunningOrNotifyCancel() is false when it was cancelled [F10]", () => {
  const future = cancelled();
  assertEquals(future.setRunningOrNotifyCancel(), false);
  assertEquals(future.setRunningOrNotifyCancel(), false);
  assertEquals(future.cancelled(), true);
});

test("Future.setResult() is refused when it is done, and the first outcome stays [F11, E3, test_multiple_set_result]", async () => {
  const future = pending<number>();
  future.setResult(1);
  assertError(assertThrows(() => future.setResult(2)), {
    message: "FINISHED: <Future state=finished returned number>",
  });
  assertThrows(() => future.setException(new Error()), InvalidStateError);
  assertEquals(await future, 1);
  assertError(assertThrows(() => cancelled().setResult(1)), { message: "CANCELLED: <Future state=cancelled>" });
});

test("Future.setException() is refused when it is done, and the first outcome stays [F11, test_multiple_set_exception]", async () => {
  const first = new Error("first"), future = failed(first);
  assertError(assertThrows(() => future.setException(new Error())), {
    message: "FINISHED: <Future state=finished raised Error>",
  });
  assertThrows(() => future.setResult(1), InvalidStateError);
  assertStrictEquals(await future.exception(), first);
  assertThrows(() => cancelled().setException(first), InvalidStateError);
});

test("Future.setException() fails with any value, however false [F11, test_swallows_falsey_exceptions]", async () => {
  for (const reason of [undefined, null, 0, "", false, NaN]) {
    const future = failed(reason);
    node.deepEqual(future.outcome, { status: "rejected", reason });
    node.deepEqual(await Promise.allSettled([future.result()]), [{ status: "rejected", reason }]);
    assert(Object.is(await future.exception(), reason));
  }
});

test("Future drops an executor's late answer quietly [F12]", () => {
  for (const future of [cancelled(), failed(new Error()), succeeded(5)]) {
    const before = future.outcome;
    settleFuture(future, "fulfilled", "late");
    settleFuture(future, "rejected", "late");
    node.deepEqual(future.outcome, before);
  }
});

test("Future.toString() and inspection show its state [F13, test_repr]", () => {
  const shown: [Future<unknown>, string][] = [
    [pending(), "<Future state=pending>"],
    [running(), "<Future state=running>"],
    [cancelled(), "<Future state=cancelled>"],
    [failed(new RangeError()), "<Future state=finished raised RangeError>"],
    [failed(undefined), "<Future state=finished raised undefined>"],
    [succeeded(5), "<Future state=finished returned number>"],
    [succeeded(null), "<Future state=finished returned null>"],
    [succeeded(Object.create(null)), "<Future state=finished returned Object>"],
  ];
  for (const [future, text] of shown) {
    assertStrictEquals(String(future), text);
    assertStrictEquals(inspect(future), text);
  }
  assertEquals(Object.prototype.toString.call(pending()), "[object Future]");
});

test("Future is generic, and a Future<unknown> too [F14]", async () => {
  const narrow: Future<number> = succeeded(5);
  const wide: Future<unknown> = narrow;
  const value: number = await narrow;
  assertStrictEquals(await wide, value);
});

test("Future keeps nothing but its result when it is done [F15]", needsCollector, async () => {
  const futures: Future<unknown>[] = [];
  const settle = (watch: (future: Future<unknown>) => object) => () => {
    const future = pending();
    futures.push(future);
    const ref = new WeakRef(watch(future));
    future.setResult(5);
    return ref;
  };
  const control = settle((future) => {
    const control = { unobserved: { add() {}, remove() {} }, withdraw: () => true, begun: () => false };
    bindCall(future, control);
    return control;
  });
  const callback = settle((future) => {
    const callback = () => {};
    future.addDoneCallback(callback);
    return callback;
  });
  assertEquals(await isCollected(control), true);
  assertEquals(await isCollected(callback), true);
  assert(futures.every((future) => future.done()));
});

test("Future keeps no waiter whose time ran out [F15]", needsCollector, async () => {
  const future = pending();
  const waiter = async () => {
    const waiting = future.result(1);
    await assertRejects(() => waiting, TimeoutError);
    return new WeakRef(waiting);
  };
  assertEquals(await isCollected(waiter), true);
  assertEquals(future.done(), false);
});

test("Future is a thenable: await, async functions and Promise.resolve unwrap it [F16]", async () => {
  const reason = new Error("reason");
  assertEquals(await succeeded(5), 5);
  assertEquals(await (async () => await succeeded(5))(), 5);
  assertEquals(await Promise.resolve(succeeded(5)), 5);
  assertEquals(await succeeded(5).then((n) => n + 1), 6);
  assertStrictEquals(await failed(reason).catch((error) => error), reason);
  assertStrictEquals(await failed(reason).then(() => "no", (error) => error), reason);
  let finallyRan = 0;
  assertEquals(await succeeded(5).finally(() => void finallyRan++), 5);
  assertError(await assertRejects(() => failed(reason).finally(() => void finallyRan++)), (error) => error === reason);
  assertEquals(finallyRan, 2);
});

test("Future of a thenable resolves to what that resolves to; outcome has the thenable [F16]", async () => {
  const inner = succeeded(5), outer = succeeded(inner);
  assertEquals(await outer.result(), 5);
  assert(outer.outcome?.status === "fulfilled" && outer.outcome.value === inner);
});

test("Future that fails and is not asked is no unhandled rejection [F17, E8]", async () => {
  const unasked = [failed(new Error("nobody asks")), cancelled(), pending()];
  unasked[2]!.setException(new Error("nobody asks either"));
  for (let turn = 0; turn < 3; turn++) await delivered(); // the runners fail a test that leaves a rejection unhandled
  assert(unasked.every((future) => future.outcome?.status !== "fulfilled"));
});

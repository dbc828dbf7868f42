// Future: its states, its results and what it leaves behind. Callbacks have their own file, future_callbacks_test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { CancelledError, Future, InvalidStateError, TimeoutError } from "../../../mod.ts";
import { bindCall, settleFuture } from "../../../src/future/future.ts";
import { cancelled, failed, pending, running, succeeded } from "../../support/futures.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { listenersOf, reportsOf, timersOf } from "../../support/observe.ts";

const REASON = new Error("enough");

test("Future() takes nothing and is pending [F1]", () => {
  assert.equal(Future.length, 0);
  const future = new Future();
  assert.deepEqual([future.done(), future.running(), future.cancelled()], [false, false, false]);
  assert.equal(future.outcome, undefined);
});

test("Future.cancel() is true once, then stays true [F2, test_cancel]", () => {
  const future = pending();
  assert.equal(future.cancel(), true);
  assert.equal(future.cancelled(), true);
  assert.equal(future.cancel(), true);
  assert.equal(future.cancelled(), true);
});

test("Future.cancel() is false when it runs or has finished, and changes nothing [F2, test_cancel]", () => {
  for (const future of [running(), failed(new Error()), succeeded(5)]) {
    const before = future.toString();
    assert.equal(future.cancel(), false);
    assert.equal(future.toString(), before);
  }
});

test("Future.cancel() asks its executor to take the call back [F2]", () => {
  for (const answer of [true, false]) {
    const future = pending();
    bindCall(future, { unobserved: { add() {}, remove() {} }, withdraw: () => answer, begun: () => !answer });
    assert.equal(future.running(), !answer);
    assert.equal(future.cancel(), answer);
    assert.equal(future.cancelled(), answer);
  }
});

test("Future.cancel() wakes those who wait [F2, test_result_with_cancel]", async () => {
  const future = pending();
  const waiting = [future.result(), future.result(1e6), future.exception(), future.then()];
  future.cancel();
  for (const result of await Promise.allSettled(waiting)) {
    assert.equal(result.status, "rejected");
    assert.ok((result as PromiseRejectedResult).reason instanceof CancelledError);
  }
});

test("Future.cancelled(), running() and done() tell the state at once [F3, test_cancelled, test_running, test_done]", () => {
  const states = [pending(), running(), cancelled(), failed(new Error()), succeeded(5)];
  assert.deepEqual(states.map((future) => future.cancelled()), [false, false, true, false, false]);
  assert.deepEqual(states.map((future) => future.running()), [false, true, false, false, false]);
  assert.deepEqual(states.map((future) => future.done()), [false, false, true, true, true]);
});

test("Future.outcome tells how it ended, without waiting [F3]", () => {
  const reason = new Error("reason"), stopped = cancelled();
  assert.deepEqual([pending().outcome, running().outcome], [undefined, undefined]);
  assert.deepEqual(succeeded(5).outcome, { status: "fulfilled", value: 5 });
  assert.deepEqual(failed(reason).outcome, { status: "rejected", reason });
  assert.equal(stopped.outcome?.status, "cancelled");
  assert.ok(stopped.outcome?.status === "cancelled" && stopped.outcome.reason instanceof CancelledError);
});

test("Future.result() rejects with the same object every time [F4]", async () => {
  const reason = new Error("reason"), future = failed(reason);
  for (let i = 0; i < 2; i++) await assert.rejects(future.result(), (error) => error === reason);
  const stopped = cancelled();
  const [first, second] = await Promise.all([stopped.result().catch((e) => e), stopped.result().catch((e) => e)]);
  assert.equal(first, second);
});

test("Future.result(0) and less look once [F4, test_result_with_timeout]", async () => {
  const reason = new Error("reason");
  for (const timeout of [0, -1, -Infinity]) {
    await assert.rejects(pending().result(timeout), TimeoutError);
    await assert.rejects(running().result(timeout), TimeoutError);
    await assert.rejects(cancelled().result(timeout), CancelledError);
    await assert.rejects(failed(reason).result(timeout), (error) => error === reason);
    assert.equal(await succeeded(5).result(timeout), 5);
  }
});

test("Future.result() wakes all who wait, with and without a limit [F4, test_result_with_success]", async () => {
  const future = running<number>();
  const waiting = [future.result(), future.result(1e6), future.result(Infinity), future];
  future.setResult(5);
  assert.deepEqual(await Promise.all(waiting), [5, 5, 5, 5]);
});

test("Future.result() that ran out of time can be asked again [F4]", async () => {
  const future = pending<number>();
  await assert.rejects(future.result(1), TimeoutError);
  await assert.rejects(future.result(1), {
    name: "TimeoutError",
    message: "The result of <Future state=pending> was not there after 1 ms",
  });
  await assert.rejects(running().result(-1), {
    message: "The result of <Future state=running> was not there after 0 ms",
  });
  assert.deepEqual([future.done(), future.cancelled()], [false, false]);
  future.setResult(5);
  assert.equal(await future.result(1), 5);
});

test("Future.result() leaves no timer behind [L2]", async () => {
  const { delays, left } = await timersOf(async () => {
    const future = pending<number>();
    const waiting = [future.result(1e6), future.exception(1e6)];
    future.setResult(5);
    await Promise.all(waiting);
  });
  assert.deepEqual([delays.length, left], [2, 0]);
});

test("Future.result({ signal }) and exception({ signal }) reject with the reason, and can be asked again", async () => {
  for (const method of ["result", "exception"] as const) {
    const controller = new AbortController(), { signal } = controller;
    const listeners = listenersOf(signal), future = pending<number>();
    const waiting = [future[method]({ signal }), future[method]({ signal, timeout: 1e6 })];
    assert.equal(listeners.count, 1);
    controller.abort(REASON);
    for (const promise of waiting) await assert.rejects(promise, (error) => error === REASON);
    await assert.rejects(future[method]({ signal, timeout: 0 }), (error) => error === REASON);
    assert.deepEqual([future.done(), listeners.count], [false, 0]);
    future.setResult(5);
    await assert.rejects(future[method]({ signal }), (error) => error === REASON, "as every function of the web does");
    assert.equal(await future[method]({ timeout: 0 }), method === "result" ? 5 : undefined);
  }
});

test("Future.result({ signal }) leaves neither a listener nor a timer when the Future is done or time is up", async () => {
  const { signal } = new AbortController(), listeners = listenersOf(signal);
  const { left } = await timersOf(async () => {
    const future = pending<number>();
    await assert.rejects(future.result({ signal, timeout: 1 }), TimeoutError);
    assert.equal(listeners.count, 0);
    const waiting = Array.from({ length: 100 }, () => future.result({ signal, timeout: 1e6 }));
    assert.equal(listeners.count, 1);
    future.setResult(5);
    assert.equal(new Set(await Promise.all(waiting)).size, 1);
  });
  assert.deepEqual([listeners.count, left], [0, 0]);
});

test("Future.exception({ signal }) that was aborted is no look at a failure that comes later", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  const future = executor.submit(() => {
    throw new Error("unseen");
  });
  await assert.rejects(future.exception({ signal: AbortSignal.abort(REASON) }), (error) => error === REASON);
  const reports = await reportsOf(() => executor.shutdown());
  assert.match(String(reports[0]?.[1]), /unseen/);
  await assert.rejects(future.exception({ signal: AbortSignal.abort(REASON) }), (error) => error === REASON);
  assert.equal((await future.exception() as Error).message, "unseen");
});

test("Future.result() refuses limits of a wrong kind [F4]", () => {
  assert.throws(() => pending().result({ signal: {} as never }), {
    name: "TypeError",
    message: "Cannot wait for a result as 'signal' must be an AbortSignal: received an object",
  });
  assert.throws(() => pending().exception({ timeout: "1" as never }), TypeError);
  assert.throws(() => pending().result("1" as never), TypeError);
  assert.throws(() => pending().result(NaN), RangeError);
  assert.throws(() => pending().exception(null as never), TypeError);
  assert.throws(() => pending().exception(NaN), RangeError);
});

test("Future.exception() resolves to the error, or to undefined [F5, test_exception_with_timeout]", async () => {
  const reason = new Error("reason");
  assert.equal(await failed(reason).exception(0), reason);
  assert.equal(await succeeded(5).exception(0), undefined);
  await assert.rejects(pending().exception(0), TimeoutError);
  await assert.rejects(running().exception(0), TimeoutError);
  await assert.rejects(cancelled().exception(0), CancelledError);
});

test("Future.exception() wakes when the error comes [F5, test_exception_with_success]", async () => {
  const future = running(), reason = new Error("reason");
  const waiting = [future.exception(), future.exception(1e6)];
  future.setException(reason);
  assert.deepEqual(await Promise.all(waiting), [reason, reason]);
});

test("Future.result() prefers the result to a limit that is over at the same moment [F6]", async () => {
  const future = running<number>();
  const waiting = future.result(1);
  const due = performance.now() + 5;
  while (performance.now() < due); // the timer is due now, and has not fired
  future.setResult(5);
  assert.equal(await waiting, 5);
});

test("Future.setRunningOrNotifyCancel() makes a pending Future run, once [F10, E5]", () => {
  const future = pending();
  assert.equal(future.setRunningOrNotifyCancel(), true);
  assert.equal(future.running(), true);
  for (const wrong of [future, succeeded(5), failed(new Error())]) {
    assert.throws(() => wrong.setRunningOrNotifyCancel(), { name: "InvalidStateError", message: /unexpected state/ });
  }
});

test("Future.setRunningOrNotifyCancel() is false when it was cancelled [F10]", () => {
  const future = cancelled();
  assert.equal(future.setRunningOrNotifyCancel(), false);
  assert.equal(future.setRunningOrNotifyCancel(), false);
  assert.equal(future.cancelled(), true);
});

test("Future.setResult() is refused when it is done, and the first outcome stays [F11, E3, test_multiple_set_result]", async () => {
  const future = pending<number>();
  future.setResult(1);
  assert.throws(() => future.setResult(2), { message: "FINISHED: <Future state=finished returned number>" });
  assert.throws(() => future.setException(new Error()), InvalidStateError);
  assert.equal(await future, 1);
  assert.throws(() => cancelled().setResult(1), { message: "CANCELLED: <Future state=cancelled>" });
});

test("Future.setException() is refused when it is done, and the first outcome stays [F11, test_multiple_set_exception]", async () => {
  const first = new Error("first"), future = failed(first);
  assert.throws(() => future.setException(new Error()), { message: "FINISHED: <Future state=finished raised Error>" });
  assert.throws(() => future.setResult(1), InvalidStateError);
  assert.equal(await future.exception(), first);
  assert.throws(() => cancelled().setException(first), InvalidStateError);
});

test("Future.setException() fails with any value, however false [F11, test_swallows_falsey_exceptions]", async () => {
  for (const reason of [undefined, null, 0, "", false, NaN]) {
    const future = failed(reason);
    assert.deepEqual(future.outcome, { status: "rejected", reason });
    assert.deepEqual(await Promise.allSettled([future.result()]), [{ status: "rejected", reason }]);
    assert.ok(Object.is(await future.exception(), reason));
  }
});

test("Future drops an executor's late answer quietly [F12]", () => {
  for (const future of [cancelled(), failed(new Error()), succeeded(5)]) {
    const before = future.outcome;
    settleFuture(future, "fulfilled", "late");
    settleFuture(future, "rejected", "late");
    assert.deepEqual(future.outcome, before);
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
    assert.equal(String(future), text);
    assert.equal(inspect(future), text);
  }
  assert.equal(Object.prototype.toString.call(pending()), "[object Future]");
});

test("Future is generic, and a Future<unknown> too [F14]", async () => {
  const narrow: Future<number> = succeeded(5);
  const wide: Future<unknown> = narrow;
  const value: number = await narrow;
  assert.equal(await wide, value);
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
  assert.equal(await isCollected(control), true);
  assert.equal(await isCollected(callback), true);
  assert.ok(futures.every((future) => future.done()));
});

test("Future keeps no waiter whose time ran out [F15]", needsCollector, async () => {
  const future = pending();
  const waiter = async () => {
    const waiting = future.result(1);
    await assert.rejects(waiting, TimeoutError);
    return new WeakRef(waiting);
  };
  assert.equal(await isCollected(waiter), true);
  assert.equal(future.done(), false);
});

test("Future is a thenable: await, async functions and Promise.resolve unwrap it [F16]", async () => {
  const reason = new Error("reason");
  assert.equal(await succeeded(5), 5);
  assert.equal(await (async () => await succeeded(5))(), 5);
  assert.equal(await Promise.resolve(succeeded(5)), 5);
  assert.equal(await succeeded(5).then((n) => n + 1), 6);
  assert.equal(await failed(reason).catch((error) => error), reason);
  assert.equal(await failed(reason).then(() => "no", (error) => error), reason);
  let finallyRan = 0;
  assert.equal(await succeeded(5).finally(() => void finallyRan++), 5);
  await assert.rejects(failed(reason).finally(() => void finallyRan++), (error) => error === reason);
  assert.equal(finallyRan, 2);
});

test("Future of a thenable resolves to what that resolves to; outcome has the thenable [F16]", async () => {
  const inner = succeeded(5), outer = succeeded(inner);
  assert.equal(await outer.result(), 5);
  assert.ok(outer.outcome?.status === "fulfilled" && outer.outcome.value === inner);
});

test("Future that fails and is not asked is no unhandled rejection [F17, E8]", async () => {
  const unasked = [failed(new Error("nobody asks")), cancelled(), pending()];
  unasked[2]!.setException(new Error("nobody asks either"));
  for (let turn = 0; turn < 3; turn++) await delivered(); // the runners fail a test that leaves a rejection unhandled
  assert.ok(unasked.every((future) => future.outcome?.status !== "fulfilled"));
});

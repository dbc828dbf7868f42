// Future.addDoneCallback(): when callbacks run, in which order, and what happens to their errors.

import { assertEquals, assertMatch, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import type { Future } from "../../../mod.ts";
import { unwatchFuture, watchFuture } from "../../../src/future/future.ts";
import { cancelled, failed, pending, running, succeeded } from "../../support/futures.ts";
import { delivered } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";

/** A callback that notes the outcomes that it sees. */
function recorder<T>(): { callback: (future: Future<T>) => void; seen: Future<T>["outcome"][] } {
  const seen: Future<T>["outcome"][] = [];
  return { callback: (future) => void seen.push(future.outcome), seen };
}

test("Future.addDoneCallback() runs inside setResult() [F7, test_done_callback_with_result]", () => {
  const future = pending<number>(), { callback, seen } = recorder<number>();
  assertEquals(future.addDoneCallback(callback), undefined);
  assertEquals(seen, []);
  future.setResult(5);
  assertEquals(seen, [{ status: "fulfilled", value: 5 }]);
});

test("Future.addDoneCallback() runs inside setException() [F7, test_done_callback_with_exception]", () => {
  const future = pending(), reason = new Error("reason"), { callback, seen } = recorder();
  future.addDoneCallback(callback);
  future.setException(reason);
  assertEquals(seen, [{ status: "rejected", reason }]);
});

test("Future.addDoneCallback() runs inside cancel(), once [F2, F7, test_done_callback_with_cancel]", () => {
  const future = pending(), seen: boolean[] = [];
  future.addDoneCallback((future) => seen.push(future.cancelled()));
  assertEquals(future.cancel(), true);
  assertEquals(seen, [true]);
  future.cancel();
  future.setRunningOrNotifyCancel();
  assertEquals(seen, [true]);
});

test("Future.addDoneCallback() gets the Future alone [F7]", () => {
  const future = pending();
  future.addDoneCallback((...args) => assertEquals(args, [future]));
  future.setResult(5);
});

test("Future.addDoneCallback() runs at once when it is done [F7, test_done_callback_already_successful]", () => {
  const { callback, seen } = recorder<number>();
  succeeded(5).addDoneCallback(callback);
  assertEquals(seen, [{ status: "fulfilled", value: 5 }]);
});

test("Future.addDoneCallback() runs at once when it has failed [F7, test_done_callback_already_failed]", () => {
  const reason = new Error("reason"), { callback, seen } = recorder();
  failed(reason).addDoneCallback(callback);
  assertEquals(seen, [{ status: "rejected", reason }]);
});

test("Future.addDoneCallback() runs at once when it is cancelled [F7, test_done_callback_already_cancelled]", () => {
  const { callback, seen } = recorder();
  cancelled().addDoneCallback(callback);
  assertEquals(seen[0]?.status, "cancelled");
});

test("Future.addDoneCallback() keeps the order of addition, a function twice runs twice [F7]", () => {
  const future = pending(), order: string[] = [];
  const twice = () => void order.push("twice");
  future.addDoneCallback(twice);
  future.addDoneCallback(() => void order.push("between"));
  future.addDoneCallback(twice);
  future.setResult(5);
  assertEquals(order, ["twice", "between", "twice"]);
});

test("Future.addDoneCallback() inside a callback runs at once, before the rest [F7]", () => {
  const future = pending(), order: string[] = [];
  future.addDoneCallback(() => {
    future.addDoneCallback(() => void order.push("inner"));
    order.push("outer");
  });
  future.addDoneCallback(() => void order.push("rest"));
  future.setResult(5);
  assertEquals(order, ["inner", "outer", "rest"]);
});

test("Future.addDoneCallback() refuses what is not a function [F7]", () => {
  assertThrows(() => pending().addDoneCallback(5 as never), TypeError);
  assertThrows(() => succeeded(5).addDoneCallback(undefined as never), TypeError);
});

test("Future tells watchers, then callbacks, then those who await [F8]", async () => {
  const future = running<number>(), order: string[] = [];
  const awaiting = future.then(() => void order.push("promise"));
  future.addDoneCallback(({ outcome }) => void order.push(`callback ${outcome?.status}`));
  watchFuture(future, (watched) => void order.push(`watcher ${watched.done()}`));
  future.setResult(5);
  await awaiting;
  assertEquals(order, ["watcher true", "callback fulfilled", "promise"]);
});

test("Future does not tell a watcher that was removed [F8, W7]", () => {
  const future = pending();
  const watcher = () => fail("told");
  watchFuture(future, watcher);
  unwatchFuture(future, watcher);
  future.setResult(5);
  unwatchFuture(future, watcher);
});

test("Future reports a callback that throws, and goes on [F9, E8, test_done_callback_raises]", async () => {
  const future = pending<number>(), thrown = new Error("thrown"), { callback, seen } = recorder<number>();
  const reports = await reportsOf(() => {
    future.addDoneCallback(() => {
      throw thrown;
    });
    future.addDoneCallback(callback);
    future.setResult(5);
  });
  assertEquals(seen.length, 1);
  assertEquals(await future, 5);
  assertEquals(reports.length, 1);
  assertMatch(String(reports[0]?.[0]), /^concurrent\.futures: Exception calling callback for <Future state=finished/);
  assertStrictEquals(reports[0]?.[1], thrown);
});

test("Future reports a callback that throws when added late [F9, test_done_callback_raises_already_succeeded]", async () => {
  const thrown = new Error("thrown");
  const reports = await reportsOf(() =>
    succeeded(5).addDoneCallback(() => {
      throw thrown;
    })
  );
  assertEquals(reports.map(([, error]) => error), [thrown]);
});

test("Future reports an async callback that rejects; it is no unhandled rejection [F9, E8]", async () => {
  const thrown = new Error("thrown");
  const reports = await reportsOf(() => {
    succeeded(5).addDoneCallback(() => Promise.reject(thrown));
    return delivered();
  });
  assertEquals(reports.map(([, error]) => error), [thrown]);
});

// wait(): when it returns, and with which sets.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future, wait } from "../../../mod.ts";
import { bindCall } from "../../../src/future/future.ts";
import { cancelled, failed, pending, running, succeeded } from "../../support/futures.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { listenersOf, timersOf } from "../../support/observe.ts";
import { assertError } from "../../support/assert_error.ts";

const REASON = new Error("enough");
const EVERY_MODE = [ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION] as const;

/** The two sets of a wait(), in the order of its input. */
async function sets(waiting: ReturnType<typeof wait>): Promise<[Future<unknown>[], Future<unknown>[]]> {
  const { done, notDone } = await waiting;
  return [[...done], [...notDone]];
}

/** Fails when a wait() has returned. */
async function assertWaits(waiting: Promise<unknown>): Promise<void> {
  const later = delivered().then(() => "waits");
  assertEquals(await Promise.race([waiting, later]), "waits");
}

test("wait() takes any iterable, of hand-made futures and those of several executors [W1]", async () => {
  await using one = new MemoryExecutor();
  await using two = new MemoryExecutor({}, { claims: false });
  const futures = new Set([one.submit(() => 1), two.submit(() => 2), succeeded(3)]);
  const { done, notDone } = await wait(futures.values());
  assertEquals([done, notDone], [futures, new Set()]);
});

test("wait() counts a future that is given twice once [W1, test_20369]", async () => {
  const future = pending();
  const waiting = sets(wait([future, future]));
  future.setResult(5);
  assertEquals(await waiting, [[future], []]);
});

test("wait() takes a cancelled future as done at once [W2, test_first_completed]", async () => {
  const stopped = cancelled(), open = pending();
  assertEquals(await sets(wait([stopped, open], { returnWhen: FIRST_COMPLETED })), [[stopped], [open]]);
  const waiting = sets(wait([stopped, open]));
  open.cancel();
  assertEquals(await waiting, [[stopped, open], []]);
});

test("wait() returns two empty sets for no futures, in every mode [W3]", async () => {
  for (const returnWhen of EVERY_MODE) assertEquals(await sets(wait([], { returnWhen })), [[], []]);
});

test("wait() refuses wrong arguments at the call, whatever is done already [W3]", () => {
  assertError(assertThrows(() => wait([], { returnWhen: "SOMETIME" as never })), {
    name: "RangeError",
    message: "Invalid return condition: SOMETIME",
  });
  assertThrows(() => wait([succeeded(5)], { returnWhen: null as never }), RangeError);
  assertThrows(() => wait([], { timeout: "1" as never }), TypeError);
  assertThrows(() => wait([], { timeout: NaN }), RangeError);
  assertThrows(() => wait(undefined as never), TypeError);
  assertThrows(() => wait(succeeded(5) as never), TypeError);
  assertThrows(() => wait([Promise.resolve()] as never), TypeError);
});

test("wait() for FIRST_COMPLETED returns at the first [W4, test_first_completed]", async () => {
  const first = running(), second = running();
  const waiting = wait([first, second], { returnWhen: FIRST_COMPLETED });
  await assertWaits(waiting);
  second.setResult(5);
  assertEquals(await sets(waiting), [[second], [first]]);
});

test("wait() for FIRST_COMPLETED returns all that are done already [W4, test_first_completed_some_already_completed]", async () => {
  const futures = [succeeded(5), running(), cancelled(), failed(new Error())] as const;
  const [five, open, stopped, error] = futures;
  assertEquals(await sets(wait(futures, { returnWhen: FIRST_COMPLETED })), [[five, stopped, error], [open]]);
});

test("wait() for FIRST_EXCEPTION returns at the first failure [W4, test_first_exception]", async () => {
  const [good, bad, open] = [running(), running(), running()] as const;
  const waiting = wait([good, bad, open], { returnWhen: FIRST_EXCEPTION });
  good.setResult(5);
  await assertWaits(waiting);
  bad.setException(undefined);
  assertEquals(await sets(waiting), [[good, bad], [open]]);
});

test("wait() for FIRST_EXCEPTION ignores successes and cancellations [W4, test_first_exception_some_already_complete]", async () => {
  const [five, stopped, toStop, open, bad] = [succeeded(5), cancelled(), pending(), running(), running()] as const;
  const waiting = wait([five, stopped, toStop, open, bad], { returnWhen: FIRST_EXCEPTION });
  toStop.cancel();
  await assertWaits(waiting);
  bad.setException(new Error());
  assertEquals(await sets(waiting), [[five, stopped, toStop, bad], [open]]);
});

test("wait() for FIRST_EXCEPTION returns at once when one has failed [W4, test_first_exception_one_already_failed]", async () => {
  const bad = failed(0), open = running();
  assertEquals(await sets(wait([bad, open], { returnWhen: FIRST_EXCEPTION })), [[bad], [open]]);
});

test("wait() for FIRST_EXCEPTION without one returns when all are done [W4]", async () => {
  const futures = [running(), running()];
  const waiting = wait(futures, { returnWhen: FIRST_EXCEPTION });
  for (const future of futures) future.setResult(5);
  assertEquals(await sets(waiting), [futures, []]);
});

test("wait() for ALL_COMPLETED, the default, returns all that have ended, however [W4, test_all_completed]", async () => {
  for (const options of [undefined, {}, { returnWhen: ALL_COMPLETED }]) {
    const futures = [failed(new Error()), cancelled(), succeeded(5), running(), pending()];
    const waiting = wait(futures, options);
    futures[3]!.setException(new Error());
    await assertWaits(waiting);
    futures[4]!.setResult(5);
    assertEquals(await sets(waiting), [futures, []]);
  }
});

test("wait() returns when time is over, and throws nothing [W5, test_timeout]", async () => {
  const done = succeeded(5), open = running();
  for (const returnWhen of [ALL_COMPLETED, FIRST_EXCEPTION]) {
    assertEquals(await sets(wait([done, open], { timeout: 1, returnWhen })), [[done], [open]]);
  }
  assertEquals(await sets(wait([open], { timeout: 1, returnWhen: FIRST_COMPLETED })), [[], [open]]);
});

test("wait() with a timeout of 0 or less looks once, in every mode [W5]", async () => {
  const done = succeeded(5), open = running();
  for (const returnWhen of EVERY_MODE) {
    for (const timeout of [0, -1, -Infinity]) {
      assertEquals(await sets(wait([done, open], { timeout, returnWhen })), [[done], [open]]);
    }
  }
});

test("wait() returns the futures that are done when it returns, not when it was woken [W6]", async () => {
  const [first, second, open] = [running(), running(), running()] as const;
  const waiting = wait([first, second, open], { returnWhen: FIRST_COMPLETED });
  first.setResult(1);
  second.setResult(2); // in the same turn: nobody can have gone on yet
  assertEquals(await sets(waiting), [[first, second], [open]]);
});

test("wait() divides its input in two, without a rest [W6]", async () => {
  const futures = [succeeded(5), pending(), cancelled(), running(), failed(0)];
  for (const returnWhen of EVERY_MODE) {
    const { done, notDone } = await wait(futures, { timeout: 0, returnWhen });
    assertEquals(done.union(notDone), new Set([...done, ...notDone]));
    assertStrictEquals(done.size + notDone.size, futures.length);
    for (const future of futures) assertEquals((future.done() ? done : notDone).has(future), true);
  }
});

test("wait() looks at no result and cancels nothing [W7]", async () => {
  const bad = pending(), open = pending();
  const unobserved = { add() {}, remove: () => fail("the failure counts as looked at") };
  bindCall(bad, { unobserved, withdraw: () => true, begun: () => false });
  bad.setException(new Error());
  for (const returnWhen of EVERY_MODE) await wait([bad, open], { timeout: 1, returnWhen });
  assertEquals([open.cancelled(), open.done()], [false, false]);
});

test("wait() leaves nothing on the futures that are not done [W7]", needsCollector, async () => {
  const open = pending();
  const woken = async () => {
    const trigger = pending();
    const waiting = wait([open, trigger], { returnWhen: FIRST_COMPLETED });
    trigger.setResult(5);
    await waiting;
    return new WeakRef(waiting);
  };
  const late = async () => {
    const waiting = wait([open], { timeout: 1 });
    await waiting;
    return new WeakRef(waiting);
  };
  assertEquals(await isCollected(woken), true);
  assertEquals(await isCollected(late), true);
  assertEquals(open.done(), false);
});

test("wait() leaves no timer behind [L2]", async () => {
  const { delays, left } = await timersOf(async () => {
    const future = pending();
    const waiting = wait([future], { timeout: 1e6 });
    future.setResult(5);
    await waiting;
    await wait([future], { timeout: 1e6 });
  });
  assertEquals([delays.length, left], [1, 0]);
});

test("wait() misses no future when many end at once [test_pending_calls_race]", async () => {
  const futures = Array.from({ length: 100 }, () => running());
  const waiting = wait(futures);
  for (const future of futures) queueMicrotask(() => future.setResult(5));
  assertEquals((await waiting).done.size, 100);
});

test("wait() is woken by calls that a shutdown cancels [W2, X8d]", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const futures = [1, 2, 3].map((n) => executor.submit((n: number) => n, n));
  const waiting = wait(futures);
  void executor.shutdown({ cancelFutures: true });
  assertEquals((await waiting).done, new Set(futures));
  assertEquals(futures.map((future) => future.cancelled()), [true, true, true]);
});

test("wait() accepts subclasses of Future [W1]", async () => {
  class Special extends Future<number> {}
  const special = new Special();
  special.setResult(5);
  const { done } = await wait([special]);
  const [first]: Iterable<Special> = done;
  assertStrictEquals(first, special);
});

test("wait({ signal }) rejects with the reason, whoever else waits goes on, and nothing is cancelled", async () => {
  const controller = new AbortController(), { signal } = controller;
  const listeners = listenersOf(signal), futures = Array.from({ length: 100 }, () => pending());
  const { left } = await timersOf(async () => {
    const aborted = wait(futures, { signal, timeout: 1e6 }), patient = sets(wait(futures));
    assertEquals(listeners.count, 1);
    controller.abort(REASON);
    assertError(await assertRejects(() => aborted), (error) => error === REASON);
    assertEquals(listeners.count, 0);
    assert(futures.every((future) => !future.done()));
    for (const future of futures) future.setResult(5);
    assertEquals(await patient, [futures, []]);
  });
  assertEquals(left, 0);
  assertError(
    await assertRejects(() => wait(futures, { signal }), "it has aborted already"),
    (error) => error === REASON,
  );
});

test("wait({ signal }) leaves no listener when it returns", async () => {
  const { signal } = new AbortController(), listeners = listenersOf(signal);
  const future = pending();
  await wait([future], { signal, timeout: 1 });
  assertEquals(listeners.count, 0);
  const waiting = wait([future], { signal });
  assertEquals(listeners.count, 1);
  future.setResult(5);
  await waiting;
  assertEquals(listeners.count, 0);
  assertThrows(() => wait([], { signal: null as never }), TypeError);
});

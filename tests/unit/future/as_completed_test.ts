// asCompleted() yields each future once, when it ends.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { asCompleted, type Future, TimeoutError } from "../../../mod.ts";
import { cancelled, failed, pending, running, succeeded } from "../../support/futures.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { listenersOf, timersOf } from "../../support/observe.ts";
import { assertError } from "../../support/assert_error.ts";

const REASON = new Error("enough");
const END = { value: undefined, done: true };

/** Takes all futures of an iterator. */
async function drained<F>(iterator: AsyncIterable<F>): Promise<F[]> {
  const yielded: F[] = [];
  for await (const item of iterator) yielded.push(item);
  return yielded;
}

test("asCompleted() yields each once: cancelled, failed, finished and running ones [A1, test_no_timeout]", async () => {
  const futures = [cancelled(), failed(new Error()), succeeded(5), running(), pending()];
  const yielding = drained(asCompleted(futures));
  futures[4]!.cancel();
  futures[3]!.setResult(6);
  assertEquals(await yielding, [...futures.slice(0, 3), futures[4], futures[3]]);
});

test("asCompleted() yields in the order of completion, the done ones first [A1]", async () => {
  const [a, b, c] = [running(), running(), succeeded(1)];
  const iterator = asCompleted([a, b, c]);
  b.setResult(2);
  a.setException(new Error());
  assertEquals(await drained(iterator), [c, b, a]);
});

test("asCompleted() yields the Future itself, which nothing unwraps [A1, F16]", async () => {
  const bad = failed(new Error());
  for await (const future of asCompleted([bad])) assertStrictEquals(future, bad);
});

test("asCompleted() takes any iterable, a future given twice comes once [A1, test_duplicate_futures]", async () => {
  const open = running(), done = succeeded(5);
  function* twice() {
    yield* [open, open, done, done];
  }
  const yielding = drained(asCompleted(twice()));
  open.setResult(5);
  assertEquals(await yielding, [done, open]);
});

test("asCompleted() of nothing is over [A1]", async () => {
  assertEquals(await drained(asCompleted([])), []);
  assertEquals(await drained(asCompleted([], { timeout: 0 })), []);
});

test("asCompleted() refuses wrong arguments at the call [A1]", () => {
  assertThrows(() => asCompleted(undefined as never), TypeError);
  assertThrows(() => asCompleted([Promise.resolve()] as never), TypeError);
  assertThrows(() => asCompleted([], { timeout: "1" as never }), TypeError);
  assertThrows(() => asCompleted([], { timeout: NaN }), RangeError);
});

test("asCompleted() reads its input and starts its time at the call [A2]", async () => {
  const input = [running()];
  const iterator = asCompleted(input, { timeout: 1 });
  input.push(running());
  const over = performance.now() + 5;
  while (performance.now() < over); // the time has passed before the first next()
  assertError(await assertRejects(() => iterator.next()), {
    name: "TimeoutError",
    message: "1 (of 1) futures unfinished",
  });
});

test("asCompleted() out of time yields what is done, then rejects [A3, test_future_times_out]", async () => {
  for (const timeout of [-1, 0, 1]) {
    const done = [cancelled(), failed(0), succeeded(5)], open = running();
    const iterator = asCompleted([open, ...done], { timeout });
    for (const future of done) assertEquals(await iterator.next(), { value: future, done: false });
    await assertRejects(() => iterator.next(), TimeoutError);
  }
});

test("asCompleted() tells how many are unfinished [A3, E2, test_correct_timeout_exception_msg]", async () => {
  const iterator = asCompleted([cancelled(), pending(), running(), succeeded(5)], { timeout: 0 });
  await iterator.next();
  await iterator.next();
  assertError(await assertRejects(() => iterator.next()), {
    name: "TimeoutError",
    message: "2 (of 4) futures unfinished",
  });
});

test("asCompleted() rejects nothing when all are done, however late [A3]", async () => {
  const futures = [succeeded(1), succeeded(2)];
  assertEquals(await drained(asCompleted(futures, { timeout: -1 })), futures);
});

test("asCompleted() yields a future that ends after the deadline and before next() is called [A3]", async () => {
  const future = running();
  const iterator = asCompleted([future], { timeout: -1 });
  future.setResult(5);
  assertEquals(await iterator.next(), { value: future, done: false });
  assertEquals<unknown>(await iterator.next(), END);
});

test("asCompleted() is over after its TimeoutError, and has cancelled nothing [A4]", async () => {
  const open = pending();
  const iterator = asCompleted([open], { timeout: 0 });
  await assertRejects(() => iterator.next(), TimeoutError);
  assertEquals<unknown>(await iterator.next(), END);
  open.setResult(5);
  assertEquals<unknown>(await iterator.next(), END);
});

test("asCompleted() is over after an early exit, and has cancelled nothing [A4]", async () => {
  const futures = [succeeded(5), succeeded(6), pending()];
  const iterator = asCompleted(futures);
  for await (const future of iterator) {
    assertStrictEquals(future, futures[0]);
    break;
  }
  assertEquals<unknown>(await iterator.next(), END);
  assertEquals(futures[2]!.done(), false);
});

test("asCompleted() lets those who wait go when it is closed [A4]", async () => {
  const iterator = asCompleted([pending()], { timeout: 1e6 });
  const waiting = [iterator.next(), iterator.next()];
  await iterator.return();
  assertEquals<unknown>(await Promise.all(waiting), [END, END]);
});

test("asCompleted() rejects one of those who wait when time is over, the others are at the end [A4]", async () => {
  const iterator = asCompleted([pending()], { timeout: 1 });
  const [first, second] = await Promise.allSettled([iterator.next(), iterator.next()]);
  assertEquals(first.status === "rejected" && first.reason.name, "TimeoutError");
  assertEquals<unknown>(second, { status: "fulfilled", value: END });
});

test("asCompleted() leaves nothing on the futures that are not done [A4]", needsCollector, async () => {
  const open = pending();
  const closed = async () => {
    const iterator = asCompleted([open]);
    await iterator.return();
    return new WeakRef(iterator);
  };
  const late = async () => {
    const iterator = asCompleted([open], { timeout: 0 });
    await assertRejects(() => iterator.next(), TimeoutError);
    return new WeakRef(iterator);
  };
  assertEquals(await isCollected(closed), true);
  assertEquals(await isCollected(late), true);
  assertEquals(open.done(), false);
});

test("asCompleted() leaves no timer behind [L2]", async () => {
  const { delays, left } = await timersOf(async () => {
    const future = pending(), other = pending();
    const iterator = asCompleted([future, other], { timeout: 1e6 });
    let next = iterator.next();
    future.setResult(5);
    await next;
    next = iterator.next();
    await iterator.return();
    await next;
  });
  assert(delays.length > 0);
  assertEquals(left, 0);
});

test(
  "asCompleted() keeps no future that it has yielded [A5, test_free_reference_yielded_future]",
  needsCollector,
  async () => {
    const iterators: unknown[] = [];
    const yielded = (settle: (future: Future<unknown>) => void, timeout?: number) => async () => {
      const iterator = await (async () => {
        const future = pending(), open = pending();
        const iterator = asCompleted([future, open], timeout === undefined ? {} : { timeout });
        settle(future);
        return { iterator, ref: new WeakRef((await iterator.next()).value!) };
      })();
      if (timeout !== undefined) await assertRejects(() => iterator.iterator.next(), TimeoutError);
      iterators.push(iterator.iterator);
      return iterator.ref;
    };
    assertEquals(await isCollected(yielded((future) => future.setResult(5))), true);
    assertEquals(await isCollected(yielded((future) => queueMicrotask(() => future.setResult(5)))), true);
    assertEquals(await isCollected(yielded((future) => future.setResult(5), 0)), true);
    assertEquals(iterators.length, 30);
  },
);

test("asCompleted() goes on when its consumer settles a future of it [A6]", async () => {
  const [first, second, third] = [succeeded(1), pending<number>(), pending<number>()];
  const seen: unknown[] = [];
  for await (const future of asCompleted([first, second, third])) {
    seen.push(future);
    if (future === first) third.setResult(3);
    if (future === third) second.cancel();
  }
  assertEquals(seen, [first, third, second]);
});

test("asCompleted() serves several next() in order [A1]", async () => {
  const futures = [pending(), pending()];
  const iterator = asCompleted(futures);
  const waiting = [iterator.next(), iterator.next(), iterator.next()];
  futures[1]!.setResult(1);
  futures[0]!.setResult(0);
  const results = await Promise.all(waiting);
  assertEquals(results.map(({ value }) => value), [futures[1], futures[0], undefined]);
});

test("asCompleted() mixes futures of several executors [A1]", async () => {
  await using one = new MemoryExecutor();
  await using two = new MemoryExecutor({}, { claims: false });
  const futures = [one.submit(() => 1), two.submit(() => 2)];
  let sum = 0;
  for await (const future of asCompleted(futures)) sum += await future;
  assertEquals(sum, 3);
  await delivered();
});

test("asCompleted({ signal }) rejects one of those who wait with the reason, and is over", async () => {
  const controller = new AbortController(), { signal } = controller, listeners = listenersOf(signal);
  const open = pending();
  const iterator = asCompleted([succeeded(5), open], { signal, timeout: 1e6 });
  await iterator.next();
  assertEquals(listeners.count, 0, "nobody waits");
  const waiting = Promise.allSettled([iterator.next(), iterator.next()]);
  assertEquals(listeners.count, 1);
  controller.abort(REASON);
  const end = { status: "fulfilled", value: END };
  assertEquals<unknown>(await waiting, [{ status: "rejected", reason: REASON }, end]);
  assertEquals([await iterator.next(), listeners.count, open.done()], [END, 0, false]);
});

test("asCompleted({ signal }) that nobody waits for rejects who asks next, whatever is done", async () => {
  const controller = new AbortController(), { signal } = controller;
  const iterator = asCompleted([succeeded(5), succeeded(6)], { signal });
  await iterator.next();
  controller.abort(REASON);
  assertError(await assertRejects(() => iterator.next()), (error) => error === REASON);
  assertEquals<unknown>(await iterator.next(), END);
  assertError(assertThrows(() => asCompleted([], { signal }), "it has aborted already"), (error) => error === REASON);
  assertThrows(() => asCompleted([], { signal: 1 as never }), TypeError);
});

test("asCompleted({ signal }) that is closed or at its end has nothing to reject with", async () => {
  const controller = new AbortController(), { signal } = controller, listeners = listenersOf(signal);
  const closed = asCompleted([pending()], { signal }), ended = asCompleted([], { signal });
  const waiting = closed.next();
  await closed.return();
  await ended.next();
  assertEquals(listeners.count, 0);
  controller.abort(REASON);
  assertEquals([await waiting, await closed.next(), await ended.next()], [END, END, END]);
});

// The cost of a future does not grow with their number. It is counted in operations, not in time.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { asCompleted, Future, wait } from "../../../mod.ts";
import { CallQueue, type QueueEntry } from "../../../src/executor/call_queue.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";

/** Counts the changes of collections, and the questions to futures whether they are done, while `fn` runs. */
async function operationsOf(fn: (make: () => Future<number>) => Promise<unknown>): Promise<number> {
  let count = 0;
  class Counted extends Future<number> {
    override done(): boolean {
      count++;
      return super.done();
    }
  }
  const originals = { add: Set.prototype.add, delete: Set.prototype.delete };
  for (const name of ["add", "delete"] as const) {
    const original = originals[name] as (this: Set<unknown>, value: unknown) => unknown;
    Object.assign(Set.prototype, {
      [name](this: Set<unknown>, value: unknown) {
        count++;
        return original.call(this, value);
      },
    });
  }
  try {
    await fn(() => new Counted());
  } finally {
    Object.assign(Set.prototype, originals);
  }
  return count;
}

/** Fails unless ten times as many futures take ten times as many operations. */
async function assertLinear(run: (futures: Future<number>[]) => Promise<unknown>): Promise<void> {
  const [few, many] = [100, 1000] as const;
  const operations = async (length: number) => await operationsOf((make) => run(Array.from({ length }, make)));
  const [a, b] = [await operations(few), await operations(many)];
  assert(a >= few, `${a} operations for ${few} futures: they are not counted`);
  assert(b <= a * (many / few) * 1.1, `${a} operations for ${few} futures, ${b} for ${many}`);
}

const settleAll = (futures: Future<number>[]) => futures.forEach((future) => future.setResult(5));

test("wait() is linear in the number of futures [W7]", () =>
  assertLinear(async (futures) => {
    const waiting = wait(futures);
    settleAll(futures);
    await waiting;
  }));

test("asCompleted() is linear in the number of futures, done before or after [A1]", async () => {
  await assertLinear(async (futures) => {
    settleAll(futures);
    for await (const future of asCompleted(futures)) await future;
  });
  await assertLinear(async (futures) => {
    const iterator = asCompleted(futures);
    for (const future of futures) {
      const next = iterator.next();
      future.setResult(5);
      await next;
    }
    assertEquals((await iterator.next()).done, true);
  });
});

test("CallQueue.remove() touches its neighbours and no others [F2]", () => {
  let touched = 0;
  const links = () => {
    const values: Record<string, unknown> = {};
    const call = { priority: 0, size: 1 } as QueueEntry<number>;
    for (const name of ["queue", "before", "after"]) {
      Object.defineProperty(call, name, {
        get: () => (touched++, values[name]),
        set: (value) => (touched++, values[name] = value),
      });
    }
    return call;
  };
  const costs = [10, 1000].map((length) => {
    const queue = new CallQueue<number>();
    const calls = Array.from({ length }, links);
    for (const call of calls) queue.push(call);
    touched = 0;
    queue.remove(calls[length / 2]!);
    return touched;
  });
  assertStrictEquals(costs[0], costs[1]);
  assert(costs[0]! > 0);
});

test("CallQueue compares priorities a logarithm of their number of times for each call", () => {
  const costs = [100, 10_000].map((length) => {
    let compared = 0;
    const queue = new CallQueue<number>();
    const priorities = Array.from({ length }, (_, n) => (n * 7919) % length - length / 2);
    for (const priority of priorities) {
      const counted = { valueOf: () => (compared++, priority) } as unknown as number;
      const links = { queue: undefined, before: undefined, after: undefined };
      queue.push({ priority: counted, size: 1, draw: () => priority, ...links } as unknown as QueueEntry<number>);
    }
    assertEquals(priorities.map(() => queue.shift()), priorities.toSorted((a, b) => b - a));
    return compared / length;
  });
  assert(costs[0]! > 1, "comparisons are counted");
  assert(costs[1]! <= costs[0]! * 3, `${costs[0]} comparisons for each of 100 calls, ${costs[1]} for each of 10,000`);
});

test("a signal has one listener, however many with() and calls there are", async () => {
  await using executor = new MemoryExecutor();
  const controller = new AbortController();
  let added = 0, removed = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal), remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (added++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (removed++, remove(...args));
  const futures = Array.from(
    { length: 100 },
    (_, n) => executor.with({ signal, priority: n % 3 }).submit((n: number) => n, n),
  );
  assertEquals([added, removed], [1, 0]);
  await wait(futures);
  assertEquals([added, removed], [1, 1]);
  const later = executor.with({ signal }).submit(() => new Promise(() => {}));
  const waiting = Array.from({ length: 100 }, () => executor.with({ signal, grace: 0 }).submit(() => 1));
  controller.abort("enough");
  assert(waiting.every((future) => future.done()));
  assertEquals(await later.exception().catch((reason: unknown) => reason), "enough");
  assertEquals([added, removed], [2, 2]);
});

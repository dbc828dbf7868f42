// What must not take longer per future, the more there are: counted in operations, not in time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { asCompleted, Future, wait } from "../mod.ts";
import { CallQueue, type Queued } from "../src/executor/call_queue.ts";

/** How often collections were changed while `fn` ran, and futures asked whether they are done. */
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
  assert.ok(a >= few, `${a} operations for ${few} futures: they are not counted`);
  assert.ok(b <= a * (many / few) * 1.1, `${a} operations for ${few} futures, ${b} for ${many}`);
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
    assert.equal((await iterator.next()).done, true);
  });
});

test("CallQueue.remove() touches its neighbours and no others [F2]", () => {
  let touched = 0;
  const links = () => {
    const values: Record<string, unknown> = {};
    const call = { priority: 0, waiting: 1 } as Queued;
    for (const name of ["queue", "before", "after"]) {
      Object.defineProperty(call, name, {
        get: () => (touched++, values[name]),
        set: (value) => (touched++, values[name] = value),
      });
    }
    return call;
  };
  const costs = [10, 1000].map((length) => {
    const queue = new CallQueue<Queued>();
    const calls = Array.from({ length }, links);
    for (const call of calls) queue.push(call);
    touched = 0;
    queue.remove(calls[length / 2]!);
    return touched;
  });
  assert.equal(costs[0], costs[1]);
  assert.ok(costs[0]! > 0);
});

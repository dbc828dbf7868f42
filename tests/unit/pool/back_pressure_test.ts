// Back-pressure: maxQueue, QueueFullError and ready(). Without it, a million calls can be submitted at once.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type Executor, QueueFullError, ShutdownError } from "../../../mod.ts";
import { behaviour } from "../../behaviour/behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { KINDS } from "../../behaviour/kinds.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

const identity = (n: number) => n;

for (const kind of KINDS) {
  behaviour(kind, " holds producers that await ready(), and no queue grows beyond maxQueue", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2, maxQueue: 4 });
    let longest = 0;
    const produce = async (from: number) => {
      const results: Promise<number>[] = [];
      for (let n = from; n < from + 100; n++) {
        await executor.ready();
        results.push(executor.submit(square, n).result());
        // A call that a worker holds has left the queue.
        longest = Math.max(longest, executor.stats().queued - executor.stats().busy);
      }
      return Promise.all(results);
    };
    const produced = await Promise.all([0, 100, 200].map(produce));
    assertEquals(produced.flat(), Array.from({ length: 300 }, (_, n) => n * n));
    assert(longest > 0);
  });

  behaviour(
    kind,
    ".submit() throws QueueFullError at maxQueue, and takes calls again when there is room",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, maxQueue: 2 });
      using gate = new Gate();
      const running = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      const queued = [executor.submit(square, 1), executor.submit(square, 2)];
      assertError(assertThrows(() => executor.submit(square, 3)), (error) => {
        assert(error instanceof QueueFullError);
        assertMatch(error.message, /2 calls wait already/);
        return true;
      });
      const ready = executor.ready();
      assertEquals(queued[0]!.cancel(), true);
      await ready;
      queued.push(executor.submit(square, 4));
      gate.open();
      assertEquals([await running, await queued[1], await queued[2]], [0, 4, 16]);
    },
  );

  behaviour(kind, ".map() honours maxQueue: it waits in place of throwing", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, maxQueue: 3 });
    const results: number[] = [];
    for await (const result of executor.map(square, Array.from({ length: 50 }, (_, n) => n))) results.push(result);
    assertEquals(results, Array.from({ length: 50 }, (_, n) => n * n));
  });
}

/** An executor with one worker that the test plays, busy with a call, and `maxQueue` calls behind it. */
async function full(maxQueue: number): Promise<MemoryExecutor> {
  const executor = new MemoryExecutor({ maxWorkers: 1, maxQueue, onUnobserved() {} }, { served: false });
  executor.submit(identity, -1);
  executor.workers[0]!.ready();
  await delivered();
  for (let n = 0; n < maxQueue; n++) executor.submit(identity, n);
  assertThrows(() => executor.submit(identity, 9), QueueFullError);
  return executor;
}

/** Notes `name` when the queue has room, and submits a call. */
async function take(executor: Executor, name: string, served: string[]): Promise<void> {
  await executor.ready();
  executor.submit(identity, 0);
  served.push(name);
}

test("Executor.ready() resolves at once where there is room", async () => {
  for (const options of [{}, { maxQueue: Infinity }, { maxQueue: 1 }]) {
    const executor = new MemoryExecutor(options);
    await executor.ready();
    await executor.shutdown();
    await executor.ready(); // and submit() says why nothing is taken
    assertThrows(() => executor.submit(identity, 1), ShutdownError);
  }
});

test("Executor.ready() serves several producers in turn, one for each place", async () => {
  const executor = await full(2);
  const served: string[] = [];
  const producers = ["a", "b", "c"].map((name) => take(executor, name, served));
  await delivered();
  assertEquals(served, []);
  for (let call = 0; call < 3; call++) {
    executor.workers[0]!.begin(call);
    executor.workers[0]!.done(call, [call], 10);
    await delivered();
    await delivered();
    assertEquals(served, ["a", "b", "c"].slice(0, call + 1));
  }
  await Promise.all(producers);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.ready() keeps the place of a producer from one that submits without awaiting it", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1, maxQueue: 2, onUnobserved() {} }, { served: false });
  const outcomes: string[] = [];
  const attempt = (name: string) => {
    try {
      executor.submit(identity, 0);
      outcomes.push(`${name} has submitted`);
    } catch (error) {
      assert(error instanceof QueueFullError);
      outcomes.push(`${name} was refused`);
    }
  };
  const greedy = executor.ready().then(() => ["first", "second"].forEach(attempt));
  const patient = executor.ready().then(() => attempt("patient"));
  await Promise.all([greedy, patient]);
  assertEquals(outcomes, ["first has submitted", "second was refused", "patient has submitted"]);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.ready() lets everybody go when the executor takes nothing any more", async () => {
  const executor = await full(1);
  const producers = Promise.allSettled(["a", "b", "c"].map((name) => take(executor, name, [])));
  executor.killWorkers();
  for (const outcome of await producers) {
    assert(outcome.status === "rejected" && outcome.reason instanceof ShutdownError);
  }
  await executor.shutdown();
});

test("Executor refuses a wrong maxQueue", () => {
  for (const maxQueue of [0, -1, 1.5, NaN]) assertThrows(() => new MemoryExecutor({ maxQueue }), RangeError);
  // deno-lint-ignore no-explicit-any
  assertThrows(() => new MemoryExecutor({ maxQueue: "1" as any }), TypeError);
});

test("Executor takes a million calls at once, and answers each with its own result", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  let sum = 0;
  for (let n = 0; n < 1_000_000; n++) {
    executor.submit(identity, n).addDoneCallback(({ outcome }) => {
      if (outcome?.status === "fulfilled") sum += outcome.value as number;
    });
  }
  assertEquals(executor.stats().queued + executor.stats().running, 1_000_000);
  await executor.shutdown();
  assertEquals(executor.stats().completed, 1_000_000);
  assertEquals(sum, 499_999_500_000);
});

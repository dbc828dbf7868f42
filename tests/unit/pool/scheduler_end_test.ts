// The scheduler: cancelling, shutting down and ending workers.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { CancelledError, ShutdownError, WorkerLostError } from "../../../mod.ts";
import { BrokenMemoryPool, delivered, MemoryExecutor, type MemoryWorker } from "../../support/memory_backend.ts";
import { MemoryGate, pass } from "../../support/memory_gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { CLAIMS_KINDS, type ClaimsKind } from "../../support/memory_channel.ts";
import { assertError } from "../../support/assert_error.ts";

const echo = (n: number) => n;

/** An executor with one worker, which runs a call, and ten that wait. */
async function backlog(claims: ClaimsKind) {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
  const gate = new MemoryGate();
  const running = executor.submit(pass, gate.name, "ran");
  const waiting = Array.from({ length: 10 }, (_, n) => executor.submit(pass, gate.name, n));
  await gate.reached;
  return { executor, gate, running, waiting };
}

test("Future.cancel() of ten calls behind a busy worker is true for each, in both kinds [F2, P4]", async () => {
  for (const claims of CLAIMS_KINDS) {
    const { executor, gate, running, waiting } = await backlog(claims);
    assertEquals(waiting.map((future) => future.running()), waiting.map(() => false));
    assertEquals(waiting.map((future) => future.cancel()), waiting.map(() => true));
    assertEquals(running.running(), true);
    assertEquals(running.cancel(), false);
    gate.open();
    assertEquals(await running, "ran");
    await executor.shutdown();
    assertEquals(gate.arrived, 1);
    assertEquals(executor.stats().cancelled, 10);
  }
});

test("Future.running() is true exactly when cancel() is false, for calls that a thread holds too [F3]", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false });
  const first = executor.submit(echo, 0);
  const [worker] = executor.workers as readonly [MemoryWorker];
  worker.ready();
  await delivered();
  worker.done(0, [0], 0.01); // a short task: the next three are handed over together
  await first;
  const futures = [1, 2, 3].map((n) => executor.submit(echo, n));
  await delivered();
  assertEquals(worker.calls.length, 4);
  assertEquals(worker.begin(1), true);
  assertEquals(futures.map((future) => future.running()), [true, false, false]);
  assertEquals(futures.map((future) => future.cancel()), [false, true, true]);
  assertEquals([worker.begin(2), worker.begin(3)], [false, false]);
  worker.done(1, [1, undefined, undefined]); // F12: the answers to cancelled calls are holes
  assertEquals(await Promise.allSettled(futures.slice(0, 1)), [{ status: "fulfilled", value: 1 }]);
  assertEquals(futures.map((future) => future.cancelled()), [false, true, true]);
  worker.close();
  await executor.shutdown();
});

test("Future.cancel() runs callbacks at once and wakes nobody twice [F2, F7]", async () => {
  const { executor, gate, waiting } = await backlog(true);
  let calls = 0;
  waiting[3]!.addDoneCallback(() => calls++);
  waiting[3]!.cancel();
  assertEquals(calls, 1);
  await executor.shutdown({ wait: false, cancelFutures: true });
  gate.open();
  await executor.shutdown();
  assertEquals(calls, 1);
});

test("Executor.shutdown() refuses work at once, and does what was submitted [X8b, X8c, E5]", async () => {
  for (const claims of CLAIMS_KINDS) {
    const { executor, gate, running, waiting } = await backlog(claims);
    const closed = executor.shutdown();
    assertError(assertThrows(() => executor.submit(echo, 1)), {
      name: "ShutdownError",
      message: "cannot schedule new futures after shutdown",
    });
    gate.open();
    await closed;
    assertEquals([running, ...waiting].map((future) => future.outcome?.status), Array(11).fill("fulfilled"));
    assertEquals(executor.workers[0]?.endedBy, "stop");
  }
});

test("Executor.shutdown() without wait resolves at once, the rest is done [X8c]", async () => {
  const { executor, gate, running } = await backlog(true);
  await executor.shutdown({ wait: false });
  assertEquals(running.done(), false);
  gate.open();
  await executor.shutdown(); // [X8a]: a later call waits
  assertEquals(running.done(), true);
});

test("Executor.shutdown() may cancel what has not begun, even by a second call [X8d, X8e]", async () => {
  const { executor, gate, running, waiting } = await backlog(false);
  const closed = executor.shutdown();
  void executor.shutdown({ cancelFutures: true });
  assertEquals(waiting.map((future) => future.cancelled()), waiting.map(() => true));
  await assertRejects(() => waiting[0]!.result(), CancelledError);
  gate.open();
  await closed;
  assertEquals(await running, "ran");
});

test("Executor.shutdown() is repeatable, in any mix [X8a]", async () => {
  const executor = new MemoryExecutor();
  assertEquals(await executor.submit(echo, 1), 1);
  await Promise.all([
    executor.shutdown(),
    executor.shutdown({ wait: false }),
    executor.shutdown({ cancelFutures: true }),
  ]);
  await executor.shutdown();
  await executor[Symbol.asyncDispose]();
});

test("Executor.shutdown() of one that was never used starts nothing [X8g]", async () => {
  const executor = new MemoryExecutor();
  await executor.shutdown();
  assertEquals(executor.workers.length, 0);
});

test("Executor.shutdown() waits until the workers are gone [X8c]", async () => {
  const executor = new MemoryExecutor();
  await executor.submit(echo, 1);
  const [worker] = executor.workers as readonly [MemoryWorker];
  worker.hold();
  const closed = executor.shutdown().then(() => "closed");
  assertEquals(await Promise.race([closed, delivered().then(() => "waits")]), "waits");
  worker.release();
  assertEquals(await closed, "closed");
});

test("Executor.shutdown() may be awaited in a callback of its own work [X8f]", async () => {
  const executor = new MemoryExecutor();
  const closed = new Promise<void>((resolve) => {
    executor.submit(echo, 1).addDoneCallback(() => void executor.shutdown().then(resolve));
  });
  await closed;
});

test("Executor.submit() in a callback during shutdown throws there, and is reported [X8h]", async () => {
  const executor = new MemoryExecutor();
  const future = executor.submit(echo, 1);
  future.addDoneCallback(() => executor.submit(echo, 2));
  const reports = await reportsOf(() => executor.shutdown());
  assert(reports[0]?.[1] instanceof ShutdownError);
  assertEquals(await future, 1);
});

test("Executor is disposed of by waiting, and cancels nothing [X9]", async () => {
  let future;
  const gate = new MemoryGate();
  assertError(
    await assertRejects(async () => {
      await using executor = new MemoryExecutor();
      future = executor.submit(pass, gate.name, 5);
      setTimeout(() => gate.open());
      throw new Error("of the block");
    }),
    /of the block/,
  );
  assertEquals(await future, 5);
});

for (const how of ["terminate", "kill"] as const) {
  const name = `Executor.${how}Workers()`;

  test(`${name} ends the workers now: what runs is lost, the rest cancelled [P14, test_${how}_workers]`, async () => {
    for (const claims of CLAIMS_KINDS) {
      const { executor, running, waiting } = await backlog(claims);
      executor[`${how}Workers`]();
      assertStrictEquals(executor.workers[0]?.endedBy, how);
      assertEquals(waiting.map((future) => future.cancelled()), waiting.map(() => true));
      const error = await running.exception();
      assert(error instanceof WorkerLostError);
      assertEquals(error.started, true);
      assertThrows(() => executor.submit(echo, 1), ShutdownError); // [test_force_shutdown_workers_stops_pool]
      await executor.shutdown();
      assertEquals(executor.workers.length, 1);
    }
  });

  test(`${name} of unused, closed and broken executors does nothing [P14, test_force_shutdown_workers_not_started_yet]`, async () => {
    const unused = new MemoryExecutor();
    unused[`${how}Workers`]();
    unused[`${how}Workers`]();
    assertEquals(unused.workers.length, 0);
    await unused.shutdown();
    const broken = new MemoryExecutor({}, { onStart: (worker) => worker.close({ exitCode: 1 }) });
    assert(await broken.submit(echo, 1).exception() instanceof BrokenMemoryPool);
    broken[`${how}Workers`](); // [test_force_shutdown_workers_dead_workers]
    await broken.shutdown();
  });

  test(`${name} replaces no worker that ends at its limit [test_force_shutdown_during_max_tasks_worker_exit]`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1, maxTasksPerWorker: 1 });
    const first = executor.submit(echo, 1), second = executor.submit(echo, 2);
    first.addDoneCallback(() => executor[`${how}Workers`]());
    await executor.shutdown();
    assertEquals(await first, 1);
    assertEquals(second.cancelled(), true);
    assertEquals(executor.workers.length, 1);
  });
}

test("shutdown({ cancelFutures: true }) ends when the line to a process has closed, and nobody has said so yet", async () => {
  const { executor, waiting } = await backlog(false);
  const [worker] = executor.workers as readonly [MemoryWorker];
  worker.send = () => {
    throw new Error("The worker has ended");
  };
  const closed = executor.shutdown({ cancelFutures: true });
  worker.close({ exitCode: 1 });
  await closed;
  assert(waiting.every((future) => future.cancelled()));
});

// broadcast(): every worker that there is runs a call.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CancelledError, ShutdownError, transfer, WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { exit, exitAt, fail, getState, setState, workerId, workerIndex } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

export function broadcastCases(kind: Kind): void {
  behaviour(kind, ".broadcast() runs a call once on every worker, in the order of their indices", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 3 });
    await executor.warmUp();
    assertEquals(await executor.broadcast(workerIndex), [0, 1, 2]);
    assertEquals(new Set(await executor.broadcast(workerId)).size, 3);
    await executor.broadcast(setState, "told", "all");
    assertEquals(await executor.broadcast(getState), Array(3).fill("told all"));
    assertEquals(executor.stats().completed, 12);
  });

  behaviour(kind, ".broadcast() starts no worker", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 3 });
    assertEquals([await executor.broadcast(workerId), executor.stats().workers], [[], 0]);
    await executor.submit(workerId);
    assertEquals(await executor.broadcast(workerIndex), [0]);
  });

  behaviour(kind, ".broadcast() reaches workers that are starting", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const warm = executor.warmUp();
    assertEquals(await executor.broadcast(workerIndex), [0, 1]);
    await warm;
  });

  behaviour(kind, ".broadcast() runs before calls that wait, after the one that runs", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, maxQueue: 2 });
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 0);
    await gate.noted();
    const queued = [1, 2].map((n) => executor.submit(note, gate.folder, n));
    const told = executor.broadcast(note, gate.folder, "told");
    assertEquals(executor.stats().queued, 3);
    gate.open();
    await Promise.all([held, ...queued, told]);
    assertEquals(gate.notes, ["0", "told", "1", "2"]);
  });

  behaviour(kind, ".broadcast() counts as a call, and comes before the worker's retirement", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 2 });
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 0);
    await gate.noted();
    const ids = [executor.broadcast(workerId), executor.broadcast(workerId)];
    gate.open();
    await held;
    const [[first], [second]] = await Promise.all(ids) as [string[], string[]];
    assertEquals(first === second, true, "the worker has run what was meant for it");
    assertEquals(await executor.submit(workerId) === first, false, "and has retired");
  });

  behaviour(kind, ".broadcast() waits for all, and rejects with the first error", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    await executor.warmUp();
    assertError(await assertRejects(() => executor.broadcast(fail, "everywhere")), {
      name: "RangeError",
      message: "everywhere",
    });
    assertEquals([executor.stats().failed, executor.stats().workers], [2, 2]);
    await assertRejects(() => executor.broadcast(exitAt, 1, 3), WorkerLostError);
    assertEquals([executor.stats().failed, executor.stats().completed], [3, 1]);
  });

  behaviour(kind, ".broadcast() rejects when a worker is lost before its call", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    await executor.warmUp();
    const lost = executor.submit(exit, 3);
    const told = executor.broadcast(workerId);
    await assertRejects(() => lost.result(), WorkerLostError);
    const error = await assertRejects(() => told, WorkerLostError);
    assertEquals(error.started, false);
    assertEquals(await executor.submit(workerIndex), 0, "the calls of the next worker are not held up");
  });

  behaviour(kind, ".broadcast() looks at each failure: none is reported as unobserved", async (Executor) => {
    const unobserved: unknown[] = [];
    const executor = new Executor({ maxWorkers: 3, onUnobserved: (report) => void unobserved.push(report) });
    await executor.warmUp();
    using gate = new Gate();
    const told = executor.broadcast(hold, gate.folder, 0);
    await gate.noted(3);
    executor.killWorkers();
    await assertRejects(() => told, WorkerLostError);
    await executor.shutdown();
    assertEquals(unobserved, []);
  });

  behaviour(kind, ".shutdown() waits for a broadcast, or cancels it", async (Executor) => {
    for (const cancelFutures of [false, true]) {
      const executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const held = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      const told = executor.broadcast(workerIndex).catch((error: unknown) => error);
      const closed = executor.shutdown({ cancelFutures });
      gate.open();
      await Promise.all([held, closed]);
      if (cancelFutures) assertEquals(await told instanceof CancelledError, true);
      else assertEquals(await told, [0]);
      await assertRejects(() => executor.broadcast(workerIndex), ShutdownError);
    }
  });

  behaviour(kind, ".shutdown() in a callback ends a worker that was free for a broadcast only", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 0);
    await gate.noted();
    const told = executor.broadcast(workerIndex).catch((error: unknown) => error);
    held.addDoneCallback(() => void executor.shutdown({ cancelFutures: true }));
    gate.open();
    assertEquals(await told instanceof CancelledError, true);
    await executor.shutdown();
    assertEquals([executor.stats().workers, executor.stats().cancelled], [0, 1]);
  });

  behaviour(kind, ".broadcast() refuses what cannot be sent to several workers", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    await executor.warmUp();
    const buffer = new ArrayBuffer(8);
    assertError(assertThrows(() => executor.broadcast((_: ArrayBuffer) => 1, transfer(buffer, [buffer]))), {
      name: "TypeError",
      message: /^Cannot broadcast a task as what transfer\(\) marks can be moved to one worker only/,
    });
    assertThrows(() => executor.broadcast(class {} as never), TypeError, "Cannot broadcast a task");
    for (const view of [executor.with({ timeout: 1000 }), executor.group(), executor.group().with({ priority: 1 })]) {
      assertThrows(
        () => (view as unknown as typeof executor).broadcast(workerIndex),
        TypeError,
        "Cannot broadcast a task with the options of with(), or in a group",
      );
    }
    const error = await assertRejects(() => executor.broadcast((_: unknown) => 1, () => {}));
    assertError(error, { name: "DataCloneError" });
    assertEquals(await executor.broadcast(workerIndex), [0, 1]);
  });
}

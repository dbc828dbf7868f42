// The finalizer runs last in each worker that ends in order. It fails no call.

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { runProgram } from "../../support/run_program.ts";
import { until } from "../../support/until.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import {
  exitAsTold,
  failAsTold,
  finalizeAsTold,
  holdAsTold,
  tellFolder,
} from "../../fixtures/tasks/finalizer_tasks.ts";
import { exit, workerIndex } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

/** Options of workers that note what their finalizer does at a gate. */
export const noting = (gate: Gate, finalizer = finalizeAsTold) => ({
  name: "pool",
  initializer: tellFolder,
  initargs: [gate.folder],
  finalizer,
});

export function finalizerCases(kind: Kind): void {
  behaviour(kind, " runs the finalizer once in each worker at the shutdown, which waits for it", async (Executor) => {
    using gate = new Gate();
    const executor = new Executor({ maxWorkers: 2, ...noting(gate) });
    await executor.warmUp();
    assertEquals([await executor.submit(square, 3), gate.notes], [9, []]);
    await executor.shutdown();
    assertEquals(gate.notes.sort(), ["finalizer of pool_0, index 0", "finalizer of pool_1, index 1"]);
  });

  behaviour(kind, " runs an inline and an async finalizer", async (Executor) => {
    const reports = await reportsOf(async () => {
      await using executor = new Executor({
        maxWorkers: 1,
        finalizer: async () => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          throw new RangeError("it has run");
        },
      });
      await executor.submit(square, 3);
    });
    assertEquals(reports.length, 1);
    assertError(reports[0]![1], { name: "RangeError", message: "it has run" });
  });

  behaviour(kind, " runs the finalizer when workers retire, before another takes their index", async (Executor) => {
    using gate = new Gate();
    await using executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1, ...noting(gate, holdAsTold) });
    await executor.submit(square, 3);
    const next = executor.submit(workerIndex);
    await gate.noted();
    assertEquals([executor.stats().workers, gate.notes], [0, ["finalizer of pool_0, index 0"]]);
    gate.open();
    assertEquals(await next, 0);
  });

  for (const what of ["idleTimeout", "resize()"]) {
    behaviour(kind, ` runs the finalizer when ${what} ends a worker`, async (Executor) => {
      using gate = new Gate();
      await using executor = new Executor({
        maxWorkers: 2,
        ...(what === "idleTimeout" && { idleTimeout: 1 }),
        ...noting(gate),
      });
      await executor.warmUp();
      if (what === "resize()") executor.resize(1);
      await gate.noted();
      if (what === "resize()") assertEquals(gate.notes, ["finalizer of pool_1, index 1"]);
      await until("it has ended", () => executor.stats().workers < 2);
    });
  }

  behaviour(kind, " runs no finalizer in workers that are lost or killed", async (Executor) => {
    using gate = new Gate();
    const executor = new Executor({ maxWorkers: 1, ...noting(gate) });
    await assertRejects(() => executor.submit(exit, 3).result());
    await executor.submit(square, 3);
    executor.killWorkers();
    await executor.shutdown();
    const other = new Executor({ maxWorkers: 1, ...noting(gate) });
    const held = other.submit(hold, gate.folder, 1);
    await gate.noted();
    other.terminateWorkers();
    await assertRejects(() => held.result());
    await other.shutdown();
    assertEquals(gate.notes, ["1"]);
  });

  behaviour(kind, " reports a finalizer that fails, each kind of failure once", async (Executor) => {
    using gate = new Gate();
    const reports = await reportsOf(async () => {
      await using executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1, ...noting(gate, failAsTold) });
      assertEquals([await executor.submit(square, 2), await executor.submit(square, 3)], [4, 9]);
    });
    assertEquals(gate.notes.length, 2);
    assertEquals(reports.length, 1);
    assertMatch(String(reports[0]![0]), /A finalizer failed in pool_0:$/);
    assertError(reports[0]![1], { name: "RangeError", message: "a finalizer's error" });
  });

  behaviour(kind, " reports a finalizer that ends its worker, and loses nothing", async (Executor) => {
    using gate = new Gate();
    const reports = await reportsOf(async () => {
      await using executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1, ...noting(gate, exitAsTold) });
      assertEquals([await executor.submit(square, 2), await executor.submit(square, 3)], [4, 9]);
      assertEquals(executor.stats().lost, 0);
    });
    assertEquals(reports.length, 1);
    assertMatch(String(reports[0]![0]), /A finalizer did not run to its end in pool_0:$/);
    assertMatch(String(reports[0]![1]), /exit code 7.*a finalizer has 5 s, then its worker is killed$/);
  });

  behaviour(kind, ".killWorkers() ends workers in their finalizers", async (Executor) => {
    using gate = new Gate();
    const executor = new Executor({ maxWorkers: 1, ...noting(gate, holdAsTold) });
    const reports = await reportsOf(async () => {
      await executor.submit(square, 2);
      const closed = executor.shutdown();
      await gate.noted();
      executor.killWorkers();
      await closed;
    });
    assertEquals(reports, []);
  });

  behaviour(kind, " refuses a finalizer that cannot be a task", (Executor) => {
    assertThrows(() => new Executor({ finalizer: 5 as never }), TypeError, "with this 'finalizer'");
    assertThrows(() => new Executor({ finalizer: () => 1, inlineTasks: false }), TypeError, "with this 'finalizer'");
  });

  test(`${kind.name} runs the finalizer at the end of a program without shutdown()`, async () => {
    using gate = new Gate();
    const { stdout, stderr, code } = await runProgram("finalizer", kind.name, gate.folder);
    assertEquals([stdout, stderr, code], ["9\n", "", 0]);
    assertEquals(gate.notes, ["finalizer of pool_0, index 0"]);
  });
}

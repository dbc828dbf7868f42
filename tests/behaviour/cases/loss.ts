// When a worker ends unasked, only the call that it was running fails.

import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { type Future, WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { exit, exitLater } from "../../fixtures/tasks/worker_tasks.ts";
import { until } from "../../support/until.ts";

/** The error of a call whose worker was lost. */
async function lossOf(future: Future<unknown>): Promise<WorkerLostError> {
  const error = await future.exception();
  assert(error instanceof WorkerLostError, String(error));
  return error;
}

export function lossCases(kind: Kind): void {
  behaviour(
    kind,
    ".submit() rejects with WorkerLostError when the task ends its worker [P9, L4, test_traceback_when_child_process_terminates_abruptly]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, name: "pool" });
      const error = await lossOf(executor.submit(exit, 99));
      assertEquals([error.name, error.workerName, error.exitCode, error.signal], [
        "WorkerLostError",
        "pool_0",
        99,
        undefined,
      ]);
      assertEquals(error.started, true);
      assertMatch(error.message, /pool_0.*exit code 99/);
      assertEquals(executor.stats().lost, 1);
    },
  );

  behaviour(
    kind,
    " goes on with another worker after a loss, and loses no other call [P9, test_killed_child]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      const neighbour = executor.submit(hold, gate.folder, 1);
      await gate.noted();
      const lost = executor.submit(exit, 1);
      const queued = Array.from({ length: 5 }, (_, n) => executor.submit(square, n));
      await lossOf(lost);
      assertEquals(await Promise.all(queued), [0, 1, 4, 9, 16]);
      gate.open();
      assertEquals(await neighbour, 1);
      assertEquals([executor.stats().lost, executor.stats().failed], [1, 1]);
    },
  );

  behaviour(
    kind,
    ".submit() gives each lost call an error of its own [test_broken_process_pool_traceback]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const futures = [1, 2, 3].map((code) => executor.submit(exit, code));
      const errors = await Promise.all(futures.map(lossOf));
      assertEquals(new Set(errors).size, 3);
      assertEquals(errors.map((error) => error.exitCode), [1, 2, 3]);
    },
  );

  behaviour(kind, ".submit() keeps a result that came before its worker ended [P10, P13, L3]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const future = executor.submit(exitLater, 5);
    assertEquals(await future, "returned");
    await until("the worker is lost", () => executor.stats().lost === 1);
    assertEquals(future.outcome, { status: "fulfilled", value: "returned" });
    assertEquals(await executor.submit(square, 3), 9);
  });

  behaviour(kind, ".submit() rejects when the task's worker dies of an error that nobody caught", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const error = await lossOf(executor.submit(() =>
      new Promise(() =>
        setTimeout(() => {
          throw new RangeError("nobody caught it");
        }, 1)
      )
    ));
    assertNotStrictEquals(error.exitCode, 0);
    assertEquals(await executor.submit(square, 3), 9);
  });

  behaviour(
    kind,
    ".submit() leaves no call pending when workers die with calls handed ahead [L4, P9]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      for (let n = 0; n < 20; n++) await executor.submit(square, n); // known to be short: more are handed over ahead
      const before = Array.from({ length: 50 }, (_, n) => executor.submit(square, n));
      const lost = executor.submit(exit, 1);
      const after = Array.from({ length: 50 }, (_, n) => executor.submit(square, n));
      await lossOf(lost);
      for (const [n, future] of [...before, ...after].entries()) {
        const error = await future.exception();
        assertEquals(error, undefined);
        assertStrictEquals(await future, (n % 50) ** 2);
      }
      assertEquals(executor.stats().failed, 1);
    },
  );

  behaviour(kind, ".shutdown() ends after a loss, with work left to do [X8a, L4]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    const lost = executor.submit(exit, 1);
    const queued = executor.submit(square, 3);
    await executor.shutdown();
    await lossOf(lost);
    assertEquals(queued.outcome, { status: "fulfilled", value: 9 });
  });
}

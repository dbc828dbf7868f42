// All behaviours with processes, and those that only processes have.

import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertRejects, assertThrows } from "@std/assert";
import process from "node:process";
import { BrokenProcessPool, ProcessPoolExecutor, transfer, WorkerLostError } from "../../mod.ts";
import { runtime } from "../../src/runtime.ts";
import { behaviour, type Kind } from "./behaviour.ts";
import { executorCases } from "./executor_cases.ts";
import { Gate } from "../support/gate.ts";
import { PROCESSES } from "./kinds.ts";
import { isAlive } from "../support/leaks.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { block, hold } from "../fixtures/tasks/gate_tasks.ts";
import { reportAndNote } from "../fixtures/tasks/report_tasks.ts";
import { workerPid } from "../fixtures/tasks/worker_tasks.ts";
import { until } from "../support/until.ts";
import { assertError } from "../support/assert_error.ts";

executorCases(PROCESSES, processCases);

function processCases(kind: Kind): void {
  behaviour(kind, ".submit() runs the task in another process [test_run_in_executor]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    assertNotStrictEquals(await executor.submit(workerPid), process.pid);
  });

  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    behaviour(
      kind,
      `.submit() rejects when ${signal} ends the worker from outside [P9, test_killed_child]`,
      async (Executor) => {
        await using executor = new Executor({ maxWorkers: 1 });
        using gate = new Gate();
        const pid = await executor.submit(workerPid);
        const running = executor.submit(hold, gate.folder, 0);
        const queued = executor.submit(workerPid);
        await gate.noted();
        process.kill(pid, signal);
        const error = await running.exception() as WorkerLostError;
        assert(error instanceof WorkerLostError);
        assertEquals([error.signal, error.exitCode, error.started], [signal, undefined, true]);
        assertMatch(error.message, new RegExp(`${signal}$`));
        assertNotStrictEquals(await queued, pid);
        assertEquals(isAlive(pid), false);
      },
    );
  }

  behaviour(kind, ".with({ onReport }) holds a task on Node while the program does not read", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    let heard = 0, before = 0, after = 0;
    const onReport = () => {
      if (heard++ > 0) return;
      // The pipe has room for some hundred reports. Without an end, it would be all in this time.
      const nothing = new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(nothing, 0, 0, 100);
      before = gate.notes.length;
      Atomics.wait(nothing, 0, 0, 200);
      after = gate.notes.length;
    };
    await executor.with({ onReport }).submit(reportAndNote, gate.folder, 20_000);
    assertEquals([heard, gate.notes.length], [20_000, 20]);
    if (runtime === "node" && process.platform !== "win32") {
      assert(after <= before + 1 && after < 10, `${before}, ${after}`);
    }
  });

  behaviour(kind, " replaces an idle worker that is killed when the next call comes [P13]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const pid = await executor.submit(workerPid);
    process.kill(pid, "SIGKILL");
    await until("the loss is noticed", () => executor.stats().lost === 1);
    assertNotStrictEquals(await executor.submit(workerPid), pid);
  });

  behaviour(
    kind,
    " is broken when no process can be started [L4, test_failed_worker_replacement_breaks_pool, test_python_finalization_error]",
    async () => {
      await using executor = new ProcessPoolExecutor({ maxWorkers: 2, cwd: "/no/such/folder" });
      const futures = [executor.submit(square, 1), executor.submit(square, 2), executor.submit(square, 3)];
      for (const future of futures) {
        const error = await future.exception() as Error;
        assert(error instanceof BrokenProcessPool);
        assertMatch(error.message, /could not be started/);
        assert(error.cause instanceof Error);
      }
      assertThrows(() => executor.submit(square, 1), BrokenProcessPool);
    },
  );

  behaviour(kind, " has workers that leave Ctrl-C to the program [P19]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const pid = await executor.submit(workerPid);
    process.kill(pid, "SIGINT");
    assertEquals([await executor.submit(square, 3), await executor.submit(workerPid)], [9, pid]);
  });

  behaviour(
    kind,
    ".killWorkers() ends a worker in a synchronous loop [P14, test_force_shutdown_workers]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const pid = await executor.submit(workerPid);
      const deaf = executor.submit(block, gate.folder, 0);
      await gate.noted();
      executor.killWorkers();
      assert(await deaf.exception() instanceof WorkerLostError);
      await executor.shutdown();
      assertEquals(isAlive(pid), false, "gone when shutdown() resolves");
    },
  );

  behaviour(kind, ".submit() rejects when memory would have to be shared: never a silent copy", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const shared = new SharedArrayBuffer(4);
    for (const value of [shared, new Int32Array(shared), { deep: [new Map([["key", shared]])] }]) {
      assertError(await assertRejects(() => executor.submit((value: unknown) => value, value)), {
        name: "DataCloneError",
      });
    }
    assertError(await assertRejects(() => executor.submit(() => new Int32Array(new SharedArrayBuffer(4)))), {
      name: "DataCloneError",
    });
    assertEquals(await executor.submit(square, 3), 9);
  });

  behaviour(kind, ".submit() copies what transfer() marks", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const bytes = new Uint8Array([1, 2, 3]);
    const marked = transfer(bytes, [bytes.buffer]);
    assertEquals(await executor.submit((bytes: Uint8Array) => [...bytes], marked), [1, 2, 3]);
    assertEquals(bytes.length, 3);
  });

  behaviour(
    kind,
    " loses no large argument and hangs in no shutdown when its worker dies meanwhile [P17]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const pid = await executor.submit(workerPid);
      const large = new Uint8Array(32 << 20);
      const sending = executor.submit((bytes: Uint8Array) => bytes.length, large);
      process.kill(pid, "SIGKILL");
      const error = await sending.exception();
      if (error !== undefined) assert(error instanceof WorkerLostError);
      assertEquals(await executor.submit(square, 3), 9);
    },
  );
}

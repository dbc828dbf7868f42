// Workers: when they start, how many there are, and their names.

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { availableParallelism } from "node:os";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { canSeeWorkers } from "../../support/leaks.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { exit, workerId, workerName } from "../../fixtures/tasks/worker_tasks.ts";
import { until } from "../../support/until.ts";

const MAX = 3;

export function workerCases(kind: Kind): void {
  behaviour(kind, " starts no worker until there is work [T3, P3, test_init_func]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    assertEquals([executor.stats().workers, kind.alive()], [0, []]);
    const future = executor.submit((n: number) => n, 1);
    assertEquals(executor.stats().workers, 1, "one call, one worker");
    await future;
  });

  behaviour(
    kind,
    " uses an idle worker before it starts another [T3, T4, P3, test_idle_thread_reuse, test_idle_process_reuse_one]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: MAX });
      const ids = new Set<string>();
      for (let n = 0; n < 5; n++) ids.add(await executor.submit(workerId));
      assertEquals([ids.size, executor.stats().workers, executor.stats().idle], [1, 1, 1]);
    },
  );

  behaviour(
    kind,
    " needs no more workers than calls at a time [test_idle_process_reuse_multiple]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: MAX });
      await executor.submit(workerId);
      for (let n = 0; n < 3; n++) await Promise.all([executor.submit(workerId), executor.submit(workerId)]);
      assert(executor.stats().workers <= 2);
    },
  );

  behaviour(
    kind,
    ` starts no more than maxWorkers [X1, test_saturation, test_threads_terminate, test_processes_terminate]`,
    async (Executor) => {
      const executor = new Executor({ maxWorkers: MAX });
      using gate = new Gate();
      const futures = Array.from({ length: 15 * MAX }, (_, n) => executor.submit(hold, gate.folder, n));
      await gate.noted(MAX);
      const { workers, busy, idle, running, queued } = executor.stats();
      assertEquals({ workers, busy, idle, running, queued }, {
        workers: MAX,
        busy: MAX,
        idle: 0,
        running: MAX,
        queued: 14 * MAX,
      });
      if (canSeeWorkers) assertStrictEquals(kind.alive().length, MAX);
      assertStrictEquals(gate.notes.length, MAX);
      gate.open();
      assertEquals(await Promise.all(futures), futures.map((_, n) => n));
      await executor.shutdown();
      assertEquals(executor.stats().workers, 0);
    },
  );

  behaviour(
    kind,
    " has workers that are called by its name and a number [T5, test_thread_names_assigned, test_thread_name_prefix_with_thread_get_name]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2, name: "pool" });
      using gate = new Gate();
      const held = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      assertEquals(await executor.submit(workerName), "pool_1");
      gate.open();
      await held;
    },
  );

  behaviour(
    kind,
    " has a name of its own by default, counting up [T5, test_thread_names_default, test_thread_name_prefix]",
    async (Executor) => {
      await using one = new Executor({ maxWorkers: 1 });
      await using two = new Executor({ maxWorkers: 1 });
      const names = [await one.submit(workerName), await two.submit(workerName)];
      const [first, second] = names.map((name) => new RegExp(`^${kind.name}-(\\d+)_0$`).exec(name)?.[1]);
      assertStrictEquals(Number(second), Number(first) + 1, String(names));
    },
  );

  behaviour(kind, ".maxWorkers tells how many workers there are at most", async (Executor) => {
    await using usual = new Executor();
    await using three = new Executor({ maxWorkers: 3 });
    assertEquals([usual.maxWorkers, three.maxWorkers], [availableParallelism(), 3]);
    assertThrows(() => Object.assign(three, { maxWorkers: 4 }), TypeError);
  });

  behaviour(kind, ".stats() tells why calls have failed", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, onUnobserved() {} });
    using gate = new Gate();
    const failures = () => {
      const { failed, failedBy: { task, lost, timeout, unsendable, broken } } = executor.stats();
      assertEquals(failed, task + lost + timeout + unsendable + broken);
      return { task, lost, timeout, unsendable };
    };
    assertEquals(failures(), { task: 0, lost: 0, timeout: 0, unsendable: 0 });
    await executor.submit(() => {
      throw new RangeError("failed");
    }).exception();
    assertEquals(failures(), { task: 1, lost: 0, timeout: 0, unsendable: 0 });
    await executor.with({ timeout: 100 }).submit(hold, gate.folder, 0).exception();
    assertEquals(failures(), { task: 1, lost: 0, timeout: 1, unsendable: 0 });
    await executor.submit((value: unknown) => value, () => {}).exception();
    assertEquals(failures(), { task: 1, lost: 0, timeout: 1, unsendable: 1 });
    await executor.submit(exit, 3).exception();
    assertEquals(failures(), { task: 1, lost: 1, timeout: 1, unsendable: 1 });
  });

  behaviour(kind, ".stats() counts workers and calls", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const nothing = {
      ...{ workers: 0, idle: 0, busy: 0, queued: 0, running: 0 },
      ...{ completed: 0, failed: 0, cancelled: 0, lost: 0, abandoned: 0 },
    };
    const counts = () => {
      const { failedBy: _, ...others } = executor.stats();
      return others;
    };
    assertEquals(counts(), nothing);
    const held = executor.submit(hold, gate.folder, 0);
    const failing = executor.submit(() => {
      throw new Error("failed");
    });
    const cancelled = executor.submit((n: number) => n, 1);
    cancelled.cancel();
    await gate.noted();
    assertEquals(counts(), { ...nothing, workers: 1, busy: 1, queued: 1, running: 1, cancelled: 1 });
    gate.open();
    await Promise.all([held, failing.exception()]);
    assertEquals(counts(), { ...nothing, workers: 1, idle: 1, completed: 1, failed: 1, cancelled: 1 });
    assertEquals(executor.stats().failedBy.task, 1);
    await executor.shutdown();
    assertEquals(counts(), { ...nothing, completed: 1, failed: 1, cancelled: 1 });
  });

  behaviour(
    kind,
    " is independent of others of its kind, and may be made inside a task [L5, L6, T12]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const nested = async (url: string, name: string) => {
        const { [name]: Inner } = await import(url);
        const inner = new Inner({ maxWorkers: 1 }); // not `await using`, for which compilers add a helper
        try {
          return await inner.submit((n: number) => n + 1, 41);
        } finally {
          await inner.shutdown();
        }
      };
      const module = new URL("../../../mod.ts", import.meta.url).href;
      for (const name of ["ThreadPoolExecutor", "ProcessPoolExecutor"]) {
        assertEquals(await executor.submit(nested, module, name), 42, name);
      }
    },
  );

  behaviour(kind, " lets a worker go that has been idle for idleTimeout", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2, idleTimeout: 50 });
    const id = await executor.submit(workerId);
    await until("the worker is gone", () => executor.stats().workers === 0);
    await until("the worker is gone for the system too", () => kind.alive().length === 0);
    assertNotStrictEquals(await executor.submit(workerId), id, "another one serves the next call");
    assertEquals(executor.stats().lost, 0);
  });

  behaviour(kind, " keeps a worker that is busy beyond idleTimeout", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, idleTimeout: 1 });
    using gate = new Gate();
    const future = executor.submit(hold, gate.folder, 1);
    await gate.noted();
    await new Promise((resolve) => setTimeout(resolve, 20));
    gate.open();
    assertEquals(await future, 1);
  });
}

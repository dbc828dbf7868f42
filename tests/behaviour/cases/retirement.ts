// maxTasksPerWorker: a worker ends after this many calls and another takes its place. It does not count as lost.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { canSeeWorkers } from "../../support/leaks.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { fail, workerId } from "../../fixtures/tasks/worker_tasks.ts";
import { until } from "../../support/until.ts";

export function retirementCases(kind: Kind): void {
  behaviour(
    kind,
    " replaces a worker after maxTasksPerWorker calls [P12, test_max_tasks_per_child]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 3 });
      const ids: string[] = [];
      for (let n = 0; n < 7; n++) ids.push(await executor.submit(workerId));
      assertEquals(ids.map((id) => ids.indexOf(id)), [0, 0, 0, 3, 3, 3, 6]);
      await until("the old workers have gone", () => kind.alive().length <= 1);
      if (canSeeWorkers) assertEquals(kind.alive().length, 1);
      assertEquals([executor.stats().workers, executor.stats().lost], [1, 0]);
    },
  );

  behaviour(
    kind,
    " replaces workers during a burst of short calls, and runs none in a worker at its limit [P12]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2, maxTasksPerWorker: 4 });
      await executor.submit(workerId);
      const ids = await Promise.all(Array.from({ length: 30 }, () => executor.submit(workerId)));
      for (const id of ids) assert(ids.filter((other) => other === id).length <= 4);
    },
  );

  for (const [maxWorkers, maxTasksPerWorker, calls] of [[1, 2, 6], [2, 2, 8]] as const) {
    behaviour(
      kind,
      ` works off a backlog with ${maxWorkers} workers of ${maxTasksPerWorker} calls [test_max_tasks_per_child_pending_tasks_gh115634]`,
      async (Executor) => {
        await using executor = new Executor({ maxWorkers, maxTasksPerWorker });
        const futures = Array.from({ length: calls }, (_, n) => executor.submit(square, n));
        assertEquals(await Promise.all(futures), futures.map((_, n) => n * n));
      },
    );
  }

  behaviour(
    kind,
    " works off its backlog after shutdown({ wait: false }) with workers that retire [P12, test_shutdown_no_wait_max_tasks_gh119592, test_gc_during_max_tasks_worker_exit_gh152967]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1 });
      const futures = Array.from({ length: 4 }, (_, n) => executor.submit(square, n));
      await executor.shutdown({ wait: false });
      assertEquals(await Promise.all(futures), [0, 1, 4, 9]);
      await executor.shutdown();
    },
  );

  behaviour(
    kind,
    " does all work when it is shut down at once, with workers that retire [test_max_tasks_early_shutdown]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 3, maxTasksPerWorker: 1 });
      const futures = Array.from({ length: 6 }, (_, n) => executor.submit(square, n));
      await executor.shutdown();
      assertEquals<unknown>(
        futures.map((future) => future.outcome),
        futures.map((_, n) => ({ status: "fulfilled", value: n * n })),
      );
    },
  );

  for (const maxWorkers of [2, 4]) {
    behaviour(
      kind,
      ` survives a failing call in a worker that retires, of ${maxWorkers} [test_shutdown_gh_132969_case_1, test_shutdown_gh_132969_case_2]`,
      async (Executor) => {
        const executor = new Executor({ maxWorkers, maxTasksPerWorker: 1 });
        const futures = [executor.submit(fail, "1"), executor.submit(fail, "2"), executor.submit(fail, "3")];
        await executor.shutdown({ wait: false });
        for (const future of futures) await assertRejects(() => future.result(), RangeError);
        await executor.shutdown();
      },
    );
  }

  behaviour(
    kind,
    ".terminateWorkers() does not replace a worker that retires at that moment [P12, test_force_shutdown_during_max_tasks_worker_exit]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1 });
      using gate = new Gate();
      const last = executor.submit(hold, gate.folder, 0);
      const queued = executor.submit(hold, gate.folder, 1);
      last.addDoneCallback(() => executor.terminateWorkers());
      await gate.noted();
      gate.open();
      assertEquals(await last, 0);
      assertEquals(queued.cancelled(), true);
      await executor.shutdown();
      assertEquals(gate.notes, ["0"]);
    },
  );
}

// currentTask().workerIndex: which of the executor's workers this is, whoever it has replaced.

import { assertEquals, assertRejects } from "@std/assert";
import { WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { exit, getState, keepIndex, workerId, workerIndex, workerName } from "../../fixtures/tasks/worker_tasks.ts";

export function workerIndexCases(kind: Kind): void {
  behaviour(kind, " gives its workers the indices 0 to maxWorkers - 1", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 3 });
    using gate = new Gate();
    const held = [0, 1].map((n) => executor.submit(hold, gate.folder, n));
    await gate.noted(2);
    assertEquals(await executor.submit(workerIndex), 2);
    gate.open();
    await Promise.all(held);
    const indices = await Promise.all(Array.from({ length: 40 }, () => executor.submit(workerIndex)));
    assertEquals(indices.filter((index) => ![0, 1, 2].includes(index)), []);
  });

  behaviour(kind, " gives a worker that replaces another its index, and a name of its own", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2, name: "pool" });
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 0);
    await gate.noted();
    assertEquals(await executor.submit(workerIndex), 1);
    await assertRejects(() => executor.submit(exit, 3).result(), WorkerLostError);
    assertEquals([await executor.submit(workerIndex), await executor.submit(workerName)], [1, "pool_2"]);
    gate.open();
    await held;
  });

  behaviour(kind, " keeps the index when workers retire", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1 });
    const ids = [], indices = [];
    for (let n = 0; n < 3; n++) {
      ids.push(await executor.submit(workerId));
      indices.push(await executor.submit(workerIndex));
    }
    assertEquals([new Set(ids).size, indices], [3, [0, 0, 0]]);
  });

  behaviour(kind, " tells its initializer the index", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, initializer: keepIndex });
    assertEquals(await executor.submit(getState), "index 0");
  });
}

// A host that closes: when its time is up every call is ended with its worker, and it ends with or without Redis.

import { assert, assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../../mod.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { until, within } from "../../support/until.ts";

for (const Executor of [ThreadPoolExecutor, ProcessPoolExecutor]) {
  clusterTest(
    `A host with a ${Executor.name} ends the workers of calls that run when drainTimeout is over`,
    async (cluster) => {
      await using local = new Executor({ maxWorkers: 3 });
      using gate = new Gate();
      const host = await cluster.serve({ executor: local, drainTimeout: 50 });
      const executor = cluster.executor();
      const plain = executor.submit(hold, gate.folder, 1);
      const stoppable = executor.with({ signal: new AbortController().signal, grace: 1e9 }).submit(
        hold,
        gate.folder,
        2,
      );
      const retried = executor.with({ retries: 5 }).submit(hold, gate.folder, 3);
      await gate.noted(3);
      await within("close()", host.close());
      await until("no worker is busy", () => local.stats().busy === 0);
      const { running, queued, cancelled } = local.stats();
      assertEquals({ running, queued, cancelled }, { running: 0, queued: 0, cancelled: 3 });
      assertEquals(await within("a call of the executor itself", local.submit(square, 3)), 9);

      // None of them goes on here, and each runs once more on another host.
      await cluster.serve({ workers: 3 });
      await gate.noted(6);
      gate.open();
      assertEquals(await within("the calls", Promise.all([plain, stoppable, retried])), [1, 2, 3]);
      assertEquals(gate.notes.length, 6);
    },
  );
}

clusterTest("A host closes when Redis does not answer, and says what it leaves", async (cluster) => {
  await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
  using gate = new Gate();
  const host = await cluster.serve({ executor: local, drainTimeout: 50 });
  const executor = cluster.executor({ onUnobserved: () => {} });
  const future = executor.submit(hold, gate.folder, 1);
  await gate.noted();
  process.kill(cluster.server.pid!, "SIGSTOP");
  try {
    const reports = await reportsOf(() => within("close()", host.close()));
    assertEquals(reports.length, 1, JSON.stringify(reports));
    assertMatch(String(reports[0]!.at(-1)), /ended without Redis.*calls that run elsewhere later: 1/);
    await until("the call has ended", () => local.stats().busy === 0);
  } finally {
    process.kill(cluster.server.pid!, "SIGCONT");
  }
  assert(!future.done());
  gate.open();
});

clusterTest("The command of a host ends on SIGTERM within its time though there is no Redis", async (cluster) => {
  const host = await cluster.host({ runtime: otherRuntimes[0]!, drainTimeout: 100 });
  const executor = cluster.executor({ onUnobserved: () => {} });
  using gate = new Gate();
  executor.submit(hold, gate.folder, 1);
  await gate.noted();
  await cluster.server.stop();
  assertEquals(await host.end("SIGTERM"), 0);
  await cluster.server.restart();
  executor.killWorkers();
});

// Redis that does not do what it should: it is away, silent, full, or has lost its data. Calls wait, or fail with the reason.

import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { BrokenExecutor, CancelledError } from "../../../mod.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { Relay } from "../../support/relay.ts";
import { Gate } from "../../support/gate.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { within } from "../../support/until.ts";

clusterTest("BullMQExecutor and its hosts connect again when a connection goes silent", async (cluster) => {
  await using relay = await Relay.start(cluster.server.url);
  const connection = { url: relay.url };
  await cluster.serve({ connection });
  const executor = cluster.executor({ connection });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  relay.cut();
  assertEquals(await within("a call after the cut", executor.submit(square, 4)), 16);
});

const TROUBLES: Readonly<Record<string, (cluster: TestCluster) => Promise<unknown>>> = {
  "is away": ({ server }) => server.stop(),
  "answers nothing": ({ server }) => Promise.resolve(process.kill(server.pid!, "SIGSTOP")),
};

for (const [trouble, begin] of Object.entries(TROUBLES)) {
  clusterTest(`BullMQExecutor ends in each way while Redis ${trouble}, and settles its calls`, async (cluster) => {
    const ends = ["shutdown", "cancel", "terminateWorkers", "killWorkers"] as const;
    const executors = ends.map(() => cluster.executor({ connectTimeout: 1000, onUnobserved() {} }));
    const sent = executors.map((executor) => executor.submit(square, 3));
    await within("what Redis says", Promise.all(executors.map((executor) => executor.cluster())));
    await begin(cluster);
    for (const [i, how] of ends.entries()) {
      const executor = executors[i]!;
      const unsent = executor.submit(square, 4);
      if (how === "terminateWorkers" || how === "killWorkers") executor[how]();
      await within(how, executor.shutdown({ cancelFutures: how !== "shutdown" }));
      for (const future of [sent[i]!, unsent]) {
        const error = await within("a call", future.result().catch((error) => error));
        assert(error instanceof BrokenExecutor || error instanceof CancelledError, String(error));
        if (how === "shutdown") assert(error instanceof BrokenExecutor, String(error));
      }
    }
  });

  clusterTest(`A host ends on SIGTERM while Redis ${trouble}`, async (cluster) => {
    const host = await cluster.host({ drainTimeout: 100 });
    const idle = await cluster.host({ drainTimeout: 100 });
    using gate = new Gate();
    const future = cluster.executor({ connectTimeout: 1000, onUnobserved() {} }).submit(hold, gate.folder, 7);
    await gate.noted();
    await begin(cluster);
    assertEquals(await Promise.all([host.end("SIGTERM"), idle.end("SIGTERM")]), [0, 0]);
    assertEquals(future.done(), false);
    gate.open();
  });
}

// Executors whose calls are stopped when they die: the living are not taken for dead.

import { assert, assertEquals } from "@std/assert";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { errorOf } from "../../support/futures.ts";
import { within } from "../../support/until.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { listenAndThrow } from "../../fixtures/tasks/stop_tasks.ts";

clusterTest('BullMQExecutor({ orphans: "cancel" }) lives on when Redis has lost its data', async (cluster) => {
  await cluster.serve();
  const executor = cluster.executor({ orphans: "cancel" });
  assertEquals(await within("a call", executor.submit(square, 2)), 4);
  await cluster.redis().flushall();
  assertEquals(await within("the call after it", executor.submit(square, 3)), 9);
});

for (const key of [undefined, "k"]) {
  const title = `BullMQExecutor({ orphans: "cancel" }) adds calls ${
    key ? "with a key " : ""
  }again that hosts have stopped for no reason`;
  clusterTest(title, async (cluster) => {
    await cluster.serve();
    using gate = new Gate();
    const lines: string[] = [];
    const executor = cluster.executor({ orphans: "cancel", log: (line) => lines.push(line) });
    const call = (key ? executor.with({ key }) : executor).submit(listenAndThrow, gate.folder, 1);
    await gate.noted();
    const redis = cluster.redis(), [owner] = await redis.keys(cluster.keys.owner("*"));
    await redis.del(owner!); // as if it had been cut off from Redis for too long
    await gate.noted(2);
    assert(!call.done(), "it was stopped, and runs again");
    assertEquals(lines.map((line) => /could not reach Redis for 30000 ms/.test(line)), [true]);
    executor.killWorkers();
    await errorOf(call);
  });
}

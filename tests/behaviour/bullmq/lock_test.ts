// A host that loses the lock of a job has lost it to another host: that is no error. Other errors of BullMQ are reported.

import { assertEquals, assertMatch } from "@std/assert";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { until, within } from "../../support/until.ts";

clusterTest("A host reports nothing when it loses the lock of a job, which is delivered again", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor();
  using gate = new Gate();
  const reports = await reportsOf(async () => {
    await using _host = await cluster.serve({ workers: 2, stalledInterval: 300 });
    const future = executor.with({ key: "mine", retries: 1_000 }).submit(hold, gate.folder, 7);
    await gate.noted();
    await redis.del(`${cluster.keys.job("key-1-mine")}:lock`);
    await gate.noted(2); // the host has tried to renew the lock, and the job was delivered again
    gate.open();
    assertEquals(await within("the call", future), 7);
  });
  assertEquals(reports, []);
});

clusterTest('A host reports that a job is gone, though there is "lock" in its id', async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor();
  using gate = new Gate();
  const reports = await reportsOf(async (reports) => {
    await using _host = await cluster.serve({ workers: 1 });
    executor.with({ key: "deadlock" }).submit(hold, gate.folder, 7);
    await gate.noted();
    await redis.del(cluster.keys.job("key-1-deadlock"));
    gate.open();
    await until("the host has reported", () => reports.length > 0);
  });
  assertMatch(String(reports[0]![1]), /Redis has lost jobs of calls/);
});

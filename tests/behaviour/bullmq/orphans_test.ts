// Executors whose calls are stopped when they die: the living are not taken for dead.

import { assert, assertEquals } from "@std/assert";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { errorOf } from "../../support/futures.ts";
import { until, within } from "../../support/until.ts";
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

clusterTest(
  "a host runs a job that it has stopped when its executor lives after all, and adds it again",
  async (cluster) => {
    await cluster.serve();
    const redis = cluster.redis(), queue = await cluster.jobs(), owner = crypto.randomUUID();
    const call = { futures: 1, module: "arithmetic", name: "square", args: "[[1],3]", redeliveries: 3, owner };
    const add = async () => {
      const reply = await within("its reply", queue.replyTo(await queue.add("a call", call, { jobId: "the-job" })));
      await Promise.all([cluster.keys.job("the-job"), ...cluster.keys.finished].map((key) => redis.del(key)));
      return reply;
    };
    assertEquals(await add(), { cancelled: true, owner });
    await redis.set(cluster.keys.owner(owner), "1");
    assertEquals(await add(), { ok: "[9]" });
    // What the executor itself has asked for stays.
    await redis.xadd(cluster.keys.stops, "*", "job", "the-job");
    await until("it is stopped", async () => JSON.stringify(await add()) === '{"cancelled":true}');
  },
);

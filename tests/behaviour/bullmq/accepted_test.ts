// executor.accepted(): Redis has everything that was submitted so far.

import { assertEquals } from "@std/assert";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { assertError } from "../../support/assert_error.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { within } from "../../support/until.ts";

/** How many jobs wait. */
function waiting(cluster: TestCluster): Promise<number> {
  return cluster.redis().zcard(cluster.keys.prioritized);
}

/** What accepted() rejects with. */
async function refusal(accepted: Promise<void>): Promise<Error> {
  return await within("accepted()", accepted.then(() => new Error("it was fulfilled"), (error) => error));
}

clusterTest("BullMQExecutor.accepted() resolves when Redis has all calls that were submitted", async (cluster) => {
  const executor = cluster.executor();
  await within("accepted() of nothing", executor.accepted());
  for (let n = 0; n < 2000; n++) executor.submit(square, n);
  await within("accepted()", executor.accepted());
  assertEquals(await waiting(cluster), 2000);
  executor.submit(square, 0);
  const cancelled = executor.submit(square, 1), accepted = executor.accepted();
  cancelled.cancel();
  await within("accepted() again", accepted);
  assertEquals(await waiting(cluster), 2001);
  const items = executor.map(square, Array(1000).keys(), { chunksize: 10 });
  await within("accepted() of chunks", executor.accepted());
  assertEquals(await waiting(cluster), 2101);
  await items.return();
});

clusterTest("BullMQExecutor.accepted() resolves when the executor was shut down", async (cluster) => {
  await cluster.serve();
  const executor = cluster.executor();
  const call = executor.submit(square, 3), end = executor.shutdown();
  await within("accepted()", executor.accepted());
  assertEquals(await within("the call", call), 9);
  await within("shutdown()", end);
  await within("accepted() after the end", executor.accepted());
});

clusterTest("BullMQExecutor.accepted() rejects when a call cannot be sent", async (cluster) => {
  const executor = cluster.executor();
  const good = executor.submit(square, 3);
  // deno-lint-ignore no-explicit-any
  const bad = executor.submit(square, (() => 1) as any);
  const error = await refusal(executor.accepted());
  assertEquals([error.name, await bad.exception()], ["DataCloneError", error]);
  await within("accepted() without it", executor.accepted());
  assertEquals([await waiting(cluster), good.done()], [1, false]);
});

clusterTest("BullMQExecutor.accepted() rejects when Redis refuses a call for too long", async (cluster) => {
  const executor = cluster.executor({ redisTimeout: 300, log: () => {} }), redis = cluster.redis();
  await executor.cluster();
  await redis.config("SET", "maxmemory", "1");
  const call = executor.submit(square, 3);
  const error = await refusal(executor.accepted());
  assertEquals([error.name, await call.exception()], ["RedisRefusedError", error]);
  await redis.config("SET", "maxmemory", "0");
});

clusterTest(
  "BullMQExecutor.accepted() waits while Redis is away, and for no longer than an end waits for it",
  async (cluster) => {
    await using relay = await cluster.relay();
    const connection = { url: relay.url };
    const executor = cluster.executor({ connection, connectTimeout: 500, log: () => {} });
    await executor.cluster();
    await cluster.server.kill();
    const call = executor.submit(square, 3), accepted = executor.accepted();
    const end = executor.shutdown();
    assertError(await refusal(accepted), {
      name: "BrokenExecutor",
      message: "Redis did not answer any more when the executor was shut down",
    });
    assertEquals((await call.exception() as Error).name, "BrokenExecutor");
    await within("shutdown()", end);
  },
);

clusterTest("BullMQExecutor.accepted() rejects when Redis cannot be reached", async (cluster) => {
  const executor = cluster.executor({ connection: { url: "redis://127.0.0.1:1" }, connectTimeout: 300 });
  const call = executor.submit(square, 3);
  const error = await refusal(executor.accepted());
  assertEquals([error.name, (await call.exception() as Error).name], ["BrokenExecutor", "BrokenExecutor"]);
});

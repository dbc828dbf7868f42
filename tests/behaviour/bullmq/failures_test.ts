// Why calls have failed: what the numbers of a submitter and of its host say of each kind.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BrokenExecutor, CancelledError, TaskTimeoutError, TimeoutError, WorkerLostError } from "../../../mod.ts";
import { JobLostError, RedisRefusedError } from "../../../src/bullmq/errors.ts";
import { BullMQExecutor, metricsOf } from "../../../src/bullmq/mod.ts";
import { task } from "../../../src/task/mod.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { echo, throwIt } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold, holdAllButZero } from "../../fixtures/tasks/gate_tasks.ts";
import { exit } from "../../fixtures/tasks/worker_tasks.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { until, within } from "../../support/until.ts";

/** The numbers of failed calls in a text, by why, without those that are 0. */
function failuresIn(text: string, name = "futures_calls_total"): Record<string, number> {
  const lines = text.matchAll(new RegExp(`^${name}\\{(?:.*,)?outcome="failed",by="([a-z]+)"\\} (\\d+)$`, "gm"));
  return Object.fromEntries([...lines].map(([, by, count]) => [by!, Number(count)]).filter(([, count]) => count !== 0));
}

/** The class of what a call fails with. */
async function classOf(future: { exception(): Promise<unknown> }): Promise<unknown> {
  return (await within("the call", future.exception()) as Error).constructor;
}

clusterTest(
  "metricsOf() and a host tell by the same words why calls have failed that the host has answered",
  async (cluster) => {
    const host = await cluster.serve({ workers: 1, health: { port: 0, hostname: "127.0.0.1" } });
    const executor = cluster.executor({ onUnobserved() {} });
    const failures = () => failuresIn(metricsOf(executor));
    assertEquals(await within("a call", executor.submit(square, 3)), 9);
    assertEquals(failures(), {});

    assertEquals(await classOf(executor.submit(throwIt, new RangeError("no"))), RangeError);
    assertEquals(failures(), { task: 1 });

    // A task that throws what an executor fails with has thrown.
    await classOf(executor.submit(throwIt, new WorkerLostError({ started: true })));
    assertEquals(failures(), { task: 2 });

    using gate = new Gate();
    assertEquals(await classOf(executor.with({ timeout: 100 }).submit(hold, gate.folder, 1)), TaskTimeoutError);
    assertEquals(failures(), { task: 2, timeout: 1 });

    assertEquals(await classOf(executor.with({ retries: 0 }).submit(exit, 3)), WorkerLostError);
    assertEquals(failures(), { task: 2, timeout: 1, lost: 1 });

    const url = new URL("../../fixtures/tasks/arithmetic.ts", import.meta.url).href;
    const missing = task(url, function missing() {}, { module: "arithmetic" });
    assertEquals(await classOf(executor.submit(missing)), TypeError);
    const all = { task: 2, timeout: 1, lost: 1, host: 1 };
    assertEquals(failures(), all);
    assertEquals(executor.stats().failed, 5);

    const page = await (await fetch(`http://127.0.0.1:${host.healthPort}/metrics`)).text();
    assertEquals(failuresIn(page, "futures_host_calls_total"), all);
    assertEquals(host.stats().failed, 5);

    // Whoever gives up what a host has does not know what becomes of it.
    const given = executor.submit(hold, gate.folder, 2);
    await until("the host has it", () => given.running());
    executor.killWorkers();
    assertEquals(await classOf(given), WorkerLostError);
    assertEquals(failures(), { ...all, lost: 2 });
  },
);

clusterTest("metricsOf() counts each item of a chunk by why it has failed, and so does the host", async (cluster) => {
  const host = await cluster.serve({ workers: 1, health: { port: 0, hostname: "127.0.0.1" } });
  const executor = cluster.executor();
  using gate = new Gate();
  using open = new Gate();
  open.open();
  const folders = [open.folder, gate.folder, open.folder, open.folder];
  const results = executor.with({ timeout: 200 }).map(holdAllButZero, folders, [1, 2, 0, 4], {
    chunksize: 4,
    settled: true,
  });
  const settled = await within("map()", Array.fromAsync(results));
  assertEquals(settled.map(({ status }) => status), ["fulfilled", "rejected", "rejected", "fulfilled"]);
  assertEquals(failuresIn(metricsOf(executor)), { timeout: 1, task: 1 });
  const page = await (await fetch(`http://127.0.0.1:${host.healthPort}/metrics`)).text();
  assertEquals(failuresIn(page, "futures_host_calls_total"), { timeout: 1, task: 1 });
});

clusterTest("metricsOf() tells why calls have failed that no host has answered", async (cluster) => {
  const redis = cluster.redis();
  const executor = cluster.executor({ redisTimeout: 200, onUnobserved() {}, log() {} });
  const failures = () => failuresIn(metricsOf(executor));

  const cancelled = executor.submit(square, 3);
  cancelled.cancel();
  await assertRejects(() => cancelled.result(), CancelledError);
  assertEquals(failures(), {}, "a cancelled call has not failed");
  assertEquals(executor.stats().cancelled, 1);

  assertEquals(await classOf(executor.submit(echo, () => {})), DOMException);
  assertEquals(failures(), { unsendable: 1 });

  assertEquals(await classOf(executor.with({ expires: 50 }).submit(square, 3)), TimeoutError);
  assertEquals(failures(), { unsendable: 1, expired: 1 });
  assertEquals(executor.stats().cancelled, 1, "an expired call was not cancelled");
  await until("it is gone", async () => (await executor.cluster()).waiting === 0);

  const lost = executor.with({ retries: 0 }).submit(square, 3);
  await within("the call in Redis", executor.accepted());
  const [id] = await redis.zrange(cluster.keys.prioritized, "0", "-1");
  await redis.del(cluster.keys.job(id!));
  assertEquals(await classOf(lost), JobLostError);
  assertEquals(failures(), { unsendable: 1, expired: 1, lost: 1 });

  await redis.config("SET", "maxmemory", "1");
  assertEquals(await classOf(executor.submit(square, 3)), RedisRefusedError);
  assertEquals(failures(), { unsendable: 1, expired: 1, lost: 1, refused: 1 });
  await redis.config("SET", "maxmemory", "0");
  assertEquals(executor.stats().failed, 4);
});

clusterTest("metricsOf() tells that calls have failed as Redis cannot be used", async (cluster) => {
  const { port } = new URL(cluster.server.url);
  await cluster.server.stop();
  await using executor = new BullMQExecutor({
    queue: cluster.queue,
    connection: { url: `redis://127.0.0.1:${port}` },
    connectTimeout: 200,
    onUnobserved() {},
  });
  const missing = task(import.meta.url, function missing() {}, { module: "arithmetic" });
  assert(await within("the call", executor.submit(missing).exception()) instanceof BrokenExecutor);
  assertEquals(failuresIn(metricsOf(executor)), { broken: 1 });
  await cluster.server.restart();
});

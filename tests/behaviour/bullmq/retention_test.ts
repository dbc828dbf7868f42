// How long finished jobs and their results stay in Redis: as long as each call says, whether or not other calls are finished.

import { assert, assertEquals } from "@std/assert";
import type { Redis } from "ioredis";
import type { Keys } from "../../../src/bullmq/protocol.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { echo } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { until, within } from "../../support/until.ts";

const HOUR = 3_600_000;

/** The ids of BullMQ's finished jobs, the oldest first. */
function finished(redis: Redis, keys: Keys): Promise<string[]> {
  return redis.zrange(keys.finished[0]!, 0, "-1");
}

/** Makes jobs older, as if they had been finished an hour ago, in the order of their ids here. */
async function age(redis: Redis, keys: Keys, ids: readonly string[]): Promise<void> {
  for (const [i, id] of ids.entries()) await redis.zadd(keys.finished[0]!, Date.now() - HOUR + i, id);
}

/** Has calls run, one after the other. Returns the ids of their jobs. */
async function run(cluster: TestCluster, redis: Redis, calls: number, key?: string): Promise<string[]> {
  const executor = cluster.executor(), before = await finished(redis, cluster.keys);
  for (let n = 0; n < calls; n++) assertEquals(await within("a call", executor.with({ key }).submit(square, n)), n * n);
  await until(
    "the jobs are finished",
    async () => (await finished(redis, cluster.keys)).length >= before.length + calls,
  );
  return (await finished(redis, cluster.keys)).filter((id) => !before.includes(id));
}

clusterTest("BullMQExecutor's jobs and long replies stay as long as each executor says", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  await cluster.serve();
  const long = "x".repeat(10_000);
  const jobs: { readonly id: string; readonly most: number }[] = [];
  const cases = [[1, 60_000], [undefined, HOUR], [2 * HOUR, 2 * HOUR], [Infinity, Number.MAX_SAFE_INTEGER]] as const;
  for (const [keepJobs, most] of cases) {
    assertEquals(await within("a call", cluster.executor({ keepJobs }).submit(echo, long)), long);
    await until("the job is finished", async () => (await finished(redis, keys)).length > jobs.length);
    const id = (await finished(redis, keys)).find((id) => jobs.every((job) => job.id !== id))!;
    jobs.push({ id, most });
  }
  for (const { id, most } of jobs) {
    await until("Redis knows how long it stays", async () => await redis.pttl(keys.job(id)) > 0);
    for (const key of [keys.job(id), keys.reply(id)]) {
      const left = await redis.pttl(key);
      assert(left > most - 30_000 && left <= most, `${key} stays for ${left} ms, and not for ${most}`);
    }
  }
});

clusterTest("Host.close() says how long the jobs stay that it has finished", async (cluster) => {
  const redis = cluster.redis();
  const host = await cluster.serve();
  const [id] = await run(cluster, redis, 1);
  await within("close()", host.close());
  assert(await redis.pttl(cluster.keys.job(id!)) > 0);
});

clusterTest("A host that is idle takes the ids of jobs that have expired out of BullMQ's sets", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  await cluster.serve();
  const [first, second, third] = await run(cluster, redis, 3);
  for (const id of [first, third]) await redis.pexpire(keys.job(id!), 1);
  await until("they are gone", async () => (await finished(redis, keys)).length === 1);
  assertEquals(await finished(redis, keys), [second]);
});

clusterTest("A host removes the oldest jobs without a key when there are more than keepCount", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  await cluster.serve({ keepCount: 2 });
  const ids = [
    ...await run(cluster, redis, 1, "mine"),
    ...await run(cluster, redis, 4),
    ...await run(cluster, redis, 1),
  ];
  // Those of the last minute stay.
  await age(redis, keys, ids.slice(0, 4));
  await until("the oldest are gone", async () => (await finished(redis, keys)).length === 3);
  assertEquals(await finished(redis, keys), [ids[0], ids[4], ids[5]]);
  assertEquals(await redis.exists(...ids.map((id) => keys.job(id))), 3);
});

clusterTest("A full Redis is cleaned, too", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  await cluster.serve({ keepCount: 0, log: () => {} });
  const ids = await run(cluster, redis, 3);
  await age(redis, keys, ids);
  await redis.config("SET", "maxmemory", "1mb");
  await until("they are gone", async () => (await finished(redis, keys)).length === 0);
  await redis.config("SET", "maxmemory", "0");
});

clusterTest("A job whose host has died before it said how long it stays does so by default", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  const host = await cluster.serve();
  const ids = await run(cluster, redis, 1);
  await within("close()", host.close());
  await redis.persist(keys.job(ids[0]!));
  await age(redis, keys, ids);
  await cluster.serve();
  await until("Redis knows how long it stays", async () => await redis.pttl(keys.job(ids[0]!)) > 0);
  assert(await redis.pttl(keys.job(ids[0]!)) <= HOUR);
});

clusterTest("A host removes old events and stops", async (cluster) => {
  const redis = cluster.redis(), { keys: { events, stops } } = cluster;
  // Redis (7.0) removes nodes of a hundred entries.
  for (const stream of [events, stops]) {
    for (let n = 1; n <= 300; n++) await redis.xadd(stream, `${n}-0`, "event", "old");
  }
  await cluster.serve();
  await until("the events are gone", async () => await redis.xlen(events) < 200);
  await until("the stops are gone", async () => await redis.xlen(stops) < 200);
  const executor = cluster.executor();
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
});

clusterTest("A key is free again when its job has expired, and the new job is not cleaned away", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  using gate = new Gate();
  await cluster.serve({ keepCount: 0 });
  const [id] = await run(cluster, redis, 1, "mine");
  await redis.pexpire(keys.job(id!), 1);
  await until("it has expired", async () => await redis.exists(keys.job(id!)) === 0);
  const again = cluster.executor().with({ key: "mine" }).submit(hold, gate.folder, 7);
  await within("the new call", gate.noted());
  await until("the old id is gone", async () => (await finished(redis, keys)).length === 0);
  assertEquals(await redis.pttl(keys.job(id!)), -1);
  gate.open();
  assertEquals(await within("the new call", again), 7);
});

clusterTest(
  "A job that anybody may have written stays for a time that Redis knows, and spoils none of the others",
  async (cluster) => {
    const redis = cluster.redis(), { keys } = cluster;
    await cluster.serve();
    const jobs = await cluster.jobs();
    const ages: unknown[] = [-1, 0, 1e300, Number.MAX_SAFE_INTEGER, "1", null];
    for (const age of ages) {
      await within("a job", jobs.replyTo(await jobs.add("x", {}, { removeOnComplete: { age: age as number } })));
    }
    await run(cluster, redis, 1);
    const ids = await finished(redis, keys);
    assertEquals(ids.length, ages.length + 1);
    await until("Redis knows how long each stays", async () => {
      return (await Promise.all(ids.map((id) => redis.pttl(keys.job(id))))).every((left) => left > HOUR / 100);
    });
  },
);

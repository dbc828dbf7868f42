// deno-lint-ignore-file no-console -- a program prints
// What executors, hosts and calls take of Redis, for docs/operating.md: deno run -A scripts/bench/cluster/sizing.ts
// It has a server of its own, and a host in a program of its own.

import type { Redis } from "ioredis";
import { RedisServer } from "../../../tests/support/redis_server.ts";
import { TestCluster } from "../../../tests/support/bullmq_cluster.ts";
import { echo } from "../../../tests/fixtures/tasks/cluster_tasks.ts";
import { until } from "../../../tests/support/until.ts";

/** How many calls are measured, and how many characters each has as its argument and its result. */
const CALLS = 20_000, LENGTH = 100;

/** A number of an answer to INFO. */
async function told(redis: Redis, section: string, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(.*)\r$`, "m").exec(await redis.info(section))![1]);
}

/** How many connections the server has, this program's own not counted. */
const connections = async (redis: Redis) => await told(redis, "clients", "connected_clients") - 1;

const memory = (redis: Redis) => told(redis, "memory", "used_memory");

/** What the server's main thread has taken, in seconds. */
async function processor(redis: Redis): Promise<number> {
  const [user, system] = await Promise.all(
    ["user", "sys"].map((kind) => told(redis, "cpu", `used_cpu_${kind}_main_thread`)),
  ) as [number, number];
  return user + system;
}

await using server = await RedisServer.start();
await using cluster = new TestCluster(server);
const redis = cluster.redis();
const executor = cluster.executor();
await executor.cluster();
console.log(`connections of an executor: ${await connections(redis)}`);

const text = "x".repeat(LENGTH);
const empty = await memory(redis);
const before = await processor(redis);
const futures = Array.from({ length: CALLS }, () => executor.submit(echo, text));
const waiting = async () => (await executor.cluster()).waiting;
await until("all calls wait in Redis", async () => await waiting() === CALLS);
const full = await memory(redis), added = await processor(redis);
console.log(`bytes of Redis of a call that waits, with ${LENGTH} characters: ${Math.round((full - empty) / CALLS)}`);

const others = await connections(redis);
const start = performance.now();
await cluster.host({ workers: 2 });
console.log(`connections of a host: ${await connections(redis) - others}`);
await Promise.all(futures);
const seconds = (performance.now() - start) / 1000, done = await processor(redis);
console.log(`bytes of Redis of a call that is done and kept: ${Math.round((await memory(redis) - empty) / CALLS)}`);
const perCall = (done - before) / CALLS;
console.log(`calls/s that one host has done here, its start included: ${Math.round(CALLS / seconds)}`);
console.log(
  `processor time of Redis: ${(perCall * 1e6).toFixed(0)} µs a call, ${
    ((added - before) / CALLS * 1e6).toFixed(0)
  } µs of ` +
    `which to add it: a processor is full with ${Math.round(1 / perCall)} calls/s`,
);
console.log(await redis.info("server").then((text) => /redis_version:(.*)\r/.exec(text)![1]));

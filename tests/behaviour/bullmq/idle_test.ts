// What executors and hosts do when there is nothing to do, or only for others.

import { assert, assertEquals } from "@std/assert";
import type { Redis } from "ioredis";
import { StreamReader } from "../../../src/bullmq/stream_reader.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { until, within } from "../../support/until.ts";

/** The ids of the clients that read streams, and whether each waits for the next entry. */
async function readers(redis: Redis): Promise<Map<string, boolean>> {
  const lines = (await redis.client("LIST") as string).split("\n").filter((line) => line.includes(" cmd=xread "));
  return new Map(lines.map((line) => [/^id=(\d+)/.exec(line)![1]!, /flags=\w*b/.test(line)]));
}

clusterTest(
  "an executor that waits for nothing does not read the events of others, and then its own again",
  async (cluster) => {
    const redis = cluster.redis();
    await cluster.serve();
    const before = await readers(redis);
    const idle = cluster.executor();
    assertEquals(await within("a call", idle.submit(square, 2)), 4);
    let id: string | undefined;
    await until("its reader is found", async () => {
      id = [...(await readers(redis)).keys()].find((id) => !before.has(id));
      return id !== undefined;
    });
    const busy = cluster.executor();
    let times = 0;
    await until("its reader waits for no entry, three times", async () => {
      assertEquals(await within("a call", busy.submit(square, 3)), 9);
      times = (await readers(redis)).get(id!) ? 0 : times + 1;
      return times === 3;
    });
    for (const n of [4, 5]) assertEquals(await within("a call", idle.submit(square, n)), n * n);
    const future = idle.with({ key: "k" }).submit(square, 6);
    assertEquals(await within("its result", busy.result("k")), await within("a call", future));
  },
);

clusterTest("a host that gets one call after another does not ask for more in vain", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor();
  await cluster.serve({ workers: 2 });
  const call = (n: number) => within("a call", executor.submit(square, n));
  await call(0);
  const count = async () => {
    const info = await redis.info("commandstats");
    return ["evalsha", "bzpopmin"].map((name) =>
      Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, "m").exec(info)![1])
    );
  };
  const before = await count();
  for (let n = 1; n <= 20; n++) assertEquals(await call(n), n * n);
  const [scripts, waits] = (await count()).map((after, i) => (after - before[i]!) / 20) as [number, number];
  // A call is added, taken and completed. BullMQ's worker (6.7) takes 4.9 scripts and 1.9 waits.
  assert(scripts < 3.5, `${scripts} scripts for each call`);
  assert(waits < 1.5, `${waits} waits for each call`);
});

clusterTest("a reader that has rested goes on after what was in the stream when it was woken", async (cluster) => {
  const redis = cluster.redis(), own = redis.duplicate(), key = "stream";
  const read: string[] = [];
  let wanted = true;
  const add = (text: string) => redis.xadd(key, "*", "text", text);
  const reader = new StreamReader(own, key, "0-0", ([, text]) => read.push(text!), (error) => {
    throw error;
  }, () => wanted);
  await add("first");
  await until("it has read", () => read.length === 1);
  wanted = false;
  let others = 0;
  await until("it rests", async () => {
    const before = read.length;
    await add(`of others ${others++}`);
    const clients = await redis.client("LIST") as string;
    return read.length === before && !clients.split("\n").some((client) => /flags=b.* cmd=xread /.test(client));
  });
  await add("missed");
  wanted = true;
  reader.wake(redis);
  reader.wake(redis);
  await add("second");
  await until("it has read again", () => read.at(-1) === "second");
  assertEquals(read.includes("missed"), false);
  await add("third");
  await until("it goes on", () => read.at(-1) === "third");
  reader.end();
});

/** The ids of the clients: a connection that is made anew has another one. Redis keeps no order. */
async function clients(redis: Redis): Promise<string[]> {
  return (await redis.client("LIST") as string).match(/^id=\d+/gm)!.sort();
}

/** How often Redis has answered commands that wait for something. */
async function waits(redis: Redis): Promise<Record<"xread" | "bzpopmin", number>> {
  const stats = await redis.info("commandstats");
  const count = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  return { xread: count("xread"), bzpopmin: count("bzpopmin") };
}

clusterTest("No connection is made anew while nothing happens on it for longer than socketTimeout", async (cluster) => {
  // Three answers in this time tell each connection that its server lives.
  const connection = { ...cluster.connection, socketTimeout: 1500 }, redis = cluster.redis();
  await cluster.serve({ connection, workers: 2 });
  using gate = new Gate();
  const waiting = cluster.executor({ connection }), idle = cluster.executor({ connection });
  const future = waiting.submit(hold, gate.folder, 7);
  assertEquals(await within("a call", idle.submit(square, 3)), 9);
  await gate.noted();
  const before = await clients(redis), { xread, bzpopmin } = await waits(redis);
  await until("the host has asked for jobs, and it and an executor for news, for two such times", async () => {
    const now = await waits(redis);
    return now.bzpopmin >= bzpopmin + 6 && now.xread >= xread + 12;
  });
  assertEquals(await clients(redis), before);
  gate.open();
  assertEquals(await within("the call", future), 7);
});

clusterTest("A host whose next job is delayed keeps its connections, too", async (cluster) => {
  const connection = { ...cluster.connection, socketTimeout: 1500 }, redis = cluster.redis();
  await cluster.serve({ connection });
  const future = cluster.executor({ connection }).with({ delay: 3_600_000 }).submit(square, 3);
  const { bzpopmin } = await waits(redis);
  await until("the host has been told of the job", async () => (await waits(redis)).bzpopmin >= bzpopmin + 2);
  const before = await clients(redis);
  await until("it has asked for two such times", async () => (await waits(redis)).bzpopmin >= bzpopmin + 8);
  assertEquals(await clients(redis), before);
  assertEquals(future.cancel(), true);
});

clusterTest("A program that is busy for longer than socketTimeout keeps its connections", async (cluster) => {
  const connection = { ...cluster.connection, socketTimeout: 1500 }, redis = cluster.redis();
  await cluster.serve();
  const executor = cluster.executor({ connection });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  const before = await clients(redis), future = executor.submit(square, 4);
  await until("its commands are written, and its stream is read", async () => (await readers(redis)).size > 0);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000); // answers come meanwhile, and nobody can read them
  assertEquals(await within("the call", future), 16);
  assertEquals(await clients(redis), before);
});

clusterTest("Connections work without a socketTimeout", async (cluster) => {
  const connection = { ...cluster.connection, socketTimeout: Infinity }, redis = cluster.redis();
  await cluster.serve({ connection });
  const executor = cluster.executor({ connection });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  const before = await clients(redis);
  for (const n of [4, 5, 6]) assertEquals(await within("a call", executor.submit(square, n)), n * n);
  assertEquals(await clients(redis), before);
});

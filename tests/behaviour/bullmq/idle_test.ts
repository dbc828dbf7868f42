// What an executor does that waits for nothing, while others work.

import { assertEquals } from "@std/assert";
import type { Redis } from "ioredis";
import { StreamReader } from "../../../src/bullmq/stream_reader.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
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

// How often a call is run: once where nothing goes wrong, and once for each key.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { echo, enter } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { until, within } from "../../support/until.ts";
import { assertError } from "../../support/assert_error.ts";

const MANY = 50_000;

/** A host with one worker, on another runtime. */
const ONE_HOST = { hosts: [{ runtime: otherRuntimes[0]! }] };

clusterTest(
  `BullMQExecutor runs ${MANY.toLocaleString("en")} calls on two hosts, none twice and none never`,
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    const ledger = join(gate.folder, "ledger");
    const futures = Array.from({ length: MANY }, (_, n) => executor.submit(enter, ledger, n));
    for (const [n, future] of futures.entries()) assertStrictEquals(await future, 2 * n);
    const entered = readFileSync(ledger, "utf8").split("\n").slice(0, -1);
    assertStrictEquals(entered.length, MANY);
    assertStrictEquals(new Set(entered).size, MANY);
    const { waiting, running } = await executor.cluster();
    assertEquals([waiting, running, executor.stats().completed], [0, 0, MANY]);
  },
  { hosts: otherRuntimes.map((runtime) => ({ runtime })) },
);

clusterTest(
  "BullMQExecutor.with({ key }) gives the same Future for the same key, and runs the call once",
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    const first = executor.with({ key: "report 7: ä" }).submit(hold, gate.folder, 1);
    const second = executor.with({ key: "report 7: ä" }).submit(hold, gate.folder, 2);
    assertStrictEquals(first, second);
    await gate.noted();
    gate.open();
    assertEquals(await within("the call", first), 1);
    assertEquals(await executor.with({ key: "report 8" }).submit(hold, gate.folder, 8), 8);
    assertEquals(gate.notes, ["1", "8"]);
  },
  ONE_HOST,
);

clusterTest(
  "BullMQExecutor.with({ key }) gives other executors the same result, while it runs and later",
  async (cluster) => {
    const [one, two, three] = [cluster.executor(), cluster.executor(), cluster.executor()];
    using gate = new Gate();
    const first = one.with({ key: "k" }).submit(hold, gate.folder, 1);
    await gate.noted();
    const meanwhile = two.with({ key: "k" }).submit(hold, gate.folder, 2);
    gate.open();
    assertEquals(await within("both calls", Promise.all([first, meanwhile])), [1, 1]);
    assertEquals(await within("the later call", three.with({ key: "k" }).submit(hold, gate.folder, 3)), 1);
    assertEquals(gate.notes, ["1"]);
  },
  ONE_HOST,
);

clusterTest("BullMQExecutor.with({ key }) may be a word that JavaScript knows", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  for (const key of ["__proto__", "constructor", "0", "a:b", "..", " "]) {
    await within(key, executor.with({ key }).submit(note, gate.folder, key));
  }
  assertEquals(gate.notes, ["__proto__", "constructor", "0", "a:b", "..", " "]);
}, ONE_HOST);

clusterTest(
  "BullMQExecutor.with({ key }) never gives another key's result, whichever attempt that took",
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    gate.open();
    const again = executor.with({ key: "a", retries: 1, retryOn: () => true }).submit(async (folder: string) => {
      const { appendFileSync, readFileSync } = await import("node:fs");
      appendFileSync(`${folder}/attempts`, "x");
      if (readFileSync(`${folder}/attempts`, "utf8") === "x") throw new Error("not yet");
      return "the second attempt of a";
    }, gate.folder);
    assertEquals(await within("the key with two attempts", again), "the second attempt of a");
    const keys = [
      ...["a~2", "a-2", "2-a", "1-a", "key-1-a", "key-2-a", "a%", "a%0025", "%61", "A", "", " ", "-", "1"],
      ...["\ud800", "\udc00", "\ufffd", "\ud83d\ude00", "x".repeat(1000)],
    ];
    const results = keys.map((key) => executor.with({ key }).submit(hold, gate.folder, keys.indexOf(key)));
    for (const [n, key] of keys.entries()) assertStrictEquals(await within(key, results[n]!), n);
    assertError(assertThrows(() => executor.with({ key: "x".repeat(1001) })), {
      name: "RangeError",
      message: "Cannot apply options to calls as 'key' must be at most 1000 characters long: received 1001",
    });
  },
  ONE_HOST,
);

clusterTest("BullMQExecutor downloads long replies of its own alone", async (cluster) => {
  const executors = Array.from({ length: 5 }, () => cluster.executor());
  for (const executor of executors) assertEquals(await executor.submit(echo, "ready"), "ready"); // now each reads the events
  const redis = cluster.redis();
  const before = await sentBytes(redis);
  const results = Array.from(
    { length: 10 },
    (_, n) => executors[n % 2]!.submit((length: number) => "x".repeat(length), 100_000),
  );
  for (const result of results) assertEquals((await within("a long reply", result)).length, 100_000);
  // These replies come after the long ones in the stream of events.
  for (const executor of executors) assertEquals(await executor.submit(echo, "heard"), "heard");
  const sent = await sentBytes(redis) - before;
  assert(sent > 1_000_000 && sent < 2_000_000, `${sent} bytes`);
}, ONE_HOST);

/** How much a Redis server has sent, in bytes. */
async function sentBytes(redis: Redis): Promise<number> {
  return Number(/^total_net_output_bytes:(\d+)/m.exec(await redis.info("stats"))![1]);
}

clusterTest("A host does not take a call again that it has handed back as it is busy", async (cluster) => {
  using gate = new Gate();
  const redis = cluster.redis(), { keys } = cluster, executor = cluster.executor();
  await cluster.serve({ workers: 1 });
  // They are short, so that the host takes some ahead.
  for (let n = 0; n < 20; n++) assertEquals(await within("a call", executor.submit(square, n)), n * n);
  const blocked = executor.submit(hold, gate.folder, 1), behind = executor.submit(square, 3);
  await gate.noted();
  let job = "";
  await until("the second call was taken and handed back, and any host may have it", async () => {
    const [[waits], wakes] = await Promise.all([
      redis.zrange(keys.prioritized, "0", "0"),
      redis.zscore(keys.marker, "0"),
    ]);
    job = keys.job(waits ?? "");
    return wakes !== null && await redis.hget(job, "ats") !== null;
  });
  assertEquals(await redis.hget(job, "ats"), "1", "how often it was taken");
  gate.open();
  assertEquals(await within("both", Promise.all([blocked, behind])), [1, 9]);
});

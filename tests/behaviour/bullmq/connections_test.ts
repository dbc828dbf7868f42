// Ways to reach Redis: by TLS, through Sentinel, several databases and prefixes side by side, and what is refused.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { test } from "node:test";
import { Redis } from "ioredis";
import { BrokenExecutor } from "../../../mod.ts";
import type { RedisConnection } from "../../../src/bullmq/connection.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { enter } from "../../fixtures/tasks/cluster_tasks.ts";
import { clusterTest, TestCluster } from "../../support/bullmq_cluster.ts";
import { Certificates } from "../../support/certificates.ts";
import { Gate } from "../../support/gate.ts";
import { entryCounts } from "../../support/entry_counts.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { until, within } from "../../support/until.ts";

test("BullMQExecutor and its hosts reach Redis by TLS, whose authority they are given", needsRedis, async () => {
  using certificates = new Certificates();
  await using server = await RedisServer.start({ tls: certificates });
  await using cluster = new TestCluster(server);
  // A scheme is a scheme in capitals, too: without TLS, the password would be sent in the clear.
  for (const url of [server.url, server.url.replace("rediss", "REDISS")]) {
    const connection = { url, tls: { ca: certificates.authority } };
    await using _host = await cluster.serve({ connection });
    assertEquals(await within("a call", cluster.executor({ connection }).submit(square, 3)), 9);
  }
  await cluster.host({
    runtime: otherRuntimes[0]!,
    connection: { args: ["--url", server.url, "--ca-file", certificates.ca], env: {} },
  });
  const executor = cluster.executor({ connection: { url: server.url, tls: { ca: certificates.authority } } });
  assertEquals(await within("a call", executor.submit(square, 4)), 16);
});

test("BullMQExecutor and serve() refuse at once a server whose certificate they do not trust", needsRedis, async () => {
  using certificates = new Certificates(), others = new Certificates();
  await using server = await RedisServer.start({ tls: certificates });
  await using cluster = new TestCluster(server);
  for (const tls of [undefined, { ca: others.authority }]) {
    const options = { connection: { url: server.url, tls }, connectTimeout: 1_000_000 };
    for (
      const error of await within(
        "the errors",
        Promise.all([
          cluster.executor(options).submit(square, 3).exception(),
          cluster.serve(options).catch((error) => error),
        ]),
      )
    ) {
      assert(error instanceof BrokenExecutor, String(error));
      assertMatch(error.message, /^Redis shows a certificate that is not trusted; .*'connection\.tls\.ca': \w/);
    }
  }
});

clusterTest("BullMQExecutor keeps queues of one name apart by database and by prefix", async (cluster) => {
  const places: { connection: RedisConnection; prefix?: string }[] = [
    { connection: { url: cluster.server.url } },
    { connection: { url: `${cluster.server.url}/1` } },
    { connection: { url: cluster.server.url, db: 2 } },
    { connection: { url: cluster.server.url }, prefix: "another" },
    { connection: { url: `${cluster.server.url}/1` }, prefix: "{tagged}:another" },
  ];
  using gate = new Gate();
  await Promise.all(places.map(async (place, n) => {
    const executor = cluster.executor(place);
    const future = executor.submit(enter, join(gate.folder, String(n)), n);
    await until("its call waits", async () => (await executor.cluster()).waiting === 1);
    await cluster.serve({ ...place, name: `host ${n}` });
    assertEquals(await within("its call", future), 2 * n);
    assertEquals((await executor.cluster()).hosts.map(({ name }) => name), [`host ${n}`]);
  }));
  for (const n of places.keys()) assertEquals([...entryCounts(join(gate.folder, String(n)))], [[n, 1]]);
});

test("BullMQExecutor loses nothing when Sentinel replaces the server while calls run", needsRedis, async () => {
  await using first = await RedisServer.start();
  await using second = await RedisServer.start({
    settings: ["--replicaof", `127.0.0.1 ${new URL(first.url).port}`, "--repl-diskless-sync-delay", "0"],
  });
  const other = new Redis(second.url);
  await using sentinel = await RedisServer.start({ watches: first.url });
  const watcher = new Redis(sentinel.url, { enableReadyCheck: false });
  try {
    await until("the replica is known", async () => {
      const replicas = await watcher.call("SENTINEL", "REPLICAS", "main") as string[][];
      return replicas.some((fields) => fields[fields.indexOf("master-link-status") + 1] === "ok");
    });
    const port = Number(new URL(sentinel.url).port);
    const connection = { sentinels: [{ host: "127.0.0.1", port }], name: "main" };
    await using cluster = new TestCluster(first);
    await cluster.serve({ connection, workers: 2, stalledInterval: 1500 });
    const args = ["--sentinel", `127.0.0.1:${port}`, "--sentinel-name", "main"];
    await cluster.host({ runtime: otherRuntimes[0]!, stalledInterval: 1500, connection: { args, env: {} } });
    const executor = cluster.executor({ connection });
    using gate = new Gate();
    const ledger = join(gate.folder, "ledger");
    const futures = Array.from({ length: 2_000 }, (_, n) => executor.submit(enter, ledger, n));
    await until("some are done", () => executor.stats().completed > 300);
    await first.kill();
    assert(executor.stats().completed < 2_000, "it was killed in the middle");
    assertEquals(await within("the calls", Promise.all(futures)), futures.map((_, n) => 2 * n));
    assertEquals(entryCounts(ledger).size, 2_000);
    assertMatch(await other.info("replication"), /^role:master/m);
    assertEquals((await within("cluster()", executor.cluster())).hosts.length, 2);
  } finally {
    other.disconnect();
    watcher.disconnect();
  }
});

clusterTest("BullMQExecutor and serve() refuse a Redis Cluster at once, by name", async (cluster) => {
  await cluster.redis().call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  for (const options of [{ connectTimeout: 1_000_000 }, { connectTimeout: 1_000_000, prefix: "{bull}" }]) {
    const errors = await within(
      "the errors",
      Promise.all([
        cluster.executor(options).submit(square, 3).exception(),
        cluster.executor(options).cluster().catch((error) => error),
        cluster.serve(options).catch((error) => error),
      ]),
    );
    for (const error of errors) {
      assert(error instanceof BrokenExecutor, String(error));
      assertMatch(error.message, /^Redis Cluster cannot be used, .* with Sentinel$/);
    }
  }
}, { settings: ["--cluster-enabled", "yes"] });

// Redis that cannot be given calls: they wait in the program. When it refuses them, they fail with the reason after
// `redisTimeout`; while it is away or silent, they wait.

import { assert, assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { Redis } from "ioredis";
import { BrokenExecutor } from "../../../mod.ts";
import { RedisRefusedError } from "../../../src/bullmq/errors.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { note } from "../../fixtures/tasks/gate_tasks.ts";
import { clusterTest, TestCluster } from "../../support/bullmq_cluster.ts";
import { Certificates } from "../../support/certificates.ts";
import { Gate } from "../../support/gate.ts";
import { needsRedis, type RedisOptions, RedisServer } from "../../support/redis_server.ts";
import { until, within } from "../../support/until.ts";

/** A way to have a server take no calls, and to undo it. */
interface Trouble extends RedisOptions {
  /** What the calls say. */
  readonly reason: RegExp;
  /** Whether a line of the executor says it, too: it will not pass by itself. */
  readonly told?: boolean;
  begin(cluster: TestCluster): Promise<unknown>;
  end(cluster: TestCluster): Promise<unknown>;
}

/** How many commands a server has to read again that loads its data, and how long each takes it, in microseconds. */
const COMMANDS = 30_000, LOADING = 300;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  "refuses the password": {
    reason: /: WRONGPASS /,
    told: true,
    users: ["user default on >known ~* &* +@all", "user tester on >tester ~* &* +@all"],
    async begin(cluster) {
      const redis = tester(cluster);
      await redis.acl("SETUSER", "default", "resetpass", ">another");
      await redis.call("CLIENT", "KILL", "USER", "default");
      redis.disconnect();
    },
    async end(cluster) {
      const redis = tester(cluster);
      await redis.acl("SETUSER", "default", "resetpass", ">known");
      redis.disconnect();
    },
  },
  "loads its data": {
    reason: /: it takes connections, but is not ready: it may be loading its data/,
    settings: ["--key-load-delay", String(LOADING)],
    async begin({ server }) {
      const redis = new Redis(server.url), many = redis.pipeline();
      for (let n = 0; n < COMMANDS; n++) many.set("text", n);
      await many.exec();
      redis.disconnect();
      await server.kill();
      loaded = server.restart();
      loaded.catch(() => {}); // end() tells
    },
    async end({ server }) {
      const redis = new Redis(server.url, { enableReadyCheck: false });
      redis.on("error", () => {}); // it may not even take connections
      await redis.config("SET", "key-load-delay", "0");
      redis.disconnect();
      await loaded;
    },
  },
};

/** Resolves when the server has loaded its data. */
let loaded: Promise<void> | undefined;

/** A connection of another user. */
function tester({ server }: TestCluster): Redis {
  return new Redis(server.url, { username: "tester", password: "tester" });
}

for (const [what, { reason, told, begin, end, ...options }] of Object.entries(TROUBLES)) {
  clusterTest(
    `BullMQExecutor fails its calls after redisTimeout when Redis ${what}, and none runs`,
    async (cluster) => {
      const lines: string[] = [];
      const connection = { url: cluster.server.url, password: options.users && "known" };
      const executor = cluster.executor({
        connection: { ...connection, socketTimeout: 500 },
        redisTimeout: 500,
        log: (line) => lines.push(line),
        onUnobserved() {},
      });
      using gate = new Gate();
      await within("what Redis says", executor.cluster());
      const accepted = executor.submit(note, gate.folder, "accepted");
      await until("Redis has it", async () => (await executor.cluster()).waiting === 1);
      const begun = begin(cluster);
      // Some are under way when it begins.
      const futures = Array.from({ length: 600 }, (_, n) => executor.submit(note, gate.folder, n));
      await begun;
      futures.push(...Array.from({ length: 600 }, (_, n) => executor.submit(note, gate.folder, 600 + n)));
      await within("the last call", futures.at(-1)!.exception());
      const failed = futures.filter((future) => future.done());
      for (const future of failed) {
        const error = await future.exception();
        assert(error instanceof RedisRefusedError, String(error));
        assertMatch(error.message, /^Redis has not taken the call within 500 ms: /);
        assertMatch(error.message, reason);
      }
      if (told) assertMatch(lines.join("\n"), reason);
      // As long as nothing has changed, the next one does not wait so long.
      assert(await within("another call", executor.submit(square, 3).exception()) instanceof RedisRefusedError);
      assertEquals(accepted.done(), false, "Redis has it already");

      await end(cluster);
      const others = [accepted, ...futures.filter((future) => !failed.includes(future))];
      await until("Redis has those that have not failed", async () => {
        return await executor.cluster().then(({ waiting }) => waiting === others.length, () => false);
      });
      await cluster.serve({ connection });
      await within("these", Promise.all(others));
      assertEquals(await within("a call", executor.submit(square, 3)), 9);
      assertEquals(gate.notes.length, others.length, "those that have failed have not run");
    },
    { appendOnly: true, ...options },
  );
}

/** Ways to have a server away, and to bring it back. */
const ABSENCES: Readonly<Record<string, Pick<Trouble, "begin" | "end">>> = {
  "is stopped": { begin: ({ server }) => server.stop(), end: ({ server }) => server.restart() },
  "is silent": {
    begin: ({ server }) => Promise.resolve(process.kill(server.pid!, "SIGSTOP")),
    end: ({ server }) => Promise.resolve(process.kill(server.pid!, "SIGCONT")),
  },
};

for (const [what, { begin, end }] of Object.entries(ABSENCES)) {
  clusterTest(`BullMQExecutor's calls wait while Redis ${what}, also longer than redisTimeout`, async (cluster) => {
    const connection = { ...cluster.connection, socketTimeout: 100 };
    await cluster.serve();
    const executor = cluster.executor({ connection, redisTimeout: 50 });
    assertEquals(await within("a call", executor.submit(square, 2)), 4);
    await begin(cluster);
    const futures = [3, 4].map((n) => executor.submit(square, n));
    // Ten times as long, in which it connects again and again.
    await new Promise((resolve) => setTimeout(resolve, 500));
    futures.push(executor.submit(square, 5));
    assertEquals(futures.some((future) => future.done()), false);
    await end(cluster);
    assertEquals(await within("the calls", Promise.all(futures)), [9, 16, 25]);
  }, { appendOnly: true });
}

test("BullMQExecutor fails its calls after redisTimeout when Redis shows another certificate", needsRedis, async () => {
  using certificates = new Certificates(), others = new Certificates();
  await using server = await RedisServer.start({ tls: certificates });
  await using cluster = new TestCluster(server);
  const connection = { url: server.url, tls: { ca: certificates.authority } };
  const lines: string[] = [];
  const executor = cluster.executor({ connection, redisTimeout: 500, log: (line) => lines.push(line) });
  await within("what Redis says", executor.cluster());
  const redis = new Redis(server.url, { tls: { ca: certificates.authority } });
  const show = ({ cert, key }: Certificates) => redis.call("CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key);
  await show(others);
  await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  const error = await within("the call", executor.submit(square, 3).exception());
  assert(error instanceof RedisRefusedError, String(error));
  assertMatch(error.message, /^Redis has not taken the call within 500 ms: .*(certificate|CERT|UNABLE_TO_|issuer)/i);
  assert(lines.length > 0, "a line says so");
  await show(certificates);
  redis.disconnect();
  await cluster.serve({ connection });
  await until("calls are taken again", async () => !await executor.submit(square, 3).exception());
});

test("BullMQExecutor fails its calls after redisTimeout when Sentinel knows no server", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using sentinel = await RedisServer.start({ watches: server.url });
  await using cluster = new TestCluster(server);
  const connection = { sentinels: [{ host: "127.0.0.1", port: Number(new URL(sentinel.url).port) }], name: "main" };
  const executor = cluster.executor({ connection, redisTimeout: 500, onUnobserved() {} });
  await within("what Redis says", executor.cluster());
  const watcher = new Redis(sentinel.url, { enableReadyCheck: false });
  await watcher.call("SENTINEL", "REMOVE", "main");
  const redis = cluster.redis();
  await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  const error = await within("the call", executor.submit(square, 3).exception());
  assert(error instanceof RedisRefusedError, String(error));
  assertMatch(
    error.message,
    /^Redis has not taken the call within 500 ms: All sentinels are unreachable\. .*No such master/,
  );
  await watcher.call("SENTINEL", "MONITOR", "main", "127.0.0.1", new URL(server.url).port, "1");
  watcher.disconnect();
  await cluster.serve({ connection });
  await until("calls are taken again", async () => !await executor.submit(square, 3).exception());
});

test("BullMQExecutor's calls wait while no Sentinel is there, also longer than redisTimeout", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using sentinel = await RedisServer.start({ watches: server.url });
  await using cluster = new TestCluster(server);
  const connection = { sentinels: [{ host: "127.0.0.1", port: Number(new URL(sentinel.url).port) }], name: "main" };
  await cluster.serve();
  const lines: string[] = [];
  const executor = cluster.executor({ connection, redisTimeout: 50, log: (line) => lines.push(line) });
  assertEquals(await within("a call", executor.submit(square, 2)), 4);
  await sentinel.stop();
  await cluster.redis().call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  const future = executor.submit(square, 3);
  await until("it has tried to find one", () => lines.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(future.done(), false);
  await sentinel.restart();
  assertEquals(await within("the call", future), 9);
});

test("BullMQExecutor and serve() say so when they are given a Sentinel in place of a server", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using sentinel = await RedisServer.start({ watches: server.url });
  await using cluster = new TestCluster(server);
  const options = { connection: { url: sentinel.url }, connectTimeout: 1_000_000, onUnobserved() {} };
  const errors = await within(
    "the errors",
    Promise.all([
      cluster.executor(options).submit(square, 3).exception(),
      cluster.executor(options).cluster().catch((error) => error),
      cluster.serve({ connection: options.connection, connectTimeout: 1_000_000 }).catch((error) => error),
    ]),
  );
  for (const error of errors) {
    assert(error instanceof BrokenExecutor, String(error));
    assertMatch(error.message, /^This is a Sentinel, .* 'connection\.sentinels' .* 'connection\.name'/);
  }
});

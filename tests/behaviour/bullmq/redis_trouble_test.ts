// Redis that does not do what it should: it is away, silent, full, or has lost its data. Calls wait, or fail with the reason.

import { assert, assertEquals, assertMatch, fail } from "@std/assert";
import { delay } from "@std/async";
import type { Redis } from "ioredis";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { BrokenExecutor, CancelledError } from "../../../mod.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import type { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import { JobLostError, RedisRefusedError } from "../../../src/bullmq/errors.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { until, within } from "../../support/until.ts";

clusterTest("BullMQExecutor and its hosts connect again when a connection goes silent", async (cluster) => {
  const relay = await cluster.relay();
  const connection = { url: relay.url };
  await cluster.serve({ connection });
  const executor = cluster.executor({ connection });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  relay.cut();
  assertEquals(await within("a call after the cut", executor.submit(square, 4)), 16);
});

clusterTest("BullMQExecutor gives no call up in a shutdown because its connection has gone silent", async (cluster) => {
  const relay = await cluster.relay();
  await cluster.serve({ workers: 1 });
  const executor = cluster.executor({ connection: { url: relay.url }, connectTimeout: 8000 });
  using gate = new Gate();
  const future = executor.submit(hold, gate.folder, 7);
  await gate.noted();
  relay.cut();
  const end = executor.shutdown();
  gate.open();
  assertEquals(await within("the call", future), 7);
  await within("shutdown()", end);
});

const TROUBLES: Readonly<Record<string, (cluster: TestCluster) => Promise<unknown>>> = {
  "is away": ({ server }) => server.stop(),
  "answers nothing": ({ server }) => Promise.resolve(process.kill(server.pid!, "SIGSTOP")),
};

for (const [trouble, begin] of Object.entries(TROUBLES)) {
  clusterTest(`BullMQExecutor ends in each way while Redis ${trouble}, and settles its calls`, async (cluster) => {
    const ends = ["shutdown", "cancel", "terminateWorkers", "killWorkers"] as const;
    const executors = ends.map(() => cluster.executor({ connectTimeout: 1000, onUnobserved() {} }));
    const sent = executors.map((executor) => executor.submit(square, 3));
    await within("what Redis says", Promise.all(executors.map((executor) => executor.cluster())));
    await begin(cluster);
    for (const [i, how] of ends.entries()) {
      const executor = executors[i]!;
      const unsent = executor.submit(square, 4);
      if (how === "terminateWorkers" || how === "killWorkers") executor[how]();
      await within(how, executor.shutdown({ cancelFutures: how !== "shutdown" }));
      for (const future of [sent[i]!, unsent]) {
        const error = await within("a call", future.result().catch((error) => error));
        assert(error instanceof BrokenExecutor || error instanceof CancelledError, String(error));
        if (how === "shutdown") assert(error instanceof BrokenExecutor, String(error));
      }
    }
  });

  clusterTest(`BullMQExecutor.cluster() rejects in bounded time while Redis ${trouble}`, async (cluster) => {
    const executor = cluster.executor({ connectTimeout: 500 });
    assertEquals((await within("what Redis says", executor.cluster())).waiting, 0);
    await begin(cluster);
    const error = await within("cluster()", executor.cluster().catch((error) => error));
    assert(error instanceof BrokenExecutor, String(error));
    assertEquals(error.message, "Redis has not answered for 500 ms");
  });

  clusterTest(`A host ends on SIGTERM while Redis ${trouble}`, async (cluster) => {
    const host = await cluster.host({ drainTimeout: 100 });
    const idle = await cluster.host({ drainTimeout: 100 });
    using gate = new Gate();
    const future = cluster.executor({ connectTimeout: 1000, onUnobserved() {} }).submit(hold, gate.folder, 7);
    await gate.noted();
    await begin(cluster);
    // One after the other: Bun (1.4) does not always tell of the ends of two at once, though both are gone.
    for (const one of [host, idle]) assertEquals(await one.end("SIGTERM"), 0);
    assertEquals(future.done(), false);
    gate.open();
  });
}

/** Resolves when the server has refused something with a code. */
async function refused(redis: Redis, code: string): Promise<void> {
  let info = "";
  const look = async () => {
    info = await redis.info("errorstats");
    timer = setTimeout(() => void look().catch(() => {}), 20);
  };
  let timer = setTimeout(() => void look().catch(() => {}), 0);
  try {
    await until(`Redis has said ${code}`, () => info.includes(`errorstat_${code}:`));
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when a command is refused with a code. */
async function refusedAs(redis: Redis, code: string): Promise<void> {
  let said = "";
  while (!said.startsWith(code)) said = await redis.get("nothing").then(() => "", (error: Error) => error.message);
}

/** Where a server saves its data. */
async function dataFile(redis: Redis): Promise<string> {
  const [[, folder], [, file]] = await Promise.all(
    ["dir", "dbfilename"].map((name) => redis.config("GET", name) as Promise<[string, string]>),
  ) as [[string, string], [string, string]];
  return join(folder, file);
}

/** Ways to make a server refuse calls, and to make it take them again. */
const REFUSALS: Readonly<Record<string, readonly [begin: (redis: Redis) => unknown, end: (redis: Redis) => unknown]>> =
  {
    OOM: [(redis) => redis.config("SET", "maxmemory", "1"), (redis) => redis.config("SET", "maxmemory", "0")],
    READONLY: [(redis) => redis.call("REPLICAOF", "127.0.0.1", "1"), (redis) => redis.call("REPLICAOF", "NO", "ONE")],
    NOREPLICAS: [
      (redis) => redis.config("SET", "min-replicas-to-write", "1"),
      (redis) => redis.config("SET", "min-replicas-to-write", "0"),
    ],
    MISCONF: [
      async (redis) => {
        // The file of the data cannot take the place of a folder.
        await redis.config("SET", "save", "3600 1");
        mkdirSync(await dataFile(redis));
        await redis.bgsave();
        await until("it has failed", async () => /rdb_last_bgsave_status:err/.test(await redis.info("persistence")));
      },
      async (redis) => {
        await redis.config("SET", "save", "");
        rmdirSync(await dataFile(redis));
      },
    ],
    BUSY: [
      async (redis) => {
        await redis.config("SET", "busy-reply-threshold", "1");
        const busy = redis.duplicate();
        void busy.eval("while true do end", 0).catch(() => {}).then(() => busy.disconnect());
        await refusedAs(redis, "BUSY");
      },
      (redis) => redis.call("SCRIPT", "KILL"),
    ],
    WRONGPASS: [
      async (redis) => {
        await redis.config("SET", "requirepass", "changed");
        await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      },
      (redis) => redis.config("SET", "requirepass", "known"),
    ],
  };

for (const [code, [begin, end]] of Object.entries(REFUSALS)) {
  clusterTest(`BullMQExecutor's calls wait while Redis says ${code}`, async (cluster) => {
    const redis = cluster.redis();
    const password = code === "WRONGPASS" ? "known" : undefined;
    if (password) await redis.config("SET", "requirepass", password);
    const lines: string[] = [], errors: unknown[] = [];
    const executor = cluster.executor({
      connection: { url: cluster.server.url, password },
      log: (line) => lines.push(line),
      onError: (error) => errors.push(error),
    });
    await within("what Redis says", executor.cluster());
    await begin(redis);
    const futures = Array.from({ length: 600 }, (_, n) => executor.submit(square, n));
    await until("the executor has said so", () => errors.length > 0);
    await end(redis);
    await cluster.serve({ connection: { url: cluster.server.url, password } });
    assertEquals(await within("the calls", Promise.all(futures)), futures.map((_, n) => n * n));
    if (password) await redis.config("SET", "requirepass", "");
    assertMatch(lines.join("\n"), new RegExp(`^Executor BullMQExecutor\\(test-.*\\): ${code} .*$`), "it is one line");
    assertMatch(String(errors), new RegExp(`^ReplyError: ${code} `));
  });
}

/** What servers say that are not there yet, or not any more: in front of several, a proxy passes it on. */
const SAID: Readonly<Record<string, string>> = {
  LOADING: "LOADING Redis is loading the dataset in memory",
  TRYAGAIN: "TRYAGAIN Multiple keys request during rehashing of slot",
  CLUSTERDOWN: "CLUSTERDOWN The cluster is down",
  MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
};

for (const [code, said] of Object.entries(SAID)) {
  clusterTest(`BullMQExecutor's calls and its hosts wait while Redis says ${code}`, async (cluster) => {
    const relay = await cluster.relay();
    const lines: string[] = [], errors: unknown[] = [], connection = { url: relay.url };
    const executor = cluster.executor({
      connection,
      log: (line) => lines.push(line),
      onError: (error) => errors.push(error),
    });
    const ofHost: string[] = [];
    await cluster.serve({ connection, name: "one", stalledInterval: 900, log: (line) => ofHost.push(line) });
    assertEquals(await within("a call", executor.submit(square, 3)), 9);
    relay.say(said);
    const futures = Array.from({ length: 600 }, (_, n) => executor.submit(square, n));
    // A host that waits for Redis to load says nothing: it waits for a short time.
    await until("both have said so", () => errors.length > 0 && (ofHost.length > 0 || code === "LOADING"));
    await relay.said(10);
    assertEquals(futures.some((future) => future.done()), false);
    relay.say(undefined);
    assertEquals(await within("the calls", Promise.all(futures)), futures.map((_, n) => n * n));
    assertMatch(lines.join("\n"), new RegExp(`^Executor .*: ${code} .*$`));
    assertMatch(ofHost.join("\n"), code === "LOADING" ? /^$/ : new RegExp(`^Host one: ${code} .*$`));
  });
}

clusterTest("BullMQExecutor takes no job for lost that Redis does not tell of", async (cluster) => {
  const relay = await cluster.relay();
  await cluster.serve();
  const executor = cluster.executor({ connection: { url: relay.url }, log() {} });
  using gate = new Gate();
  const call = executor.with({ retries: 0 }).submit(hold, gate.folder, 7);
  await gate.noted();
  relay.say("NOAUTH Authentication required.");
  await relay.said(60); // it reads the stream every 100 ms, and looks for jobs every two seconds
  relay.say(undefined);
  const monitor = await cluster.redis().monitor();
  let looks = 0;
  monitor.on("monitor", (_time: string, [command]: string[]) => looks += command!.toLowerCase() === "hmget" ? 1 : 0);
  await until("it has looked for the job twice, or does not wait for it any more", () => looks > 1 || call.done());
  monitor.disconnect();
  gate.open();
  assertEquals(await within("the call", call), 7);
  assertEquals(gate.notes.length, 1);
});

clusterTest(
  "BullMQExecutor adds the calls that a full Redis did not take, but for those cancelled meanwhile",
  async (cluster) => {
    await cluster.serve();
    const lines: string[] = [];
    const executor = cluster.executor({ log: (line) => lines.push(line) });
    assertEquals(await executor.submit(square, 1), 1);
    using gate = new Gate();
    const redis = cluster.redis();
    await redis.config("SET", "maxmemory", 1);
    const cancelled = executor.submit(note, gate.folder, "cancelled");
    const kept = executor.with({ retries: 0 }).submit(square, 3);
    await until("Redis has refused them", () => lines.length > 0);
    assert(cancelled.cancel());
    await redis.config("SET", "maxmemory", 0);
    assertEquals(await within("the other call", kept), 9);
    assertEquals(await within("a later call", executor.submit(square, 4)), 16);
    assertEquals(gate.notes, []);
  },
);

type HoldText = (folder: string, text: string) => Promise<string>;

for (const [what, text] of Object.entries({ short: "x", long: "x".repeat(20_000) })) {
  clusterTest(`A host keeps the ${what} result of a call until a full Redis takes it`, async (cluster) => {
    const lines: string[] = [];
    await cluster.serve({ log: (line) => lines.push(line) });
    const executor = cluster.executor();
    using gate = new Gate();
    const call = executor.with({ retries: 0 }).submit(hold as unknown as HoldText, gate.folder, text);
    await gate.noted();
    const redis = cluster.redis();
    await redis.config("SET", "maxmemory", 1);
    gate.open();
    await until("Redis has refused the result", () => lines.length > 0);
    await redis.config("SET", "maxmemory", 0);
    assertEquals(await within("the call", call), text);
    assertEquals(gate.notes.length, 1);
  });
}

clusterTest("BullMQExecutor fails the calls that a full Redis did not take, and no others", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor({ redisTimeout: 200, onUnobserved() {} });
  using gate = new Gate();
  await within("what Redis says", executor.cluster());
  const used = /used_memory:(\d+)/.exec(await redis.info("memory"))![1]!;
  await redis.config("SET", "maxmemory", String(Number(used) + 2 ** 20));
  const text = "x".repeat(10_000);
  const futures = Array.from({ length: 400 }, (_, n) => executor.submit(note, gate.folder, `${n} ${text}`));
  await refused(redis, "OOM");
  const failed = () => futures.filter((future) => future.done()).length;
  await until("some calls have failed", () => failed() > 0);
  await redis.config("SET", "maxmemory", "0");
  await cluster.serve();
  const errors = await within("the calls", Promise.all(futures.map((future) => future.exception())));
  const run = gate.notes.map((line) => Number(line.split(" ")[0])).sort((a, b) => a - b);
  assertEquals(run, errors.flatMap((error, n) => error ? [] : [n]), "those that have not failed have run once");
  assert(run.length > 0 && run.length < futures.length, `${run.length} have run`);
  for (const error of errors) {
    if (!error) continue;
    assert(error instanceof RedisRefusedError, String(error));
    assertEquals(String(error.cause).includes("OOM"), true);
  }
});

/** Resolves when so many calls wait in Redis. */
async function waiting(executor: BullMQExecutor, count: number): Promise<void> {
  const look = async () => {
    while ((await executor.cluster()).waiting !== count) await delay(5);
  };
  await within("until the calls are in Redis", look());
}

/** The keys of the jobs of calls. */
const jobsOf = ({ keys }: TestCluster, redis: Redis) => redis.keys(keys.job("*-*-*-*-*-*"));

const LOSSES: Readonly<Record<string, (cluster: TestCluster, redis: Redis) => Promise<unknown>>> = {
  "drops its data": (_, redis) => redis.flushall(),
  "starts anew without them": async ({ server }) => {
    await server.kill();
    await server.restart();
  },
  "evicts half of them": async (cluster, redis) => {
    await redis.del(...(await jobsOf(cluster, redis)).filter((_, n) => n % 2 === 0));
  },
};

for (const [loss, lose] of Object.entries(LOSSES)) {
  clusterTest(`BullMQExecutor adds its calls again when Redis ${loss}`, async (cluster) => {
    const redis = cluster.redis(), executor = cluster.executor();
    const futures = Array.from({ length: 250 }, (_, n) => executor.submit(square, n));
    await waiting(executor, futures.length);
    await lose(cluster, redis);
    const look = async () => {
      while ((await jobsOf(cluster, redis)).length !== futures.length) await delay(20);
    };
    await within("until the calls are in Redis again", look());
    const last = executor.submit(square, 1000);
    await cluster.serve();
    assertEquals(await within("the calls", Promise.all(futures)), futures.map((_, n) => n * n));
    assertEquals(await within("a call", last), 1_000_000);
  });

  clusterTest(`BullMQExecutor says so when Redis ${loss} and a call must not run twice`, async (cluster) => {
    let unobserved = 0;
    const redis = cluster.redis(), executor = cluster.executor({ onUnobserved: ({ count }) => unobserved = count });
    const once = executor.with({ retries: 0 });
    const futures = Array.from({ length: 4 }, (_, n) => once.submit(square, n));
    await waiting(executor, futures.length);
    await lose(cluster, redis);
    const count = loss === "evicts half of them" ? 2 : 4;
    const failed = () => futures.filter((future) => future.done());
    await until("they have failed", () => failed().length === count);
    assertEquals(failed().some((future) => future.cancelled()), false);
    assert(await failed()[0]!.exception() instanceof JobLostError);
    await within("shutdown()", executor.shutdown({ cancelFutures: true }));
    assertEquals(unobserved, count - 1);
  });
}

clusterTest("A host leaves alone the jobs that Redis has lost, and says so once", async (cluster) => {
  const redis = cluster.redis(), lines: string[] = [];
  const executor = cluster.executor({ log() {} }), once = executor.with({ retries: 0 });
  const futures = Array.from({ length: 30 }, (_, n) => executor.submit(square, n));
  const lost = once.submit(square, 3);
  await waiting(executor, 31);
  await redis.del(...await jobsOf(cluster, redis)); // while their ids still wait
  await cluster.serve({ log: (line) => lines.push(line) });
  assertEquals(await within("the calls", Promise.all(futures)), futures.map((_, n) => n * n));
  assert(await within("a call that must not run twice", lost.exception()) instanceof JobLostError);
  assertMatch(lines.join("\n"), /^Host .*: Redis has lost jobs of calls; .*$/, "it is one line");
  assertEquals((await executor.cluster()).running, 0);
});

clusterTest("A host says once that Redis has lost the jobs that ran there, which run again", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor({ log() {} }), lines: string[] = [];
  await cluster.serve({ workers: 4, log: (line) => lines.push(line) });
  using gate = new Gate();
  const futures = Array.from({ length: 4 }, (_, n) => executor.submit(hold, gate.folder, n));
  await gate.noted(4);
  await redis.del(...await jobsOf(cluster, redis));
  gate.open();
  assertEquals(await within("the calls", Promise.all(futures)), [0, 1, 2, 3]);
  assertMatch(lines.join("\n"), /^Host .*: Redis has lost jobs of calls; .*$/, "it is one line");
});

clusterTest("BullMQExecutor reads the events to their end before a job counts as lost", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  // The clock of Redis was ahead when the executor began to read, and is put back.
  await redis.xadd(keys.events, "99999999999999-0", "event", "noise");
  const executor = cluster.executor();
  const future = executor.with({ retries: 0 }).submit(square, 3);
  await waiting(executor, 1);
  await redis.del(keys.events);
  const [id] = await redis.zrange(keys.job("prioritized"), "0", "-1");
  await redis.multi().del(keys.job(id!))
    .xadd(keys.events, "*", "event", "completed", "jobId", id!, "returnvalue", JSON.stringify({ ok: "[9]" })).exec();
  assertEquals(await within("the call", future), 9);
});

clusterTest("A call is lost when Redis loses its long result before the executor has read that", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  const executor = cluster.executor({ log() {} });
  const again = executor.submit(square, 3), once = executor.with({ retries: 0 }).submit(square, 4);
  await waiting(executor, 2);
  for (const id of await redis.zrange(keys.prioritized, "0", "-1")) {
    await redis.multi().del(keys.job(id)).zrem(keys.prioritized, id)
      .xadd(keys.events, "*", "event", "completed", "jobId", id, "returnvalue", JSON.stringify({ stored: true }))
      .exec();
  }
  const error = await within("the call that must not run twice", once.exception());
  assert(error instanceof JobLostError, String(error));
  await cluster.serve();
  assertEquals(await within("the other call", again), 9);
});

clusterTest("A host says once that Redis is full, and goes on when it is not", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor();
  const future = executor.submit(square, 3);
  await waiting(executor, 1);
  await redis.config("SET", "maxmemory", "1");
  const lines: string[] = [];
  await cluster.serve({ name: "one", log: (line) => lines.push(line), onError: () => fail("as hooks may") });
  const refusals = async () => Number(/errorstat_OOM:count=(\d+)/.exec(await redis.info("errorstats"))?.[1] ?? 0);
  const many = async () => {
    for (const before = await refusals(); await refusals() < before + 10;) await delay(20);
  };
  await within("refusals", many());
  await redis.config("SET", "maxmemory", "0");
  assertEquals(await within("the call", future), 9);
  assertMatch(lines.join("\n"), /^Host one: OOM .*$/, "it is one line");
});

clusterTest("BullMQExecutor says why it cannot use Redis", async (cluster) => {
  const redis = cluster.redis();
  await redis.set(cluster.keys.events, "no stream");
  assertMatch(
    String(await cluster.executor().submit(square, 3).exception()),
    /^BrokenExecutor: Redis cannot be used: WRONGTYPE/,
  );
  await redis.config("SET", "requirepass", "something");
  const refused = await cluster.executor().submit(square, 3).exception();
  assertMatch(String(refused), /^BrokenExecutor: Redis (refuses the connection|cannot be used): NOAUTH/);
  const nowhere = cluster.executor({ connection: { url: "redis://127.0.0.1:1" }, connectTimeout: 200 });
  assertMatch(
    String(await nowhere.submit(square, 3).exception()),
    /^BrokenExecutor: Redis cannot be reached: .*ECONNREFUSED/,
  );
  await redis.config("SET", "requirepass", "");
});

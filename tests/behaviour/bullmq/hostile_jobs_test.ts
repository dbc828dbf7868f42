// Jobs that no executor has made, put into the queue by hand: none is run, none harms the host, all are answered.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Job, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import { CancelledError, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "../../../mod.ts";
import { BullMQExecutor, serve } from "../../../src/bullmq/mod.ts";
import { Cluster } from "../../support/bullmq_host.ts";
import { MODULES } from "../../support/bullmq_tasks.ts";
import { COSTLY } from "../../support/costly_texts.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { until, within } from "../../support/until.ts";

/** A call as an executor makes it, for variations. */
const CALL = { futures: 1, module: "arithmetic", name: "square", args: "[[1],3]", redeliveries: 3 };

const deep = "[".repeat(100_000) + "]".repeat(100_000);

/** What is in a job. `touch` is source that would make a file. */
function hostile(touch: string): unknown[] {
  return [
    ...[null, 42, "text", [], {}, [CALL], { ...CALL, futures: 2 }],
    JSON.parse('{ "__proto__": { "futures": 1 }, "module": "arithmetic", "name": "square", "args": "[]" }'),
    ...["__proto__", "constructor", "prototype", "", "no such", "../arithmetic", "node:fs", touch]
      .map((module) => ({ ...CALL, module })),
    { ...CALL, module: "file:///etc/passwd", name: "default" },
    ...["__proto__", "constructor", "hasOwnProperty", "toString", "then", "", "no such", "default", touch]
      .map((name) => ({ ...CALL, name })),
    ...[null, 1, {}, [], "", "{", "null", "3", '"text"', "[0]", "[[1],99]", "[[-1]]", '[["__proto__"]]', deep, touch]
      .map((args) => ({ ...CALL, args })),
    ...[
      '[["Error",1],{"class":"constructor","message":2}]',
      '[{"__proto__":1},[]]',
      '[["Map",1,1]]',
      '[["RegExp","(","g"]]',
      '[["Date","never"]]',
      '[["BigInt","1".repeat(9)]]',
      '[["Uint8Array",1],"!!!"]',
      '[["Function",1],"return 1"]',
      '[["Object",1]]',
    ].map((args) => ({ ...CALL, args })),
    { ...CALL, module: { toString: "arithmetic" } },
    { ...CALL, redeliveries: -1 },
    { ...CALL, redeliveries: "many" },
    { ...CALL, timeout: "soon" },
    { ...CALL, timeout: -5 },
    { ...CALL, retries: {} },
    { ...CALL, owner: { length: 1 } },
    { ...CALL, owner: "a\r\nFLUSHALL\r\n" },
    { ...CALL, fn: touch, source: touch, kind: "source", code: touch },
  ];
}

test("a host survives hostile jobs, runs none of them and answers each", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await cluster.host({ runtime: otherRuntimes[0]! });
  using gate = new Gate();
  const touched = join(gate.folder, "touched");
  const touch = `(() => process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(touched)}, ""))()`;
  const connection = { url: server.url };
  const queue = new Queue(cluster.queue, { connection });
  const events = new QueueEvents(cluster.queue, { connection, lastEventId: "0-0" });
  try {
    await events.waitUntilReady();
    queue.setMaxListeners(0); // each job that is waited for has one
    const bodies = hostile(touch);
    const names = ["__proto__", touch, "", "arithmetic.square"];
    const jobs: Job[] = [];
    for (const [n, data] of bodies.entries()) {
      jobs.push(await queue.add(names[n % names.length]!, data, { jobId: `hostile-${n}` }));
    }
    const outcomes = await within(
      "the hostile jobs",
      Promise.all(jobs.map((job) => job.waitUntilFinished(events).then(JSON.stringify, (error) => String(error)))),
    );
    for (const [n, outcome] of outcomes.entries()) {
      // Only the last is a call, with things in it that nobody looks at; those with a negative number may count as one, too.
      if (n < bodies.length - 1 && /"ok"/.test(outcome!)) {
        assert.match(JSON.stringify(bodies[n]), /"owner"|redeliveries/, `${n} was run: ${outcome}`);
      }
    }
    assert.equal(existsSync(touched), false, "source was evaluated");
    const executor = cluster.executor();
    assert.equal(await within("a good call", executor.submit(square, 3)), 9);
    const { hosts, waiting, running } = await executor.cluster();
    assert.deepEqual([hosts.length, waiting, running], [1, 0, 0]);
  } finally {
    await Promise.all([queue.close(), events.close()]);
  }
});

test("BullMQExecutor survives hostile answers, and says that they are", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  const executor = cluster.executor();
  const wrong = [
    ...[undefined, null, 42, "text", "{", [], {}, { ok: 1 }, { ok: "{" }, { ok: deep }],
    ...[{ failure: "{", by: "task" }, { failure: "[1]" }, { stored: true }],
    JSON.parse('{ "__proto__": { "ok": "[1]" } }'),
  ];
  // Of these something may come out, which is a value like any other.
  const odd = [{ ok: "[[1],99]" }, { ok: '[["Error",1],{}]' }, { failure: "[1]", by: "host" }];
  const answers = [...wrong, ...odd];
  let next = 0;
  const worker = new Worker(cluster.queue, () => Promise.resolve(answers[next++]), { connection: { url: server.url } });
  worker.on("error", () => {});
  try {
    for (const [n] of answers.entries()) {
      const error = await within(`answer ${n}`, executor.submit(square, n).exception());
      if (n < wrong.length) assert.ok(error instanceof Error, `answer ${n}: ${String(error)}`);
    }
    assert.equal(({} as { ok?: unknown }).ok, undefined);
  } finally {
    await worker.close();
  }
});

/** Of a module that no host has. */
const { missing } = taskModule<{ missing(): void }>(new URL("file:///nowhere.ts"), { name: "nowhere" });

/** How long this program was held up at most while `fn` ran, in milliseconds. */
async function longestPause(fn: () => Promise<void>): Promise<number> {
  let longest = 0, before = performance.now();
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  };
  const timer = setInterval(tick, 10);
  try {
    await fn();
  } finally {
    clearInterval(timer);
    tick();
  }
  return longest;
}

/** All of these together take some tens of milliseconds, but for a machine that does other things as well. */
const LONGEST_PAUSE = 5000;

for (const Executor of [ThreadPoolExecutor, ProcessPoolExecutor]) {
  test(
    `a host with a ${Executor.name} answers jobs that would take hours if it believed them`,
    needsRedis,
    async () => {
      await using server = await RedisServer.start();
      await using cluster = new Cluster(server);
      await using local = new Executor({ maxWorkers: 1 });
      const where = { queue: cluster.queue, connection: { url: server.url } };
      await using _host = await serve({ ...where, tasks: MODULES, executor: local, workers: 1 });
      const queue = new Queue(cluster.queue, where), events = new QueueEvents(cluster.queue, where);
      const executor = cluster.executor();
      try {
        await events.waitUntilReady();
        assert.equal(await executor.submit(square, 3), 9);
        for (const [what, args] of Object.entries(COSTLY)) {
          const call = { ...CALL, module: "cluster_tasks", name: "echo", args };
          const pause = await longestPause(async () => {
            const job = await queue.add("costly", call);
            const reply = await within(what, job.waitUntilFinished(events));
            assert.match(JSON.stringify(reply), /malformed arguments/, what);
          });
          assert.ok(pause < LONGEST_PAUSE, `${what}: ${pause} ms`);
        }
        assert.equal(await within("a good call", executor.submit(square, 3)), 9);
        assert.equal(local.stats().lost, 0);
      } finally {
        await Promise.all([queue.close(), events.close()]);
      }
    },
  );
}

test("BullMQExecutor takes replies that would take hours if it believed them", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  const executor = cluster.executor();
  const replies = Object.values(COSTLY).flatMap((
    text,
  ) => [{ ok: text }, ...["task", "host"].map((by) => ({ failure: text, by }))]);
  let next = 0;
  const worker = new Worker(cluster.queue, () => Promise.resolve(replies[next++]), { connection: { url: server.url } });
  worker.on("error", () => {});
  try {
    for (const reply of replies) {
      const pause = await longestPause(async () => {
        const error = await within("a reply", executor.submit(square, 3).exception());
        assert.match(String(error), /malformed reply/);
      });
      assert.ok(pause < LONGEST_PAUSE, `${JSON.stringify(reply).slice(0, 200)}: ${pause} ms`);
    }
  } finally {
    await worker.close();
  }
});

/** A connection of the test's own. */
function connect(server: RedisServer): Redis & AsyncDisposable {
  const redis = new Redis(server.url);
  return Object.assign(redis, { [Symbol.asyncDispose]: async () => void await redis.quit() });
}

test("a host and executors live with anything in place of what hosts say", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await using redis = connect(server);
  await using host = await serve({
    queue: cluster.queue,
    connection: { url: server.url },
    tasks: MODULES,
    name: "good",
  });
  const executor = cluster.executor(), base = `bull:${cluster.queue}:futures`;
  const good = host.stats();
  const records = [
    ...["", "{", "null", "[]", "3", `{"name":"x"}`, "[".repeat(100_000)],
    ...[{ ...good, tasks: [1] }, { ...good, tasks: { length: 2 ** 32 } }, { ...good, name: "x".repeat(100_000) }]
      .map((record) => JSON.stringify(record)),
    ...[{ ...good, workers: "many" }, { ...good, running: -1 }, { ...good, rate: null }, { ...good, completed: [[[]]] }]
      .map((record) => JSON.stringify(record)),
  ];
  for (const [n, record] of records.entries()) await redis.set(`${base}:host:bad-${n}`, record);
  await redis.rpush(`${base}:host:bad-list`, "a list");
  await redis.sadd(
    `${base}:hosts`,
    "bad-list",
    "gone",
    "a:b",
    "x".repeat(100_000),
    ...records.map((_, n) => `bad-${n}`),
  );
  const { hosts, workers } = await within("cluster()", executor.cluster());
  assert.deepEqual([hosts.map(({ name }) => name), workers], [["good"], good.workers]);
  assert.equal(await redis.scard(`${base}:hosts`), 1, "what is no host's is taken from the list");
  // One more thing than is known is not taken over.
  await redis.set(`${base}:host:odd`, JSON.stringify({ ...good, name: "odd", more: 1 }));
  await redis.sadd(`${base}:hosts`, "odd");
  const odd = (await within("cluster()", executor.cluster())).hosts.find(({ name }) => name === "odd");
  assert.deepEqual({ ...odd, name: "good" }, good);

  // Where there is no list of hosts, an unknown task is an error nevertheless.
  await redis.del(`${base}:hosts`);
  await redis.set(`${base}:hosts`, "no set");
  const error = await within("an unknown task", executor.submit(missing).exception());
  assert.match(String(error), /^TypeError: Cannot find the task 'missing' as there is no module 'nowhere'/);
  assert.equal(await within("a good call", executor.submit(square, 3)), 9);
});

test("a host lives with anything in place of stops", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await using redis = connect(server);
  await using _host = await serve({ queue: cluster.queue, connection: { url: server.url }, tasks: MODULES });
  const executor = cluster.executor(), stops = `bull:${cluster.queue}:futures:stops`;
  for (const fields of [["", ""], ["job", ""], ["job", "__proto__"], ["jobs", "x"], ["job", "x".repeat(1_000_000)]]) {
    await redis.xadd(stops, "*", ...fields);
  }
  const many = redis.pipeline();
  for (let n = 0; n < 30_000; n++) many.xadd(stops, "*", "job", `nobody-${n}`);
  await many.exec();
  assert.equal(await within("a good call", executor.submit(square, 3)), 9);
  await redis.del(stops);
  await redis.set(stops, "no stream");
  assert.equal(await within("a good call", executor.submit(square, 4)), 16);
});

test("a host lives with anything in place of jobs", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await using redis = connect(server);
  const queue = new Queue(cluster.queue, { connection: { url: server.url } });
  const fields: Record<string, string>[] = [
    ...["{", "null", "3", '""', "[]", "[".repeat(100_000)].map((data) => ({ data })),
    { rjk: "daily", opts: '{"repeat":{"pattern":"0 0 30 2 *"}}' },
    { rjk: "a:b:1::0 0 30 2 *", opts: '{"repeat":{"pattern":"0 0 30 2 *"}}' },
    { opts: '{"repeatJobKey":"daily","repeat":{"every":1}}' },
    { opts: '{"__proto__":{"removeOnComplete":true},"removeOnComplete":{"age":{},"count":"x"},"removeOnFail":"x"}' },
    { opts: '{"removeOnComplete":[[[]]],"attempts":1e9,"backoff":{"type":"__proto__","delay":-1},"parent":5}' },
    { opts: '{"parent":{"id":{},"queue":[]},"fpof":true,"de":{"id":{}},"tm":{},"kl":"x","delay":"x","priority":[]}' },
    { defa: "has failed already" },
    { stacktrace: "{", returnvalue: "{", failedReason: "{", parentKey: "x:y", deid: "x" },
    { atm: "-5", attemptsMade: "1e9", timestamp: "x", delay: "x", priority: "x" },
    { stc: "x" },
    { processedOn: "x", finishedOn: "x", pb: "x".repeat(100_000), name: "__proto__" },
  ];
  const args = '[[1],"text"]';
  try {
    for (const [n, changed] of fields.entries()) {
      const job = await queue.add("odd", { ...CALL, module: "cluster_tasks", name: "echo", args }, {
        jobId: `odd-${n}`,
      });
      await redis.hset(`bull:${cluster.queue}:${job.id}`, changed);
    }
    await reportsOf(async () => {
      const where = { queue: cluster.queue, connection: { url: server.url } };
      await using _host = await serve({ ...where, tasks: MODULES, workers: 1 });
      const executor = cluster.executor();
      for (const [n, changed] of fields.entries()) {
        const key = `bull:${cluster.queue}:odd-${n}`;
        const reply = await within(JSON.stringify(changed), answered(redis, key));
        assert.match(reply, "data" in changed ? /is no call of an executor/ : /^\{"ok":"\[\\"text\\"\]"\}$/, key);
      }
      // BullMQ itself cannot begin this one, and tries again when its lock has run out.
      const job = await queue.add("odd", CALL, { jobId: "odd" });
      await redis.hset(`bull:${cluster.queue}:${job.id}`, { ats: "x" });
      assert.equal(await within("a good call", executor.submit(square, 3)), 9);
    });
  } finally {
    await queue.close();
  }
});

/** What a job has returned, when it has. */
async function answered(redis: Redis, key: string): Promise<string> {
  for (;;) {
    const reply = await redis.hget(key, "returnvalue");
    if (reply && reply !== "{") return reply;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("BullMQExecutor lives with anything in place of replies and jobs", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await using redis = connect(server);
  const executor = cluster.executor();
  const keep: ((key: string) => Promise<unknown>)[] = [
    async () => {},
    (key) => redis.rpush(key, "a list"),
    (key) => redis.set(key, ""),
    (key) => redis.set(key, '{"stored":true}'),
    (key) => redis.set(key, '{"ok":1}'),
    (key) => redis.set(key, `{"ok":"[1]"${" ".repeat(60_000_000)}}`),
  ];
  let next = 0;
  const worker = new Worker(cluster.queue, async (job) => {
    await keep[next++]!(`bull:${cluster.queue}:futures:reply:${job.id}`);
    return { stored: true };
  }, { connection: { url: server.url } });
  try {
    for (const n of keep.keys()) {
      const error = await within(`reply ${n}`, executor.submit(square, n).exception());
      assert.match(String(error), /nothing that a host of ours would say/);
    }
  } finally {
    await worker.close();
  }
  const lost = executor.submit(square, 3), waiting = executor.submit(square, 4);
  let jobs: string[] = [];
  await until("both calls are in Redis", () => {
    void redis.zrange(`bull:${cluster.queue}:prioritized`, "0", "-1").then((ids) => jobs = ids);
    return jobs.length === 2;
  });
  await redis.del(`bull:${cluster.queue}:${jobs[0]}`);
  await redis.rpush(`bull:${cluster.queue}:${jobs[0]}`, "no job");
  assert.ok(await within("the lost call", lost.exception().catch((error) => error)) instanceof CancelledError);
  assert.equal(waiting.done(), false);
});

test("BullMQExecutor.submit() refuses what has no registered name, whatever it is", () => {
  const executor = new BullMQExecutor({ queue: "nowhere" });
  // deno-lint-ignore no-explicit-any
  for (const bad of [() => 1, function named() {}, Math.max, class {}, "source", null, square] as any[]) {
    assert.throws(() => executor.submit(bad), TypeError);
    assert.throws(() => executor.map(bad, [1]), TypeError);
  }
});

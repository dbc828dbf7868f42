// Jobs that no executor has made, put into the queue by hand: none is run, none harms the host, each is answered.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "bullmq";
import type { Redis } from "ioredis";
import { ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "../../../mod.ts";
import { readReply } from "../../../src/bullmq/protocol.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { anyJob, sample } from "../../support/bullmq_arbitraries.ts";
import { COSTLY } from "../../support/costly_texts.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { DEEP, LONGEST_PAUSE, longestPause } from "../../support/pause.ts";
import { runtime } from "../../support/runtime.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { within } from "../../support/until.ts";

/** A call as an executor makes it, for variations. */
const CALL = { futures: 1, module: "arithmetic", name: "square", args: "[[1],3]", redeliveries: 3 };

/** Data of jobs. `touch` is source that would make a file. */
function hostile(touch: string): unknown[] {
  return [
    ...[null, 42, "text", [], {}, [CALL], { ...CALL, futures: 2 }],
    JSON.parse('{ "__proto__": { "futures": 1 }, "module": "arithmetic", "name": "square", "args": "[]" }'),
    ...["__proto__", "constructor", "prototype", "", "no such", "../arithmetic", "node:fs", touch]
      .map((module) => ({ ...CALL, module })),
    { ...CALL, module: "file:///etc/passwd", name: "default" },
    ...["__proto__", "constructor", "hasOwnProperty", "toString", "then", "", "no such", "default", touch]
      .map((name) => ({ ...CALL, name })),
    ...[null, 1, {}, [], "", "{", "null", "3", '"text"', "[0]", "[[1],99]", "[[-1]]", '[["__proto__"]]', DEEP, touch]
      .map((args) => ({ ...CALL, args })),
    // Chunks.
    ...[
      ...[[], [1], [null], [["[[1],3]"]], ["[[1],3]", 3], ["[[1],3]", "{"], ["[[1],3]", "[[]]"], ["[[]]", "[[]]"]],
      ...[["[[1],3]", "[[1,1],3]"], Array(10_001).fill("[[1],3]"), { length: 1, 0: "[[1],3]" }],
    ].map((args) => ({ ...CALL, args })),
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
    { ...CALL, redeliveries: undefined },
    { ...CALL, redeliveries: "many" },
    { ...CALL, timeout: "soon" },
    { ...CALL, timeout: -5 },
    { ...CALL, retries: {} },
    { ...CALL, owner: { length: 1 } },
    { ...CALL, owner: "a\r\nFLUSHALL\r\n" },
    { ...CALL, fn: touch, source: touch, kind: "source", code: touch },
  ];
}

clusterTest("A host runs no hostile job, and answers each", async (cluster) => {
  using gate = new Gate();
  const touched = join(gate.folder, "touched");
  const touch = `(() => process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(touched)}, ""))()`;
  const queue = await cluster.jobs();
  const bodies = hostile(touch);
  const names = ["__proto__", touch, "", "arithmetic.square"];
  const jobs: Job[] = [];
  for (const [n, data] of bodies.entries()) {
    jobs.push(await queue.add(names[n % names.length]!, data, { jobId: `hostile-${n}` }));
  }
  const outcomes = await within(
    "the hostile jobs",
    Promise.all(jobs.map((job) => queue.replyTo(job).then(JSON.stringify, (error) => String(error)))),
  );
  for (const [n, outcome] of outcomes.entries()) {
    // Only the last is a call, with fields that nobody reads; those with a negative number may count as one, too.
    if (n < bodies.length - 1 && /"ok"/.test(outcome!)) {
      assertMatch(JSON.stringify(bodies[n]), /"owner"|redeliveries/, `${n} was run: ${outcome}`);
    }
  }
  assertEquals(existsSync(touched), false, "source was evaluated");
  const executor = cluster.executor();
  assertEquals(await within("a good call", executor.submit(square, 3)), 9);
  const { hosts, waiting, running } = await executor.cluster();
  assertEquals([hosts.length, waiting, running], [1, 0, 0]);
}, { hosts: [{ runtime: otherRuntimes[0]! }] });

for (const Executor of [ThreadPoolExecutor, ProcessPoolExecutor]) {
  clusterTest(
    `A host with a ${Executor.name} answers jobs that would take hours if it believed them`,
    async (cluster) => {
      await using local = new Executor({ maxWorkers: 1 });
      await cluster.serve({ executor: local, workers: 1 });
      const queue = await cluster.jobs();
      const executor = cluster.executor();
      assertEquals(await executor.submit(square, 3), 9);
      for (const [what, args] of Object.entries(COSTLY)) {
        const call = { ...CALL, module: "cluster_tasks", name: "echo", args };
        const pause = await longestPause(async () => {
          const reply = await within(what, queue.replyTo(await queue.add("costly", call)));
          assertMatch(JSON.stringify(reply), /malformed arguments/, what);
          const chunk = { ...call, args: ["[[1],3]", args] };
          assertMatch(JSON.stringify(await within(what, queue.replyTo(await queue.add("costly", chunk)))), /malformed/);
        });
        assert(pause < LONGEST_PAUSE, `${what}: ${pause} ms`);
      }
      assertEquals(await within("a good call", executor.submit(square, 3)), 9);
      assertEquals(local.stats().lost, 0);
    },
  );
}

clusterTest("A host with threads answers random jobs, and goes on", async (cluster) => {
  await using local = new ThreadPoolExecutor({ maxWorkers: 2 });
  await cluster.serve({ executor: local, workers: 2 });
  const queue = await cluster.jobs();
  const { texts, repeat } = sample(anyJob);
  const jobs = await Promise.all(texts.map((text) => queue.add("any", JSON.parse(text))));
  const replies = await within(repeat, Promise.all(jobs.map((job) => queue.replyTo(job))));
  for (const [n, reply] of replies.entries()) assert(readReply(reply), `${repeat}: ${texts[n]}`);
  assertEquals(await within(repeat, cluster.executor().submit(square, 3)), 9);
});

clusterTest("A host looks at the length of arguments before it reads them", async (cluster) => {
  const queue = await cluster.jobs(), redis = cluster.redis(), executor = cluster.executor();
  const host = await cluster.serve({ workers: 1 });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  const call = JSON.stringify({ ...CALL, module: "cluster_tasks", name: "echo", args: "ARGS" });
  // What would fit nobody: its quotes are escaped, as JSON in JSON has them.
  const data = call.replace("ARGS", `[[1],\\"${"x".repeat(200 * 2 ** 20)}\\"]`);
  await using read = longestParsed();
  const job = await queue.add("long", {}, { jobId: "long", delay: 3_600_000 });
  await redis.hset(cluster.keys.job("long"), "data", data);
  const replied = queue.replyTo(job);
  await job.promote();
  assertMatch(JSON.stringify(await within("its reply", replied)), /is no call of an executor/);
  assert(read.longest < 100_000, `${read.longest} characters were read`);
  // A text that is longer than the host takes, and that it has to read to know, is refused before it becomes values.
  const long = { ...CALL, module: "cluster_tasks", name: "echo", args: `[[1],"${"x".repeat(17 * 2 ** 20)}"]` };
  const reply = JSON.stringify(await within("its reply", queue.replyTo(await queue.add("long", long))));
  assertMatch(reply, /malformed arguments.*characters, more than 16777216/);
  assertEquals(await within("a good call", executor.submit(square, 4)), 16);
  assertEquals(host.stats().failed, 2);
});

/** Notes the longest text that this program reads as JSON. */
function longestParsed(): { longest: number } & AsyncDisposable {
  const { parse } = JSON;
  const noted = {
    longest: 0,
    [Symbol.asyncDispose]: () => {
      JSON.parse = parse;
      return Promise.resolve();
    },
  };
  JSON.parse = (text, reviver) => {
    noted.longest = Math.max(noted.longest, String(text).length);
    return parse(text, reviver);
  };
  return noted;
}

clusterTest("A job without a number of redeliveries is no call, and costs no host", async (cluster) => {
  using gate = new Gate();
  const queue = await cluster.jobs(), host = await cluster.host({ runtime });
  const deadly = { ...CALL, module: "cluster_tasks", name: "killHost", args: JSON.stringify([[1], gate.folder]) };
  for (const redeliveries of [undefined, null, "3", 1.5, -1, 1e300, [3], true]) {
    const job = await queue.add("deadly", { ...deadly, redeliveries });
    const reply = JSON.stringify(await within(`the job with ${redeliveries}`, queue.replyTo(job)));
    assertMatch(reply, /is no call of an executor/, String(redeliveries));
  }
  assertEquals(gate.notes, []);
  assertEquals(await within("a good call", cluster.executor().submit(square, 3)), 9);
  assertEquals(await host.end("SIGTERM"), 0, "it has lived until then");
});

/** Fields of jobs as BullMQ keeps them, and what is in their place. */
const ODD_FIELDS: readonly Readonly<Record<string, string>>[] = [
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
clusterTest("A host answers jobs whose fields in Redis are malformed", async (cluster) => {
  const redis = cluster.redis(), queue = await cluster.jobs();
  const call = { ...CALL, module: "cluster_tasks", name: "echo", args: '[[1],"text"]' };
  for (const [n, changed] of ODD_FIELDS.entries()) {
    await queue.add("odd", call, { jobId: `odd-${n}` });
    await redis.hset(cluster.keys.job(`odd-${n}`), changed);
  }
  await reportsOf(async () => {
    await using _host = await cluster.serve({ workers: 1 });
    for (const [n, changed] of ODD_FIELDS.entries()) {
      const key = cluster.keys.job(`odd-${n}`);
      const reply = await within(JSON.stringify(changed), answered(redis, key));
      assertMatch(reply, "data" in changed ? /is no call of an executor/ : /^\{"ok":"\[\\"text\\"\]"\}$/, key);
    }
    // BullMQ itself cannot begin this one, and tries again when its lock has run out.
    await queue.add("odd", CALL, { jobId: "odd" });
    await redis.hset(cluster.keys.job("odd"), { ats: "x" });
    assertEquals(await within("a good call", cluster.executor().submit(square, 3)), 9);
  });
});

/** What a job has returned, when it has. */
async function answered(redis: Redis, key: string): Promise<string> {
  for (;;) {
    const reply = await redis.hget(key, "returnvalue");
    if (reply && reply !== "{") return reply;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

clusterTest("A host goes on whatever is in the stream of stops", async (cluster) => {
  await cluster.serve();
  const redis = cluster.redis(), executor = cluster.executor(), { stops } = cluster.keys;
  for (const fields of [["", ""], ["job", ""], ["job", "__proto__"], ["jobs", "x"], ["job", "x".repeat(1_000_000)]]) {
    await redis.xadd(stops, "*", ...fields);
  }
  const many = redis.pipeline();
  for (let n = 0; n < 30_000; n++) many.xadd(stops, "*", "job", `nobody-${n}`);
  await many.exec();
  assertEquals(await within("a good call", executor.submit(square, 3)), 9);
  await redis.del(stops);
  await redis.set(stops, "no stream");
  assertEquals(await within("a good call", executor.submit(square, 4)), 16);
});

/** A task of a module that no host has. */
const { missing } = taskModule<{ missing(): void }>(new URL("file:///nowhere.ts"), { module: "nowhere" });

clusterTest("Hosts and executors go on whatever is in place of the records of hosts", async (cluster) => {
  const host = await cluster.serve({ name: "good" });
  const redis = cluster.redis(), executor = cluster.executor(), { keys } = cluster;
  const good = host.stats();
  const records = [
    ...["", "{", "null", "[]", "3", `{"name":"x"}`, "[".repeat(100_000)],
    ...[
      ...[{ ...good, tasks: [1] }, { ...good, tasks: { length: 2 ** 32 } }, { ...good, name: "x".repeat(100_000) }],
      ...[{ ...good, workers: "many" }, { ...good, workers: "05" }, { ...good, running: -1 }, { ...good, rate: null }],
      { ...good, completed: [[[]]] },
    ].map((record) => JSON.stringify(record)),
  ];
  for (const [n, record] of records.entries()) await redis.set(keys.host(`bad-${n}`), record);
  await redis.rpush(keys.host("bad-list"), "a list");
  const strange = ["bad-list", "gone", "a:b", "x".repeat(100_000)];
  await redis.sadd(keys.hosts, ...strange, ...records.map((_, n) => `bad-${n}`));
  const { hosts, workers } = await within("cluster()", executor.cluster());
  assertEquals([hosts.map(({ name }) => name), workers], [["good"], good.workers]);
  assertEquals(await redis.scard(keys.hosts), 1, "what is no host's is taken from the set");
  // An unknown field is not taken over.
  await redis.set(keys.host("odd"), JSON.stringify({ ...good, name: "odd", more: 1 }));
  await redis.sadd(keys.hosts, "odd");
  const odd = (await within("cluster()", executor.cluster())).hosts.find(({ name }) => name === "odd");
  assertEquals({ ...odd, name: "good" }, good);

  // Where there is no set of hosts, an unknown task is an error nevertheless.
  await redis.del(keys.hosts);
  await redis.set(keys.hosts, "no set");
  const error = await within("an unknown task", executor.submit(missing).exception());
  assertMatch(String(error), /^TypeError: Cannot find the task 'missing' as there is no module 'nowhere'/);
  assertEquals(await within("a good call", executor.submit(square, 3)), 9);
});

// Whatever is in a queue: jobs, replies and records that are nearly right, at random. None costs an executor or a host more than
// its length allows, none reaches a prototype, each ends as a value or as an error. tests/properties/properties.ts says how to repeat one.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import process from "node:process";
import { test } from "node:test";
import { Queue, QueueEvents, Worker } from "bullmq";
import fc from "fast-check";
import { ThreadPoolExecutor, wait } from "../../../mod.ts";
import { decode, decodeFailure, encode } from "../../../src/bullmq/codec.ts";
import { readHost, readJob, readReply, readStop } from "../../../src/bullmq/protocol.ts";
import { serve } from "../../../src/bullmq/host/serve.ts";
import { Cluster } from "../../support/bullmq_host.ts";
import { MODULES } from "../../support/bullmq_tasks.ts";
import { property } from "../../properties/properties.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { within } from "../../support/until.ts";

const NO_TYPES = new Map<string, never>();

/** A machine that does other things as well takes longer; what hangs takes far longer. In milliseconds. */
const GENEROUS = 1000, PER_KIB = 50;

/** Does something with a text, within its time. */
function timed<T>(text: string, fn: () => T): T {
  const start = performance.now();
  try {
    return fn();
  } finally {
    const took = performance.now() - start, kib = text.length / 1024;
    assert.ok(took < GENEROUS + PER_KIB * kib, `${took} ms for ${kib} KiB: ${text.slice(0, 2000)}`);
    assert.deepEqual(Object.keys(Object.prototype), []);
    assert.equal(({} as { polluted?: true }).polluted, undefined);
  }
}

/** What a text stands for, sent on as a host does, if it stands for anything. */
function useAsHost(text: string): void {
  timed(text, () => {
    let value: unknown;
    try {
      value = decode(text, NO_TYPES, 0);
    } catch (error) {
      return assert.ok(error instanceof Error || error instanceof DOMException, String(error));
    }
    structuredClone(value);
  });
}

/** The same of what a task has thrown. */
function useAsFailure(text: string): void {
  timed(text, () => {
    try {
      decodeFailure(text, NO_TYPES, 0);
    } catch (error) {
      assert.ok(error instanceof Error || error instanceof DOMException, String(error));
    }
  });
}

// --- flattened values: entries that name others, some of which are there

const ENTRIES = 30;

const wrong = fc.constantFrom<unknown>(-2, -7, -8, 0.5, 1e99, 2 ** 32 - 1, null, "0", "__proto__", [], [[[]]], {});
const name = fc.oneof(
  { weight: 20, arbitrary: fc.nat(ENTRIES) },
  { weight: 4, arbitrary: fc.constantFrom(-1, -3, -4, -5, -6) },
  { weight: 1, arbitrary: wrong },
);
const names = fc.array(name, { maxLength: 8 });
/** One of them very often. */
const repeated = fc.tuple(fc.nat(ENTRIES), fc.nat(5000)).map(([name, times]) => Array<unknown>(times).fill(name));
const long = fc.tuple(fc.constantFrom("9", "x", "(", "(?<a>", "\\p{RGI_Emoji}", "AAAA", "-1"), fc.nat(5000)).map(
  ([part, times]) => part.repeat(times),
);
const word = fc.constantFrom("error", "value", "RangeError", "Error", "DOMException", "cause", "constructor", "x", "");
const key = fc.oneof(word, fc.constantFrom("__proto__", "then", "length", "toString", "99999", "4294967294"));
const tag = fc.constantFrom(
  ...[
    "Set",
    "Map",
    "Object",
    "Date",
    "BigInt",
    "RegExp",
    "ArrayBuffer",
    "Uint8Array",
    "Float64Array",
    "DataView",
    "URL",
  ],
  ...["Temporal.Duration", "null", "Error", "Function", "__proto__"],
);
const classes = fc.array(fc.nat(ENTRIES), { maxLength: 20 });
const record = fc.record({
  ...{ kind: fc.oneof(fc.constantFrom(1, 2), name), classes: name, name: name, message: name, stack: name },
  ...{ properties: name, nested: name, errors: name, value: name },
}, { requiredKeys: ["kind"] });
const entry: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: names },
  { weight: 1, arbitrary: repeated },
  { weight: 1, arbitrary: classes },
  { weight: 3, arbitrary: fc.oneof(word, long, fc.double({ noNaN: true }), fc.boolean(), fc.constant(null)) },
  { weight: 2, arbitrary: fc.dictionary(key, name, { maxKeys: 6, noNullPrototype: true }) },
  { weight: 4, arbitrary: record },
  { weight: 4, arbitrary: fc.tuple(fc.constant("Error"), name) },
  { weight: 4, arbitrary: fc.tuple(tag, names).map(([tag, names]) => [tag, ...names]) },
  { weight: 2, arbitrary: fc.tuple(tag, fc.oneof(long, word)).map((tagged) => tagged) },
  { weight: 1, arbitrary: fc.tuple(tag, repeated).map(([tag, names]) => [tag, ...names]) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom("RegExp"), long, fc.constantFrom("", "v", "iu", "gg", "x")) },
  { weight: 1, arbitrary: fc.tuple(fc.constant(-7), fc.nat(2 ** 32 - 1), fc.nat(100), name) },
);
/** Two words are always there, so that records of errors are often nearly right. */
const flat = fc.tuple(entry, fc.array(entry, { maxLength: ENTRIES - 2 })).map(([first, others]) =>
  JSON.stringify([first, "error", "value", ...others])
);

property(
  "No text costs a host more than its length allows, and it is a value or an error",
  4000,
  flat,
  (text) => {
    useAsHost(text);
    useAsFailure(text);
  },
);

// --- what is right, and what little is wrong with it

/** Of a property that is called so, devalue makes none. */
const anyKey = fc.string().filter((key) => key !== "__proto__");
const value = fc.anything({
  key: anyKey,
  ...{ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withTypedArray: true },
  ...{ withSparseArray: true, maxDepth: 4, values: [fc.string(), fc.integer(), fc.double(), fc.constant(undefined)] },
});

property("decode() gives what encode() was given", 1000, value, (value) => {
  const text = encode(value, 2 ** 24);
  // As text: deepEqual() of Bun (1.4) mixes up the entries of a Map whose keys are equal objects.
  assert.equal(encode(timed(text, () => decode(text, NO_TYPES, 0)), 2 ** 24), encode(structuredClone(value), 2 ** 24));
});

const failed = fc.array(value, { maxLength: 3 }).map((values) => {
  const cause = Object.assign(new RangeError("inner"), { values });
  return new AggregateError([cause, new TypeError("member", { cause }), ...values], "outer", { cause });
});
/** What is put in place of what number, and where in an entry. */
const changes = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.oneof(name, entry)), { minLength: 1, maxLength: 4 });

property(
  "No text that was changed in a few places costs a host more than its length allows",
  2000,
  fc.tuple(fc.oneof(value, failed), changes),
  ([value, changes]) => {
    const flat: unknown = JSON.parse(encode(value, 2 ** 24));
    if (!Array.isArray(flat)) return;
    for (const [where, within, by] of changes) {
      const index = where % flat.length, entry: unknown = flat[index];
      if (Array.isArray(entry) && entry.length > 0) entry[within % entry.length] = by;
      else if (typeof entry === "object" && entry !== null && Object.keys(entry).length > 0) {
        const keys = Object.keys(entry);
        (entry as Record<string, unknown>)[keys[within % keys.length]!] = by;
      } else flat[index] = by;
    }
    useAsHost(JSON.stringify(flat));
    useAsFailure(JSON.stringify(flat));
  },
);

// --- records

const anything = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, 0, -1, 1.5, 1e300, 2 ** 53, "", "x", "x".repeat(2000), [], {}),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Records of which each field is right or anything. */
function nearly(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<string> {
  const spoilt = Object.entries(fields).map(([key, right]) =>
    [key, fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: anything })] as const
  );
  const polluting = fc.constantFrom("", '"__proto__":{"polluted":true},', '"constructor":{"prototype":1},');
  return fc.tuple(fc.record(Object.fromEntries(spoilt)), polluting).map(([record, polluting]) =>
    JSON.stringify(record).replace("{", `{${polluting}`).replace(",}", "}")
  );
}

const text = fc.string({ maxLength: 20 }), count = fc.nat(), time = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9 }));
const maybe = (right: fc.Arbitrary<unknown>) => fc.option(right, { nil: undefined });

/** Checks that what was taken over is of the right kinds, and nothing else. */
function assertKinds(read: object | undefined, kinds: Readonly<Record<string, RegExp>>): void {
  for (const [key, value] of Object.entries(read ?? {})) {
    const kind = Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
    assert.match(kind, kinds[key] ?? /^$/, key);
  }
}

const job = nearly({
  ...{ futures: fc.constant(1), module: text, name: text, args: text, redeliveries: count, timeout: maybe(time) },
  ...{ grace: maybe(time), retries: maybe(count), stoppable: maybe(fc.constant(true)), owner: maybe(fc.uuid()) },
});
property("readJob() takes over what is of the right kind, and nothing else", 1000, job, (json) => {
  const number = /^(integer|number)$/;
  assertKinds(timed(json, () => readJob(JSON.parse(json))), {
    ...{ futures: /^integer$/, module: /^string$/, name: /^string$/, args: /^string$/, redeliveries: /^integer$/ },
    ...{ timeout: number, grace: number, retries: /^integer$/, stoppable: /^boolean$/, owner: /^string$/ },
  });
});

const by = fc.constantFrom("task", "host");
const reply = fc.oneof(
  nearly({ ok: text }),
  nearly({ failure: text, by }),
  nearly({ cancelled: fc.constant(true) }),
  nearly({ stored: fc.constant(true) }),
);
property("readReply() takes over what is of the right kind, and nothing else", 1000, reply, (json) => {
  assertKinds(timed(json, () => readReply(json)), {
    ...{ ok: /^string$/, failure: /^string$/, by: /^string$/, cancelled: /^boolean$/, stored: /^boolean$/ },
  });
});

const host = nearly({
  ...{ name: text, runtime: text, workers: count, running: count, completed: count, failed: count, rate: time },
  tasks: fc.array(text),
});
property("readHost() takes over what is of the right kind, and nothing else", 1000, host, (json) => {
  const read = timed(json, () => readHost(json));
  assertKinds(read, {
    ...{ name: /^string$/, runtime: /^string$/, workers: /^integer$/, running: /^integer$/, completed: /^integer$/ },
    ...{ failed: /^integer$/, rate: /^(integer|number)$/, tasks: /^array$/ },
  });
  assert.ok(read?.tasks.every((name) => typeof name === "string") ?? true);
});

property("readStop() takes over ids", 200, fc.array(fc.oneof(fc.constant("job"), text)), (fields) => {
  const id = readStop(fields);
  assert.equal(id, fields[0] === "job" ? fields[1] : undefined);
});

// --- the whole way: through Redis, to a host and its workers, and back

/** How many at a time. */
const BULK = 200;

/** Arguments that are nearly right, or right. */
const args = fc.oneof(flat, value.map((value) => encode([value], 2 ** 24)), text);
const anyJob = fc.oneof(
  nearly({
    ...{ futures: fc.constant(1), module: fc.constant("cluster_tasks"), redeliveries: count, args },
    ...{ name: fc.constantFrom("echo", "throwIt", "missing", "then", "__proto__"), timeout: maybe(fc.nat(5)) },
    ...{ retries: maybe(fc.nat(1)), stoppable: maybe(fc.constant(true)) },
  }),
  job,
);
const anyReply = fc.oneof(nearly({ ok: args }), nearly({ failure: args, by }), reply);

/** So many of them, and what repeats them. */
function sample(arbitrary: fc.Arbitrary<string>): { texts: string[]; repeat: string } {
  const seed = Number(process.env.PROPERTY_SEED || randomInt(2 ** 31));
  return { texts: fc.sample(arbitrary, { numRuns: BULK, seed }), repeat: `PROPERTY_SEED=${seed}` };
}

test(`A host with threads answers ${BULK} jobs of any kind, and goes on`, needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await using local = new ThreadPoolExecutor({ maxWorkers: 2 });
  const where = { queue: cluster.queue, connection: { url: server.url } };
  await using _host = await serve({ ...where, tasks: MODULES, executor: local, workers: 2 });
  const queue = new Queue(cluster.queue, where), events = new QueueEvents(cluster.queue, where);
  const { texts, repeat } = sample(anyJob);
  try {
    await events.waitUntilReady();
    queue.setMaxListeners(0);
    const jobs = await queue.addBulk(texts.map((text) => ({ name: "any", data: JSON.parse(text) })));
    const replies = await within(repeat, Promise.all(jobs.map((job) => job.waitUntilFinished(events))));
    for (const [n, reply] of replies.entries()) assert.ok(readReply(reply), `${repeat}: ${texts[n]}`);
    assert.equal(await within(repeat, cluster.executor().submit(square, 3)), 9);
  } finally {
    await Promise.all([queue.close(), events.close()]);
  }
});

test(`BullMQExecutor settles ${BULK} calls with replies of any kind, and goes on`, needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  const { texts, repeat } = sample(anyReply);
  const replies = [...texts.map((text) => JSON.parse(text)), { ok: "[9]" }];
  let next = 0;
  const worker = new Worker(cluster.queue, () => Promise.resolve(replies[next++]), { connection: { url: server.url } });
  worker.on("error", () => {});
  const executor = cluster.executor({ onUnobserved() {} });
  try {
    const calls = texts.map((_, n) => executor.submit(square, n));
    assert.equal((await within(repeat, wait(calls))).notDone.size, 0);
    assert.equal(await within(repeat, executor.submit(square, 3)), 9);
  } finally {
    await worker.close();
  }
});

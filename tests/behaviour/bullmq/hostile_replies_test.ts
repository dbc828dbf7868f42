// Replies that no host has sent: each call is settled, and the executor goes on.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CancelledError, wait } from "../../../mod.ts";
import { JobLostError } from "../../../src/bullmq/errors.ts";
import { anyReply, sample } from "../../support/bullmq_arbitraries.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { COSTLY } from "../../support/costly_texts.ts";
import { DEEP, LONGEST_PAUSE, longestPause } from "../../support/pause.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { until, within } from "../../support/until.ts";

clusterTest("BullMQExecutor rejects calls whose replies are malformed, and says so", async (cluster) => {
  const executor = cluster.executor();
  const wrong = [
    ...[undefined, null, 42, "text", "{", [], {}, { ok: 1 }, { ok: "{" }, { ok: DEEP }],
    ...[{ failure: "{", by: "task" }, { failure: "[1]" }, { stored: true }],
    JSON.parse('{ "__proto__": { "ok": "[1]" } }'),
    // Replies to chunks.
    ...[[], ["[1]", "[2]"], [1], ["{"], [{ failure: 1 }], [{ failure: "{", by: "task" }], { 0: "[1]", length: 1 }]
      .map((each) => ({ each })),
  ];
  // Of these something may come out, which is a value like any other.
  const odd = [{ ok: "[[1],99]" }, { ok: '[["Error",1],{}]' }, { failure: "[1]", by: "host" }];
  const answers = [...wrong, ...odd].values();
  cluster.answer(() => answers.next().value);
  for (const [n] of [...wrong, ...odd].entries()) {
    const error = await within(`answer ${n}`, executor.submit(square, n).exception());
    if (n < wrong.length) assert(error instanceof Error, `answer ${n}: ${String(error)}`);
  }
  assertEquals(({} as { ok?: unknown }).ok, undefined);
});

clusterTest("BullMQExecutor rejects calls whose replies would take hours if it believed them", async (cluster) => {
  const executor = cluster.executor();
  const replies = Object.values(COSTLY).flatMap((text) => [
    { ok: text },
    ...["task", "host"].map((by) => ({ failure: text, by })),
  ]);
  const answers = replies.values();
  cluster.answer(() => answers.next().value);
  for (const reply of replies) {
    const pause = await longestPause(async () => {
      const error = await within("a reply", executor.submit(square, 3).exception());
      assertMatch(String(error), /malformed reply/);
    });
    assert(pause < LONGEST_PAUSE, `${JSON.stringify(reply).slice(0, 200)}: ${pause} ms`);
  }
});

clusterTest("BullMQExecutor settles calls with random replies, and goes on", async (cluster) => {
  const { texts, repeat } = sample(anyReply);
  const answers = [...texts.map((text) => JSON.parse(text)), { ok: "[9]" }].values();
  cluster.answer(() => answers.next().value);
  const executor = cluster.executor({ onUnobserved() {} });
  const calls = texts.map((_, n) => executor.submit(square, n));
  assertEquals((await within(repeat, wait(calls))).notDone.size, 0);
  assertEquals(await within(repeat, executor.submit(square, 3)), 9);
});

clusterTest("BullMQExecutor runs no call again that somebody says to have stopped", async (cluster) => {
  let answers = 0;
  cluster.answer(() => {
    answers++;
    return { cancelled: true };
  });
  const executor = cluster.executor();
  const error = await within("the call", executor.submit(square, 3).exception().catch((error: unknown) => error));
  assert(error instanceof CancelledError, String(error));
  assertEquals(answers, 1);
});

clusterTest("BullMQExecutor rejects calls whose stored replies are malformed", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor();
  const store: ((key: string) => Promise<unknown>)[] = [
    async () => {},
    (key) => redis.rpush(key, "a list"),
    (key) => redis.set(key, ""),
    (key) => redis.set(key, '{"stored":true}'),
    (key) => redis.set(key, '{"ok":1}'),
    (key) => redis.set(key, `{"ok":"[1]"${" ".repeat(60_000_000)}}`),
  ];
  const left = store.values();
  cluster.answer(async ({ id }) => {
    await left.next().value!(cluster.keys.reply(id!));
    return { stored: true };
  });
  for (const n of store.keys()) {
    const error = await within(`reply ${n}`, executor.submit(square, n).exception());
    assertMatch(String(error), /The job's return value is not a reply of this library/);
  }
});

clusterTest("BullMQExecutor fails a call whose job was replaced by something else", async (cluster) => {
  const redis = cluster.redis(), executor = cluster.executor();
  const lost = executor.submit(square, 3), waiting = executor.submit(square, 4);
  let jobs: string[] = [];
  await until("both calls are in Redis", () => {
    void redis.zrange(cluster.keys.job("prioritized"), "0", "-1").then((ids) => jobs = ids);
    return jobs.length === 2;
  });
  await redis.del(cluster.keys.job(jobs[0]!));
  await redis.rpush(cluster.keys.job(jobs[0]!), "no job");
  const error = await within("the lost call", lost.exception());
  assert(error instanceof JobLostError, String(error));
  assertEquals(waiting.done(), false);
});

clusterTest(
  "BullMQExecutor rejects the items of a chunk whose replies are malformed, and keeps those that are not",
  async (cluster) => {
    const executor = cluster.executor();
    const wrong = [
      ...[undefined, {}, { ok: "[1]" }, { each: ["[1]"] }, { each: ["[1]", "[2]", "[3]"] }, {
        each: Array(10_001).fill("[1]"),
      }],
      ...[{ each: ["[1]", 2] }, { each: ["{", "{"] }, { each: [DEEP, { failure: "[1]", by: "task" }] }],
      ...[{ each: [null, null] }, { each: { length: 2 } }, { failure: "{", by: "host" }],
    ];
    const answers = [...wrong, { each: ["[1]", "{"] }].values();
    cluster.answer(() => answers.next().value);
    const settle = () => Array.fromAsync(executor.map(square, [1, 2], { chunksize: 2, settled: true }));
    for (const [n] of wrong.entries()) {
      for (const result of await within(`answer ${n}`, settle())) {
        assert(
          result.status === "rejected" && result.reason instanceof Error,
          `answer ${n}: ${JSON.stringify(result)}`,
        );
      }
    }
    const [first, second] = await within("the last answer", settle());
    assertEquals(first, { status: "fulfilled", value: 1 });
    assert(second!.status === "rejected");
  },
);

// One call through everything: an executor, Redis, a host, its local pool, and back.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import assert from "node:assert/strict";
import { test } from "node:test";
import { asCompleted, taskModule, ThreadPoolExecutor, wait } from "../../../mod.ts";
import { BullMQExecutor, serve } from "../../../src/bullmq/mod.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { within } from "../../support/until.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { assertError } from "../../support/assert_error.ts";

const url = new URL("../../fixtures/tasks/round_trip.ts", import.meta.url);
const tasks = taskModule<typeof import("../../fixtures/tasks/round_trip.ts")>(url, { module: "round trip" });

clusterTest("BullMQExecutor sends a call to a host and gives its result", async ({ queue, connection }) => {
  const where = { queue, connection };
  await using _host = await serve({ ...where, tasks: { "round trip": url }, workers: 1 });
  await using executor = new BullMQExecutor(where);
  assertEquals(await executor.submit(tasks.add, 1, 2), 3);
  const value = new Map<unknown, unknown>([["a", new Set([1n, -0, NaN, undefined])], [new Date(0), /x/g]]);
  assert.deepEqual(await executor.submit(tasks.echo, value), value);
  assertError(await assertRejects(() => executor.submit(tasks.fail, "why").result()), {
    name: "RangeError",
    message: "why",
    code: 7,
  });
  assert.deepEqual(await Array.fromAsync(executor.map(tasks.add, [1, 2, 3], [4, 5, 6])), [5, 7, 9]);
  const { hosts, waiting, running } = await executor.cluster();
  assert.deepEqual([hosts.map(({ tasks }) => tasks), waiting, running], [[["round trip"]], 0, 0]);
});

clusterTest("BullMQExecutor has Futures that mix with those of local executors", async (cluster) => {
  await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
  const futures = [cluster.executor().submit(square, 2), local.submit(square, 3)];
  assertEquals((await within("both", wait(futures))).done.size, 2);
  const results: number[] = [];
  for await (const future of asCompleted(futures)) results.push(await future);
  assert.deepEqual(results.sort(), [4, 9]);
}, { hosts: [{ runtime: otherRuntimes[0]! }] });

test("BullMQExecutor.submit() refuses a task without a registered name, and says what to do", () => {
  const executor = new BullMQExecutor({ queue: "none" });
  assertThrows(() => executor.submit((n: number) => n, 1), TypeError);
  const { add } = taskModule<typeof import("../../fixtures/tasks/round_trip.ts")>(url);
  assertError(assertThrows(() => executor.submit(add, 1, 2)), /TypeError: Cannot submit a task as .*serve\(\)/);
});

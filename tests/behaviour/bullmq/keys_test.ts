// What a key means beyond one program: its call's result for others, and what cancelling and failing do to it.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { asCompleted, type Future } from "../../../mod.ts";
import { CallNotFoundError } from "../../../src/bullmq/errors.ts";
import type { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { echo } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold, holdAndFail, note } from "../../fixtures/tasks/gate_tasks.ts";
import { assertError } from "../../support/assert_error.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { runProgram } from "../../support/run_program.ts";
import { until, within } from "../../support/until.ts";

/** Why a Future that was cancelled rejects. */
async function reasonOf(future: Future<unknown>): Promise<Error> {
  const reason = await within(
    "a cancelled Future",
    future.result().then((value) => `fulfilled with ${value}`, (e) => e),
  );
  assertEquals(future.cancelled(), true, String(reason));
  return reason;
}

/** What a Future rejects with. */
async function errorOf(future: Future<unknown>): Promise<Error> {
  return await within("a failure", future.exception()) as Error;
}

/** Has a call with a key begin. */
async function begin(executor: BullMQExecutor, gate: Gate, key: string): Promise<{ readonly call: Future<number> }> {
  const call = executor.with({ key }).submit(hold, gate.folder, 7);
  await within("the call", gate.noted());
  return { call };
}

clusterTest(
  "BullMQExecutor.result() gives others the result of a key, while its call runs and later",
  async (cluster) => {
    await cluster.serve();
    using gate = new Gate();
    const submitter = cluster.executor(), other = cluster.executor();
    const { call } = await begin(submitter, gate, "report 7: ä");
    const waiting = other.result<number>("report 7: ä"), also = other.result("report 7: ä");
    gate.open();
    assertEquals(await within("all", Promise.all([call, waiting, also])), [7, 7, 7]);
    await within("shutdown()", submitter.shutdown());
    assertEquals(await within("a later one", other.result("report 7: ä")), 7);
    assertEquals(gate.notes, ["7"]);
    const { queued, running, completed } = other.stats();
    assertEquals([queued, running, completed], [0, 0, 0]);
  },
);

clusterTest("BullMQExecutor.result() keeps types and errors, and takes long results", async (cluster) => {
  await cluster.serve();
  using gate = new Gate();
  gate.open();
  const submitter = cluster.executor(), other = cluster.executor();
  const values = { map: new Map([["a", 1n]]), long: "x".repeat(100_000), nothing: undefined };
  for (const [key, value] of Object.entries(values)) {
    await within("a call", submitter.with({ key }).submit(echo, value));
    assertEquals(await within("its result", other.result(key)), value);
  }
  await errorOf(submitter.with({ key: "failing" }).submit(holdAndFail, gate.folder, 3));
  assertError(await errorOf(other.result("failing")), { name: "RangeError", message: "failed 3" });
});

clusterTest(
  "BullMQExecutor.result() gives the executor's own call, from the tick in which it is submitted",
  async (cluster) => {
    await cluster.serve();
    const executor = cluster.executor();
    const call = executor.with({ key: "own" }).submit(square, 5), result = executor.result<number>("own");
    const done = [];
    for await (const future of asCompleted([call, result])) done.push(await future);
    assertEquals(done, [25, 25]);
  },
);

clusterTest("BullMQExecutor.result() rejects when there is no call with the key", async (cluster) => {
  const redis = cluster.redis(), { keys } = cluster;
  await cluster.serve();
  const executor = cluster.executor();
  const missing = await errorOf(executor.result("nobody's"));
  assertError(missing, {
    name: "CallNotFoundError",
    message:
      `There is no call with the key 'nobody's' in queue '${cluster.queue}': it was not submitted, or cancelled ` +
      "while it waited, or is done for longer than its 'keepJobs'",
  });
  assertEquals(missing instanceof CallNotFoundError, true);
  await within("a call", executor.with({ key: "old" }).submit(square, 3));
  await redis.pexpire(keys.job("key-1-old"), 1);
  await until("it has expired", async () => await redis.exists(keys.job("key-1-old")) === 0);
  assertEquals((await errorOf(executor.result("old"))).name, "CallNotFoundError");
});

clusterTest(
  "BullMQExecutor.result() says what is wrong with the key, and with a reply that is none",
  async (cluster) => {
    const executor = cluster.executor();
    // deno-lint-ignore no-explicit-any
    assertError(assertThrows(() => executor.result(7 as any)), {
      name: "TypeError",
      message: "Cannot get the result of a call as 'key' must be a string: received 7",
    });
    assertError(assertThrows(() => executor.result("x".repeat(1001))), {
      name: "RangeError",
      message: "Cannot get the result of a call as 'key' must be at most 1000 characters long: received 1001",
    });
    cluster.answer(() => ({ each: ["[1]"] }));
    await errorOf(executor.with({ key: "odd" }).submit(square, 1));
    assertEquals(
      (await errorOf(executor.result("odd"))).message.split(":")[0],
      "The job's return value is not a reply of this library",
    );
    await within("shutdown()", executor.shutdown());
    assertEquals(assertThrows(() => executor.result("a") as unknown as void, Error).name, "ShutdownError");
  },
);

clusterTest(
  "BullMQExecutor.result() is the last attempt's, when retryOn has had the call run again",
  async (cluster) => {
    await cluster.serve();
    using gate = new Gate();
    const executor = cluster.executor();
    const again = executor.with({ key: "again", retries: 1, retryOn: () => true }).submit(async (folder: string) => {
      const { appendFileSync, readFileSync } = await import("node:fs");
      appendFileSync(`${folder}/attempts`, "x");
      if (readFileSync(`${folder}/attempts`, "utf8") === "x") throw new Error("not yet");
      return "the second attempt";
    }, gate.folder);
    assertEquals(await within("the call", again), "the second attempt");
    assertEquals(await within("its result", cluster.executor().result("again")), "the second attempt");
  },
);

clusterTest(
  "Cancelling the Future of BullMQExecutor.result(), and the shutdown, end the waiting and not the call",
  async (cluster) => {
    await cluster.serve();
    using gate = new Gate();
    const other = cluster.executor();
    const { call } = await begin(cluster.executor(), gate, "k");
    const [cancelled, ended] = [other.result("k"), other.result("k")];
    assertEquals([cancelled.cancel(), cancelled.cancelled(), ended.done()], [true, true, false]);
    await within("shutdown()", other.shutdown());
    assertError(await reasonOf(ended), { name: "CancelledError", message: "The executor was shut down" });
    gate.open();
    assertEquals(await within("the call", call), 7);
  },
);

clusterTest("BullMQExecutor.result() goes on when its connections are cut", async (cluster) => {
  await using relay = await cluster.relay();
  await cluster.serve();
  using gate = new Gate();
  const other = cluster.executor({ connection: { url: relay.url } });
  const { call } = await begin(cluster.executor(), gate, "k");
  const result = other.result("k");
  await other.cluster();
  relay.sever();
  gate.open();
  assertEquals(await within("the call", call), 7);
  assertEquals(await within("its result", result), 7);
});

clusterTest("A call with a key that waits is cancelled for all, and the key is free again", async (cluster) => {
  using gate = new Gate();
  gate.open();
  const [one, two, three] = [cluster.executor(), cluster.executor(), cluster.executor()];
  const first = one.with({ key: "k" }).submit(note, gate.folder, 1);
  await one.accepted();
  const second = two.with({ key: "k" }).submit(note, gate.folder, 2), third = three.result("k");
  await two.accepted();
  await until("the result is waited for", async () => {
    await three.cluster();
    return !third.done();
  });
  assertEquals(first.cancel(), true);
  assertError(await reasonOf(second), { name: "CancelledError", message: "The job was removed from its queue" });
  assertError(await reasonOf(third), { name: "CancelledError", message: "The job was removed from its queue" });
  assertEquals((await errorOf(three.result("k"))).name, "CallNotFoundError");
  await cluster.serve();
  await within("a new call", cluster.executor().with({ key: "k" }).submit(note, gate.folder, 3));
  assertEquals(gate.notes, ["3"]);
});

clusterTest("A call with a key that runs is stopped for all, and the key stays cancelled", async (cluster) => {
  await cluster.serve();
  using gate = new Gate();
  const [one, two] = [cluster.executor(), cluster.executor()], stop = new AbortController();
  const first = one.with({ key: "k", signal: stop.signal, grace: 10 }).submit(hold, gate.folder, 1);
  await within("the call", gate.noted());
  const second = two.with({ key: "k" }).submit(hold, gate.folder, 2), third = two.result("k");
  await two.accepted();
  stop.abort();
  assertEquals((await reasonOf(first)).name, "AbortError");
  for (const future of [second, third]) assertEquals((await reasonOf(future)).name, "CancelledError");
  const later = cluster.executor();
  assertEquals((await reasonOf(later.with({ key: "k" }).submit(hold, gate.folder, 3))).name, "CancelledError");
  assertEquals((await reasonOf(later.result("k"))).name, "CancelledError");
  assertEquals(gate.notes, ["1"]);
});

clusterTest("A call with a key that has failed has failed for all, and does not run again", async (cluster) => {
  await cluster.serve();
  using gate = new Gate();
  const [one, two, three] = [cluster.executor(), cluster.executor(), cluster.executor()];
  const first = one.with({ key: "k" }).submit(holdAndFail, gate.folder, 1);
  await within("the call", gate.noted());
  const second = two.with({ key: "k" }).submit(holdAndFail, gate.folder, 2);
  await two.accepted();
  gate.open();
  const later = () => three.with({ key: "k" }).submit(hold, gate.folder, 3);
  for (const future of [first, second, later(), three.result("k")]) {
    assertError(await errorOf(future), { name: "RangeError", message: "failed 1" });
  }
  assertStrictEquals(gate.notes.length, 1);
});

clusterTest("A program that waits for the result of a key ends when it has it", async (cluster) => {
  await cluster.serve();
  using gate = new Gate();
  const { call } = await begin(cluster.executor(), gate, "k");
  const program = runProgram("bullmq_result", cluster.server.url, cluster.queue, "k");
  gate.open();
  assertEquals(await within("the call", call), 7);
  const { code, stdout, stderr } = await program;
  assertEquals([stdout, stderr, code], ["accepted\nresult 7\n", "", 0]);
});

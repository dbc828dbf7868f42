// Calls that are stopped, across machines: while they wait in Redis, and on their host while they run.

import { assert, assertEquals, assertMatch, assertStrictEquals, fail } from "@std/assert";
import { CancelledError, type Future, TaskTimeoutError, wait, WorkerLostError } from "../../../mod.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import type { HostOptions } from "../../support/bullmq_host.ts";
import { Gate } from "../../support/gate.ts";
import { startProgram } from "../../support/run_program.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { block, hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { exitUntil, listen } from "../../fixtures/tasks/stop_tasks.ts";
import { exit } from "../../fixtures/tasks/worker_tasks.ts";
import { until, within } from "../../support/until.ts";

const REASON = new Error("stop");

/** Registers a test with one host, which has one worker, on another runtime. */
function stopping(name: string, body: (cluster: TestCluster) => Promise<void>, host: HostOptions = {}): void {
  clusterTest(`BullMQExecutor${name}`, body, { hosts: [{ runtime: otherRuntimes[0]!, ...host }] });
}

/** What a Future rejects with, cancelled or not. */
function errorOf(future: Future<unknown>): Promise<unknown> {
  return within(
    "a call that is stopped",
    future.result().then((value) => fail(`It has a result: ${String(value)}`), (error) => error),
  );
}

/** Resolves when so many calls are in Redis, waiting or with a host. */
async function inRedis(cluster: TestCluster, count: number): Promise<void> {
  const watcher = cluster.executor();
  let left = Infinity;
  const look = async () => {
    const { waiting, running } = await watcher.cluster();
    left = waiting + running;
    if (left !== count) timer = setTimeout(look, 5);
  };
  let timer = setTimeout(look, 0);
  try {
    await until(`${count} calls are in Redis`, () => left === count);
  } finally {
    clearTimeout(timer);
  }
}

stopping(".submit() gives a Future whose cancel() removes a waiting job, which never runs", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const first = executor.submit(hold, gate.folder, 0);
  await gate.noted();
  const waiting = Array.from({ length: 10 }, () => executor.submit(note, gate.folder, "must not run"));
  await inRedis(cluster, 11);
  await until("the first is known to run", () => first.running());
  assertEquals(first.cancel(), false);
  for (const future of waiting) {
    assertEquals([future.running(), future.cancel(), future.cancelled()], [false, true, true]);
  }
  await inRedis(cluster, 1);
  gate.open();
  assertEquals(await first, 0);
  for (const future of waiting) assert(await errorOf(future) instanceof CancelledError);
  assertEquals(await executor.submit(square, 3), 9);
  assertEquals(gate.notes, ["0"]);
  assertEquals(executor.stats().cancelled, 10);
});

stopping(".shutdown({ cancelFutures: true }) removes what waits", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const running = executor.submit(hold, gate.folder, 0);
  await until("the first is known to run", () => running.running());
  const waiting = Array.from({ length: 10 }, () => executor.submit(note, gate.folder, "must not run"));
  await inRedis(cluster, 11);
  const closed = executor.shutdown({ cancelFutures: true });
  assert(waiting.every((future) => future.cancelled()));
  await inRedis(cluster, 1);
  gate.open();
  await within("shutdown()", closed);
  assertEquals(await running, 0);
  assertEquals(gate.notes, ["0"]);
});

stopping(".killWorkers() rejects what a host runs, and says no more than is known", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const future = executor.submit(hold, gate.folder, 0);
  await until("it is known to run", () => future.running());
  executor.killWorkers();
  const error = await errorOf(future);
  assert(error instanceof WorkerLostError, String(error));
  assertMatch(
    error.message,
    /^The call's worker was lost: killWorkers\(\) of BullMQExecutor\(.*\) has given up its calls$/,
  );
  const { workerName, exitCode, signal, started } = error;
  assertEquals([workerName, exitCode, signal, started], [undefined, undefined, undefined, "unknown"]);
  gate.open();
  assertEquals(await within("the host's next call", cluster.executor().submit(square, 3)), 9);
});

stopping(".map() that is left removes what waits", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const items = executor.map(hold, Array(10).fill(gate.folder), Array(10).keys());
  await gate.noted();
  await inRedis(cluster, 10);
  await items.return();
  await inRedis(cluster, 1); // the one that runs
  gate.open();
  await inRedis(cluster, 0);
  assertEquals(gate.notes.length, 1);
});

stopping(".with({ signal }) aborts the signal of a task that listens, on its host", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const controller = new AbortController();
  const orderly = executor.with({ signal: controller.signal, grace: 20_000 }).submit(listen, gate.folder, 0);
  await gate.noted();
  await until("it is known to run", () => orderly.running());
  controller.abort(REASON);
  await gate.noted(2); // it has seen it
  await within("the call", wait([orderly]));
  assert(orderly.outcome?.status === "fulfilled" ? orderly.outcome.value === "stopped in order" : orderly.cancelled());
  assertEquals(await executor.submit(square, 3), 9);
});

stopping(".with({ signal }) has a deaf task ended on its host, and its neighbours go on", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const controller = new AbortController();
  const deaf = executor.with({ signal: controller.signal, grace: 10 }).submit(block, gate.folder, 0);
  await until("it is known to run", () => deaf.running());
  const next = executor.submit(square, 3);
  controller.abort(REASON);
  assertStrictEquals(await errorOf(deaf), REASON);
  assertEquals(await within("the next call", next), 9, "the worker is there again, though the gate is closed");
}, { kind: "processes" });

stopping(".with({ timeout }) ends a task on its host", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const endless = executor.with({ timeout: 300 }).submit(block, gate.folder, 0);
  const next = executor.submit(square, 3);
  const error = await errorOf(endless);
  assert(error instanceof TaskTimeoutError);
  assertEquals(error.message, "The task 'block' ran for more than 300 ms and was stopped");
  assertEquals(await within("the next call", next), 9);
}, { kind: "processes" });

stopping(".with({ retries }) has a call run again whose worker is lost, and fails it at last", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const error = await errorOf(executor.submit(exit, 7));
  assert(error instanceof WorkerLostError, String(error));
  assertEquals(error.exitCode, 7);
  const again = executor.with({ retries: 5 }).submit(exitUntil, 3, gate.folder);
  assertEquals(await within("the call", again), 3);
  assertEquals(gate.notes, ["1", "2", "3"]);
  const given = executor.with({ retries: 1 }).submit(exitUntil, 9, gate.folder);
  assert(await errorOf(given) instanceof WorkerLostError);
  assertEquals(gate.notes, ["1", "2", "3", "1", "2"]);
});

/** Starts a program that submits two calls and dies of SIGKILL when the first has begun. */
async function submitAndDie(cluster: TestCluster, gate: Gate, orphans: "run" | "cancel"): Promise<void> {
  const { child, ended } = startProgram("bullmq_submitter", [cluster.server.url, cluster.queue, gate.folder, orphans]);
  await gate.noted();
  await inRedis(cluster, 2);
  child.kill("SIGKILL");
  await ended;
}

stopping('({ orphans: "cancel" }) has its calls stopped when it has died', async (cluster) => {
  using gate = new Gate();
  await submitAndDie(cluster, gate, "cancel");
  const redis = cluster.redis();
  const [owner] = await redis.keys(cluster.keys.owner("*"));
  const left = await redis.pttl(owner!);
  assert(left > 0 && left <= 30_000, `${left} ms until it counts as dead`);
  await redis.del(owner!); // the test does not wait for that
  await inRedis(cluster, 0); // the first was told to stop, the second did not begin
  assertEquals([gate.notes.length, gate.notes[1]!.split(":")[0]], [2, "stopped"]);
});

stopping('({ orphans: "run" }) has its calls run though it has died', async (cluster) => {
  using gate = new Gate();
  await submitAndDie(cluster, gate, "run");
  gate.open();
  await gate.noted(2);
  assertEquals(gate.notes, ["0", "second"]);
});

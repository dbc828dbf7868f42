// map({ chunksize }) across machines: a chunk is one job. It is begun, stopped, lost and delivered again as one; its items run
// one after the other in one worker, and each fails for itself, as they do locally.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { CancelledError, TaskTimeoutError, ThreadPoolExecutor, TimeoutError, WorkerLostError } from "../../../mod.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { STALLED } from "../../support/bullmq_host.ts";
import { entryCounts } from "../../support/entry_counts.ts";
import { Gate } from "../../support/gate.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { echo, enter, throwIt } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { exit } from "../../fixtures/tasks/worker_tasks.ts";
import { until, within } from "../../support/until.ts";

const [one, other] = otherRuntimes;

const SIX = [0, 1, 2, 3, 4, 5];

/** Resolves with the data of the jobs that wait, when there are so many. */
async function waiting(cluster: TestCluster, count: number): Promise<{ args: unknown }[]> {
  const redis = cluster.redis(), key = cluster.keys.prioritized;
  let ids: string[] = [];
  await until(`${count} jobs wait`, async () => (ids = await redis.zrange(key, "0", "-1")).length === count);
  return await Promise.all(ids.map(async (id) => JSON.parse((await redis.hget(cluster.keys.job(id), "data"))!)));
}

/** What map() with settled: true yields. */
function all<T>(results: AsyncIterable<PromiseSettledResult<T>>): Promise<PromiseSettledResult<T>[]> {
  return within("the results", Array.fromAsync(results));
}

function reasonOf(result: PromiseSettledResult<unknown>): unknown {
  return result.status === "rejected" ? result.reason : `It has a result: ${String(result.value)}`;
}

clusterTest("BullMQExecutor.map({ chunksize }) puts a chunk into one job", async (cluster) => {
  const executor = cluster.executor();
  const squares = executor.map(square, Array(10).keys(), { chunksize: 4 });
  const jobs = await waiting(cluster, 3);
  assertEquals(jobs.map(({ args }) => (args as unknown[]).length), [4, 4, 2]);
  assertEquals(executor.stats().queued, 10, "each item is a call");
  await cluster.serve({ workers: 2 });
  assertEquals(await within("the results", Array.fromAsync(squares)), [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
  const { queued, running, completed, failed } = executor.stats();
  assertEquals({ queued, running, completed, failed }, { queued: 0, running: 0, completed: 10, failed: 0 });
  const limited = executor.with({ timeout: 60_000, priority: 3 }).map(echo, SIX, { chunksize: 6 });
  assertEquals(await within("the results", Array.fromAsync(limited)), SIX);
});

clusterTest(
  "BullMQExecutor.map({ chunksize }) runs 20,000 items on two hosts, none twice and none never, and keeps values apart",
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    const ledger = join(gate.folder, "ledger");
    const items = Array(20_000).keys(), ledgers = Array(20_000).fill(ledger);
    let n = 0;
    for await (const doubled of executor.map(enter, ledgers, items, { chunksize: 100 })) {
      assertStrictEquals(doubled, 2 * n++);
    }
    assertStrictEquals(n, 20_000);
    const entered = readFileSync(ledger, "utf8").split("\n").slice(0, -1);
    assertEquals([entered.length, new Set(entered).size], [20_000, 20_000]);
    const shared = { of: "all items" };
    const [first, second] = await Array.fromAsync(executor.map(echo, [shared, shared], { chunksize: 2 }));
    assertEquals([first, second], [shared, shared]);
    assert(first !== second);
  },
  { hosts: otherRuntimes.map((runtime) => ({ runtime })) },
);

clusterTest("BullMQExecutor.map({ chunksize }) fails each item for itself", async (cluster) => {
  await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
  const host = await cluster.serve({ executor: local });
  const executor = cluster.executor();
  const unsendable = () => {};
  const sent = await all(executor.map(echo, [1, unsendable, 3], { chunksize: 3, settled: true }));
  assertEquals([sent[0], sent[2]], [{ status: "fulfilled", value: 1 }, { status: "fulfilled", value: 3 }]);
  assertEquals((reasonOf(sent[1]!) as Error).name, "DataCloneError");

  const thrown = await all(executor.map(throwIt, [new RangeError("a"), "b"], { chunksize: 2, settled: true }));
  assertMatch(String(reasonOf(thrown[0]!)), /^RangeError: a$/);
  assertEquals(reasonOf(thrown[1]!), "b");

  const returned = await all(
    executor.map((n: number) => n === 1 ? Symbol.for("no value") : n, [0, 1, 2], { chunksize: 3, settled: true }),
  );
  assertEquals(returned.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);

  const lost = await all(
    executor.map((n: number) => n === 1 ? process.exit(7) : n, [0, 1, 2], { chunksize: 3, settled: true }),
  );
  assertEquals(lost.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert(reasonOf(lost[1]!) instanceof WorkerLostError);
  const { completed, failed, running } = host.stats();
  assertEquals({ completed, failed, running }, { completed: 6, failed: 4, running: 0 });
  assertEquals([executor.stats().completed, executor.stats().failed], [6, 5]);
  await assertRejects(() => executor.map(exit, [1, 2], { chunksize: 2 }).next(), WorkerLostError);
});

clusterTest(
  "BullMQExecutor.map({ chunksize }) makes as many jobs of a chunk as it needs to be sent",
  async (cluster) => {
    const executor = cluster.executor({ maxPayload: 1000 });
    const items = ["a", "b", "x".repeat(2000), "c", "d"].map((text) => text.length > 1 ? text : text.repeat(400));
    const results = executor.map(echo, items, { chunksize: 5, settled: true });
    const jobs = await waiting(cluster, 2);
    assertEquals(jobs.map(({ args }) => (args as unknown[]).length), [2, 2]);
    await cluster.serve({ workers: 1 });
    const settled = await all(results);
    assertEquals(settled.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
    assertMatch(String(reasonOf(settled[2]!)), /^RangeError: .* longer than 'maxPayload', which is 1000/);
    // More items than a job may have.
    let count = 0;
    for await (const n of cluster.executor().map(echo, Array(10_001).keys(), { chunksize: 20_000 })) {
      count += n === count ? 1 : 0;
    }
    assertEquals(count, 10_001);
  },
);

clusterTest("A host fails the items of a chunk whose results have no room in its reply", async (cluster) => {
  await cluster.serve({ workers: 1, maxPayload: 10_000 });
  const executor = cluster.executor();
  const lengths = [4000, 4000, 4000, 20_000, 3];
  const settled = await all(executor.map((n: number) => "x".repeat(n), lengths, { chunksize: 5, settled: true }));
  assertEquals(settled.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "rejected", "fulfilled"]);
  assertMatch(String(reasonOf(settled[2]!)), /^RangeError: Cannot send a value that is among the results of a chunk/);
});

clusterTest("BullMQExecutor.map({ chunksize }) that is left removes the chunks that wait", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const results = executor.map(note, Array(6).fill(gate.folder), SIX, { chunksize: 3 });
  await waiting(cluster, 2);
  await results.return();
  await waiting(cluster, 0);
  assertEquals(executor.stats().cancelled, 6);
  await cluster.serve({ workers: 1 });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  assertEquals(gate.notes, []);
});

clusterTest("BullMQExecutor.map({ chunksize }) that is left begins no further item on the host", async (cluster) => {
  await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
  await cluster.serve({ executor: local });
  const executor = cluster.executor();
  using gate = new Gate();
  const results = executor.map(hold, Array(6).fill(gate.folder), SIX, { chunksize: 6 });
  await gate.noted();
  await until("it is known to run", () => executor.stats().running === 6);
  await results.return();
  await until("the host has heard of it", () => local.stats().cancelled === 5);
  await until("the chunk is answered", () => executor.stats().cancelled === 6);
  gate.open();
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  assertEquals(gate.notes, ["0"]);
});

clusterTest(
  "BullMQExecutor.with({ signal }).map({ chunksize }) stops a chunk that waits, and one that runs",
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    const reason = new Error("changed my mind");
    const stopped = async (running: number) => {
      const controller = new AbortController();
      const view = executor.with({ signal: controller.signal, grace: 10 });
      const results = all(view.map(hold, Array(3).fill(gate.folder), [1, 2, 3], { chunksize: 3, settled: true }));
      if (running === 0) await waiting(cluster, 1);
      else await until("it is known to run", () => executor.stats().running === running);
      controller.abort(reason);
      for (const result of await results) assertStrictEquals(reasonOf(result), reason);
    };
    await stopped(0);
    await waiting(cluster, 0);
    await cluster.serve({ workers: 1 });
    await stopped(3);
    gate.open();
    assertEquals(await within("a call", executor.submit(square, 3)), 9);
  },
);

clusterTest(
  "BullMQExecutor.with({ timeout, retries }).map({ chunksize }) limits each item, and runs it again",
  async (cluster) => {
    await cluster.serve({ workers: 1 });
    const executor = cluster.executor();
    using gate = new Gate();
    using open = new Gate();
    using notes = new Gate();
    open.open();
    const folders = [open.folder, gate.folder, open.folder];
    const limited = executor.with({ timeout: 200 }).map(hold, folders, [1, 2, 3], { chunksize: 3, settled: true });
    const settled = await all(limited);
    assertEquals(settled.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assert(reasonOf(settled[1]!) instanceof TaskTimeoutError);

    // What a task throws is judged here, and the item goes again alone.
    const again = executor.with({ retries: 3, retryOn: (error) => error instanceof RangeError });
    const attempts = again.map(
      (n: number, folder: string) => {
        const { appendFileSync, readFileSync } = process.getBuiltinModule("node:fs");
        appendFileSync(`${folder}/notes`, `${n}\n`);
        if (n === 1 && readFileSync(`${folder}/notes`, "utf8").split("1").length < 4) throw new RangeError("not yet");
        return n;
      },
      [0, 1, 2],
      Array(3).fill(notes.folder),
      { chunksize: 3 },
    );
    assertEquals(await within("the results", Array.fromAsync(attempts)), [0, 1, 2]);
    assertEquals(notes.notes, ["0", "1", "2", "1", "1"]);
  },
);

clusterTest(
  "BullMQExecutor.with({ expires }).map() takes back what has not begun in time, a chunk as one",
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    for (const chunksize of [1, 3]) {
      const late = executor.with({ expires: 100 }).map(note, Array(6).fill(gate.folder), SIX, {
        chunksize,
        settled: true,
      });
      for (const result of await all(late)) {
        const reason = reasonOf(result);
        assert(reason instanceof TimeoutError, String(reason));
        assertEquals(reason.message, "The call has not begun within 100 ms");
      }
      await waiting(cluster, 0);
    }
    await assertRejects(() => executor.with({ expires: 1 }).map(note, [gate.folder], ["late"]).next(), TimeoutError);
    await cluster.serve({ workers: 1 });
    const running = all(
      executor.with({ expires: 5_000 }).map(hold, Array(3).fill(gate.folder), [1, 2, 3], {
        chunksize: 3,
        settled: true,
      }),
    );
    await until("it is known to run", () => executor.stats().running === 3);
    gate.open();
    assertEquals((await running).map(({ status }) => status), ["fulfilled", "fulfilled", "fulfilled"]);
    assertEquals(gate.notes, ["1", "2", "3"]);
  },
);

clusterTest("BullMQExecutor.map({ chunksize }) has a chunk run again whose host is killed", async (cluster) => {
  const first = await cluster.host({ runtime: one!, stalledInterval: STALLED });
  const executor = cluster.executor();
  using gate = new Gate();
  const results = executor.map(hold, Array(3).fill(gate.folder), [0, 1, 2], { chunksize: 3 });
  await gate.noted();
  const second = cluster.host({ runtime: other!, stalledInterval: STALLED });
  await first.end("SIGKILL");
  await second;
  await gate.noted(2);
  gate.open();
  assertEquals(await within("the results", Array.fromAsync(results)), [0, 1, 2]);
  assertEquals(gate.notes, ["0", "0", "1", "2"]);
  assertEquals(executor.stats().lost, 3);
});

clusterTest("BullMQExecutor adds chunks again that Redis has lost", async (cluster) => {
  const executor = cluster.executor({ log: () => {} });
  const results = executor.map(square, Array(10).keys(), { chunksize: 5 });
  await waiting(cluster, 2);
  await cluster.redis().flushall();
  await waiting(cluster, 2);
  await cluster.serve({ workers: 1 });
  assertEquals(await within("the results", Array.fromAsync(results)), [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
});

clusterTest(
  "A host hands back a chunk that waits behind a long one, and what it has when it closes",
  async (cluster) => {
    await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
    const host = await cluster.serve({ executor: local });
    const executor = cluster.executor();
    using gate = new Gate();
    using ledger = new Gate();
    const file = join(ledger.folder, "ledger");
    // So that the host takes more than one ahead.
    await Array.fromAsync(executor.map(square, Array(1000).keys(), { chunksize: 10 }));
    const long = Array.fromAsync(executor.map(hold, Array(2).fill(gate.folder), [0, 1], { chunksize: 2 }));
    await gate.noted();
    const behind = executor.map(enter, Array(40).fill(file), Array(40).keys(), { chunksize: 10 });
    await cluster.serve({ workers: 1 });
    assertEquals((await within("the others", Array.fromAsync(behind))).length, 40);
    assertEquals(entryCounts(file).size, 40);
    const closed = host.close();
    gate.open();
    await within("close()", closed);
    assertEquals(await within("the long one", long), [0, 1]);
    assertEquals(gate.notes, ["0", "1"]);
    assertEquals(host.stats().failed, 0, "what was handed back has not failed");
  },
);

clusterTest("A host that is closed ends a chunk with its worker when drainTimeout is over", async (cluster) => {
  await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
  const host = await cluster.serve({ executor: local, drainTimeout: 50 });
  const executor = cluster.executor();
  using gate = new Gate();
  const results = executor.map(hold, Array(3).fill(gate.folder), [0, 1, 2], { chunksize: 3 });
  await gate.noted();
  await within("close()", host.close());
  await until("no worker is busy", () => local.stats().busy === 0);
  assertEquals(await within("a call of the executor itself", local.submit(square, 3)), 9);
  assertEquals(gate.notes, ["0"]);
  await cluster.serve({ workers: 1 });
  await gate.noted(2);
  gate.open();
  assertEquals(await within("the results", Array.fromAsync(results)), [0, 1, 2]);
});

clusterTest("BullMQExecutor.shutdown({ cancelFutures: true }) and killWorkers() end chunks", async (cluster) => {
  const [one, two] = [cluster.executor(), cluster.executor()];
  const cancelled = all(one.map(square, SIX, { chunksize: 3, settled: true }));
  await waiting(cluster, 2);
  await within("shutdown()", one.shutdown({ cancelFutures: true }));
  for (const result of await cancelled) assert(reasonOf(result) instanceof CancelledError);
  await waiting(cluster, 0);
  await cluster.serve({ workers: 1 });
  using gate = new Gate();
  const given = all(two.map(hold, Array(3).fill(gate.folder), [1, 2, 3], { chunksize: 3, settled: true }));
  await until("it is known to run", () => two.stats().running === 3);
  two.killWorkers();
  for (const result of await given) assert(reasonOf(result) instanceof WorkerLostError);
  await within("shutdown()", two.shutdown());
  gate.open();
  assertEquals(await within("a call", cluster.executor().submit(square, 3)), 9);
});

clusterTest("BullMQExecutor.with({ key }).map({ chunksize }) is refused", async (cluster) => {
  const executor = cluster.executor();
  const settled = await all(executor.with({ key: "k" }).map(square, [1, 2], { chunksize: 2, settled: true }));
  for (const result of settled) assertMatch(String(reasonOf(result)), /^TypeError: Cannot map with a 'key'/);
});

// Hosts that are lost or told to end, a Redis server that dies, calls that kill their hosts: every call that was accepted is
// run, and its Future is settled.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { type Future, WorkerLostError } from "../../../mod.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { STALLED } from "../../support/bullmq_host.ts";
import { entryCounts } from "../../support/entry_counts.ts";
import { Gate } from "../../support/gate.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { enter, holdSomewhere, killHost } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold, holdToEnd } from "../../fixtures/tasks/gate_tasks.ts";
import { until, within } from "../../support/until.ts";

const [one, other] = otherRuntimes;

function resultsOf<T>(futures: readonly Future<T>[]): Promise<T[]> {
  return within(`${futures.length} calls`, Promise.all(futures));
}

clusterTest("BullMQExecutor uses two hosts on different runtimes at the same time", async (cluster) => {
  await Promise.all(otherRuntimes.map((runtime) => cluster.host({ runtime })));
  const executor = cluster.executor();
  using gate = new Gate();
  const futures = [0, 1].map(() => executor.submit(holdSomewhere, gate.folder));
  await gate.noted(2); // would wait for ever if one waited for the other
  gate.open();
  assertEquals((await resultsOf(futures)).sort(), [...otherRuntimes].sort());
  const { hosts, workers, waiting, running } = await executor.cluster();
  assertEquals(hosts.map(({ runtime }) => runtime).sort(), [...otherRuntimes].sort());
  assertEquals({ workers, waiting, running }, { workers: 2, waiting: 0, running: 0 });
});

clusterTest("BullMQExecutor has the calls of a host that is killed run by another", async (cluster) => {
  const first = await cluster.host({ runtime: one!, workers: 2, stalledInterval: STALLED });
  const executor = cluster.executor();
  using gate = new Gate();
  const futures = Array.from({ length: 6 }, (_, n) => executor.submit(hold, gate.folder, n));
  await gate.noted(2);
  const second = cluster.host({ runtime: other!, workers: 2, stalledInterval: STALLED });
  assertEquals(await first.end("SIGKILL"), "SIGKILL");
  await second;
  await gate.noted(4); // both of the killed host, or two that waited
  gate.open();
  assertEquals(await resultsOf(futures), [0, 1, 2, 3, 4, 5]);
  // At least once: the two that had begun have done so again.
  assertEquals(new Set(gate.notes.slice(2)), new Set(["0", "1", "2", "3", "4", "5"]));
});

clusterTest(
  "BullMQExecutor loses nothing when Redis is killed in the middle of 2,000 jobs and comes back",
  async (cluster) => {
    await Promise.all(otherRuntimes.map((runtime) => cluster.host({ runtime, stalledInterval: STALLED })));
    const executor = cluster.executor();
    using gate = new Gate();
    const ledger = join(gate.folder, "ledger");
    const futures = Array.from({ length: 2_000 }, (_, n) => executor.submit(enter, ledger, n));
    await until("some are done", () => executor.stats().completed > 300);
    await cluster.server.kill();
    const { completed } = executor.stats();
    assert(completed < 2_000, "it was killed in the middle");
    await cluster.server.restart();
    assertEquals(await resultsOf(futures), futures.map((_, n) => n * 2));
    assertEquals(entryCounts(ledger).size, 2_000);
    assertEquals(await executor.submit(square, 3), 9, "both sides go on");
  },
  { appendOnly: true },
);

clusterTest("BullMQExecutor waits for Redis while there is none, and submits then", async (cluster) => {
  await cluster.host({ runtime: one! });
  const executor = cluster.executor();
  assertEquals(await executor.submit(square, 2), 4);
  await cluster.server.stop();
  const futures = Array.from({ length: 10 }, (_, n) => executor.submit(square, n));
  await cluster.server.restart();
  assertEquals(await resultsOf(futures), futures.map((_, n) => n * n));
}, { appendOnly: true });

clusterTest(
  "BullMQExecutor lets a host finish what it runs on SIGTERM, and the rest go to another",
  async (cluster) => {
    const first = await cluster.host({ runtime: one! });
    const executor = cluster.executor();
    using gate = new Gate();
    const futures = Array.from({ length: 5 }, (_, n) => executor.submit(hold, gate.folder, n));
    await gate.noted();
    const ended = first.end("SIGTERM");
    await cluster.host({ runtime: other! });
    await gate.noted(2);
    assertEquals(futures[0]!.done(), false);
    gate.open();
    assertEquals(await ended, 0);
    assertEquals(await resultsOf(futures), [0, 1, 2, 3, 4]);
    assertEquals(gate.notes.sort(), ["0", "1", "2", "3", "4"], "each has run once");
  },
);

clusterTest(
  "BullMQExecutor gets back what a host has not finished by the end of its time on SIGTERM",
  async (cluster) => {
    const first = await cluster.host({ runtime: one!, drainTimeout: 100 });
    const executor = cluster.executor();
    using gate = new Gate();
    const future = executor.submit(hold, gate.folder, 7);
    await gate.noted();
    assertEquals(await first.end("SIGTERM"), 0);
    await cluster.host({ runtime: other! });
    await gate.noted(2);
    gate.open();
    assertEquals(await within("the call", future), 7);
  },
);

clusterTest("A call that has lost its host runs alone the next time", async (cluster) => {
  const first = await cluster.host({ runtime: one!, workers: 4, stalledInterval: STALLED });
  const executor = cluster.executor();
  using gate = new Gate();
  const futures = Array.from({ length: 4 }, (_, n) => executor.submit(holdToEnd, gate.folder, n));
  await gate.noted(4);
  assertEquals(await first.end("SIGKILL"), "SIGKILL");
  gate.open();
  await cluster.host({ runtime: other!, workers: 4, stalledInterval: STALLED });
  const others = Array.from({ length: 20 }, (_, n) => executor.submit(holdToEnd, gate.folder, 100 + n));
  assertEquals(await resultsOf(futures), [0, 1, 2, 3]);
  await resultsOf(others);
  const notes = gate.notes.slice(4);
  for (const n of [0, 1, 2, 3]) assertEquals(notes[notes.indexOf(String(n)) + 1], `end of ${n}`, notes.join(", "));
  assertEquals(notes.length, 48);
  // None of the others ran while it began, either.
  for (const n of [0, 1, 2, 3]) {
    const before = notes.slice(0, notes.indexOf(String(n)));
    assertEquals(before.filter((text) => text.startsWith("end")).length * 2, before.length, notes.join(", "));
  }
  assertEquals(await executor.submit(square, 3), 9);
});

clusterTest("A call that has cost a hundred hosts is not delivered again, whatever its job says", async (cluster) => {
  const queue = await cluster.jobs();
  const call = {
    futures: 1,
    module: "arithmetic",
    name: "square",
    args: "[[1],3]",
    redeliveries: Number.MAX_SAFE_INTEGER,
  };
  const job = await queue.add("deadly", call, { jobId: "deadly" });
  await cluster.redis().hset(cluster.keys.job("deadly"), "stc", 101);
  await cluster.serve({ workers: 1 });
  assertMatch(JSON.stringify(await within("the job", queue.replyTo(job))), /delivered to 101 hosts, and all were lost/);
});

clusterTest("BullMQExecutor fails a call that keeps killing its hosts, after its retries", async (cluster) => {
  const executor = cluster.executor();
  using gate = new Gate();
  const deadly = executor.with({ retries: 1 }).submit(killHost, gate.folder);
  for (let delivery = 0; delivery < 2; delivery++) {
    const host = cluster.start({ runtime: one!, stalledInterval: STALLED });
    assertEquals(await within("A host that is killed by a call", host.ended), "SIGKILL");
  }
  await cluster.host({ runtime: other!, stalledInterval: STALLED });
  const error = await within("the call", deadly.exception());
  assert(error instanceof WorkerLostError, String(error));
  assertEquals(gate.notes.length, 2);
  assertEquals(await executor.submit(square, 3), 9);
});

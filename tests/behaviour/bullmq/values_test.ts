// The table in docs/values.md of what can cross, between this runtime and hosts on every runtime.

import { assert, assertEquals, assertMatch } from "@std/assert";
import node from "node:assert/strict";
import { type Runtime, runtime } from "../../support/runtime.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { cellFor, readTable, receive, rows, send } from "../crossing_rows.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { echo } from "../../fixtures/tasks/cluster_tasks.ts";
import { within } from "../../support/until.ts";

const table = readTable();

/** Registers a test with a host on a runtime. */
function between(host: Runtime, name: string, body: (cluster: TestCluster) => Promise<void>): void {
  clusterTest(`BullMQExecutor on ${runtime} ${name} a host on ${host} and back`, body, { hosts: [{ runtime: host }] });
}

for (const host of [runtime, ...otherRuntimes]) {
  between(host, "carries what the table says to", async (cluster) => {
    const executor = cluster.executor();
    const wrong: string[] = [];
    for (const [name, row] of Object.entries(rows)) {
      // "a or b" is either, as the two runtimes have it.
      const said = cellFor(table.get(name)?.[2] ?? "").split(" or ");
      const found: string[] = [];
      for (const value of await row.values()) found.push(await within(name, send(executor, name, row, value)));
      if (!row.here) {
        const { length } = await row.values();
        for (let n = 0; n < length; n++) found.push(await within(name, receive(executor, row, n)));
      }
      wrong.push(...found.filter((cell) => !said.includes(cell)).map((cell) => `${name}: ${cell}`));
    }
    node.deepEqual(wrong, []);
  });

  between(host, "carries errors that a task throws to", async (cluster) => {
    const executor = cluster.executor();
    const error = await executor.submit(() => {
      throw Object.assign(new RangeError("out of paper", { cause: new Map([["code", 7n]]) }), { tray: 2 });
    }).exception() as RangeError & { tray?: number };
    assert(error instanceof RangeError);
    node.deepEqual([error.message, error.cause, error.tray], ["out of paper", new Map([["code", 7n]]), 2]);
    const several = await executor.submit(() => {
      throw new AggregateError([new TypeError("one"), undefined, -0], "several");
    }).exception() as AggregateError;
    assert(several instanceof AggregateError && several.errors[0] instanceof TypeError);
    node.deepEqual(several.errors.slice(1), [undefined, -0]);
  });
}

clusterTest("BullMQExecutor refuses values that are too long, with a message that says so", async (cluster) => {
  const executor = cluster.executor({ maxPayload: 1_000 });
  const error = await executor.submit(echo, "x".repeat(2_000)).exception();
  assert(error instanceof RangeError);
  assertMatch(error.message, /'maxPayload', which is 1000/);
  assertEquals(await executor.submit(echo, "short"), "short");
}, { hosts: [{}] });

clusterTest("BullMQExecutor carries bytes of every value, and megabytes of them", async (cluster) => {
  const executor = cluster.executor();
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, n) => n * 7);
  node.deepEqual(await within("the bytes", executor.submit(echo, bytes)), bytes);
}, { hosts: [{ runtime: otherRuntimes[0]! }] });

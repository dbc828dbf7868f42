// Calls that no host takes: the executor says so, and they may expire.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { TimeoutError } from "../../../mod.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { until, within } from "../../support/until.ts";

clusterTest("BullMQExecutor says once that no host serves its queue", async (cluster) => {
  const executor = cluster.executor();
  const reports = await reportsOf(async (reports) => {
    const futures = [1, 2].map((n) => executor.submit(square, n));
    await until("it has said so", () => reports.length > 0);
    await cluster.serve({ workers: 1 });
    assertEquals(await within("the calls", Promise.all(futures)), [1, 4]);
  });
  assertEquals(reports.length, 1);
  assertEquals(
    reports[0]!.join(" "),
    `concurrent.futures: No host serves queue '${cluster.queue}': 2 calls wait. Start a host, or check its 'queue' and 'prefix'`,
  );
});

clusterTest(
  "BullMQExecutor.with({ expires }) rejects a call that has not begun in time, and takes it back",
  async (cluster) => {
    const executor = cluster.executor();
    using gate = new Gate();
    const late = executor.with({ expires: 100 }).submit(note, gate.folder, "must not run");
    const error = await within("the call", late.exception());
    assert(error instanceof TimeoutError, String(error));
    assertEquals(error.message, "The call has not begun within 100 ms");
    await cluster.serve({ workers: 1 });
    // One that has begun goes on, and one that is done in time stays so.
    const running = executor.with({ expires: 20_000 }).submit(hold, gate.folder, 1);
    await gate.noted();
    await until("it is known to run", () => running.running());
    const behind = executor.with({ expires: 1 }).submit(note, gate.folder, "must not run");
    assertMatch(
      String(await within("the call", behind.exception())),
      /^TimeoutError: The call has not begun within 1 ms/,
    );
    gate.open();
    assertEquals(await within("the call", running), 1);
    assertEquals(await executor.with({ expires: Infinity }).submit(square, 3), 9);
    assertEquals(gate.notes, ["1"]);
    const { waiting } = await executor.cluster();
    assertEquals(waiting, 0);
    assertThrows(() => executor.with({ expires: -1 }), RangeError, "expires");
    assertThrows(() => executor.with({ expires: "soon" as never }), TypeError, "expires");
  },
);

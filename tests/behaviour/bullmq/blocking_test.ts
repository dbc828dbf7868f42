// What a program that blocks is told of calls that run elsewhere.

import { assertEquals, assertThrows } from "@std/assert";
import { asCompleted } from "../../../mod.ts";
import { exceptionSync, iterateSync, resultSync, waitSync } from "../../../src/sync/mod.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";

clusterTest("BullMQExecutor says at the call that nobody can block for it", async (cluster) => {
  const executor = cluster.executor();
  const future = executor.submit(square, 3);
  const REASON = "as this executor needs the event loop: await the Future";
  assertThrows(() => resultSync(future), Error, `Cannot wait for a result ${REASON}`);
  assertThrows(() => resultSync(future, 1), Error, `Cannot wait for a result ${REASON}`);
  assertThrows(() => exceptionSync(future), Error, `Cannot wait for an error ${REASON}`);
  assertThrows(() => waitSync([future]), Error, `Cannot wait for futures ${REASON}`);
  for (const iterator of [executor.map(square, [1]), asCompleted([future])]) {
    assertThrows(() => iterateSync(iterator as AsyncIterable<unknown>), Error, `Cannot iterate over results ${REASON}`);
  }
  await cluster.serve({ workers: 1 });
  assertEquals(await future, 9);
  assertEquals(resultSync(future), 9, "it is done");
});

// Redis that does not do what it should: it is away, silent, full, or has lost its data. Calls wait, or fail with the reason.

import { assertEquals } from "@std/assert";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Relay } from "../../support/relay.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { within } from "../../support/until.ts";

clusterTest("BullMQExecutor and its hosts connect again when a connection goes silent", async (cluster) => {
  await using relay = await Relay.start(cluster.server.url);
  const connection = { url: relay.url };
  await cluster.serve({ connection });
  const executor = cluster.executor({ connection });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  relay.cut();
  assertEquals(await within("a call after the cut", executor.submit(square, 4)), 16);
});

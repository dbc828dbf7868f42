// What a host and a submitter tell those who operate them.

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { createServer } from "node:http";
import { test } from "node:test";
import { ThreadPoolExecutor } from "../../../mod.ts";
import { metricsOf } from "../../../src/bullmq/mod.ts";
import { readServeOptions } from "../../../src/bullmq/host/serve_options.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { until, within } from "../../support/until.ts";

interface Page {
  readonly status: number;
  readonly text: string;
}

async function get(port: number, path: string, method = "GET"): Promise<Page> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: response.status, text: await response.text() };
}

/** The value of a metric, whatever its labels are but for those that are given. */
function valueOf(text: string, name: string, labels = ""): number {
  const line = text.split("\n").find((line) => line.startsWith(`${name}{`) && line.includes(labels));
  return Number(line?.split(" ").at(-1));
}

/** Fails if a line is none of the format. */
function assertFormat(text: string): void {
  for (const line of text.split("\n")) {
    assertMatch(line, /^$|^# (HELP|TYPE) [a-z_]+ .+$|^[a-z_]+\{([a-z_]+="(\\.|[^"\\])*",?)*\} [\d.e+-]+$/);
  }
}

clusterTest("A host says by HTTP that it lives and takes calls, and its numbers", async (cluster) => {
  const host = await cluster.serve({ health: { port: 0, hostname: "127.0.0.1" }, name: 'a "host"' });
  const port = host.healthPort!;
  assertEquals(await get(port, "/live"), { status: 200, text: '{"live":true,"reasons":[]}\n' });
  assertEquals(await get(port, "/ready"), { status: 200, text: '{"ready":true,"reasons":[]}\n' });
  assertEquals((await get(port, "/elsewhere")).status, 404);
  assertEquals((await get(port, "/live", "POST")).status, 405);

  const executor = cluster.executor();
  assertEquals(await executor.submit(square, 3), 9);
  await assertRejects(() =>
    executor.submit(() => {
      throw new Error("no");
    }).result()
  );
  const { status, text } = await get(port, "/metrics");
  assertEquals(status, 200);
  assertMatch(text, /futures_host_calls_total\{queue="[^"]+",host="a \\"host\\"",outcome="completed"\} 1/);
  assertEquals(valueOf(text, "futures_host_calls_total", 'by="task"'), 1);
  assertEquals(valueOf(text, "futures_host_calls_total", 'by="host"'), 0);
  assertEquals(valueOf(text, "futures_host_call_duration_seconds_count"), 2);
  assertEquals(valueOf(text, "futures_host_call_duration_seconds_bucket", 'le="+Inf"'), 2);
  assertEquals(valueOf(text, "futures_queue_waiting"), 0);
  assertEquals(valueOf(text, "futures_host_reconnects_total"), 0);
  assertFormat(text);
});

clusterTest("A host whose Redis is away is alive and not ready, and says why", async (cluster) => {
  const host = await cluster.serve({ health: { port: 0 } });
  const port = host.healthPort!;
  await cluster.server.stop();
  await until("the host is not ready", async () => (await get(port, "/ready")).status === 503);
  assertMatch((await get(port, "/ready")).text, /Redis cannot be reached/);
  assertEquals((await get(port, "/live")).status, 200);
  const { text } = await within("the numbers without Redis", get(port, "/metrics"));
  assertEquals(text.includes("futures_queue_waiting"), false);
  await cluster.server.restart();
  await until("the host is ready again", async () => (await get(port, "/ready")).status === 200);
  assert(valueOf((await get(port, "/metrics")).text, "futures_host_reconnects_total") > 0);
});

clusterTest("A closed host has closed its page, and a taken port is told", async (cluster) => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, () => resolve((taken.address() as { port: number }).port))
  );
  await assertRejects(() => cluster.serve({ health: { port } }), Error, `port ${port} of 'health' cannot be opened`);
  await new Promise((resolve) => taken.close(resolve));
  const host = await cluster.serve({ health: { port } });
  assertEquals(host.healthPort, port);
  await host.close();
  await assertRejects(() => get(port, "/live"));
});

test("The option 'health' is checked", () => {
  const tasks = { arithmetic: new URL("../../fixtures/tasks/arithmetic.ts", import.meta.url) };
  const read = (health: unknown) => () => readServeOptions({ queue: "q", tasks, health: health as never }, "id");
  assertThrows(read(8080), TypeError, "'health' must be an object");
  assertThrows(read({}), TypeError, "'health.port' must be a number");
  assertThrows(read({ port: 70_000 }), RangeError, "'health.port' must be a port");
  assertThrows(read({ port: 1, path: "/" }), TypeError, "path");
  assertThrows(read({ port: 1, hostname: 1 }), TypeError, "'health.hostname'");
});

clusterTest(
  "metricsOf() writes of BullMQExecutor how long calls take, and how often Redis was lost",
  async (cluster) => {
    await cluster.serve();
    const executor = cluster.executor(), labels = { executor: "one" };
    assertEquals(valueOf(metricsOf(executor, labels), "futures_call_duration_seconds_count"), 0);
    assertEquals(await executor.submit(square, 3), 9);
    const results = executor.map(square, [1, 2, 3, 4], { chunksize: 2 });
    assertEquals(await within("map()", Array.fromAsync(results)), [1, 4, 9, 16]);
    const text = metricsOf(executor, labels);
    assertEquals(valueOf(text, "futures_calls_total", 'outcome="completed"'), 5);
    assertEquals(valueOf(text, "futures_call_duration_seconds_count"), 3, "a chunk is one");
    assertEquals(valueOf(text, "futures_call_duration_seconds_bucket", 'le="+Inf"'), 3);
    assert(valueOf(text, "futures_call_duration_seconds_sum") > 0);
    assertEquals(valueOf(text, "futures_reconnects_total"), 0);
    assertFormat(text);
    await cluster.redis().call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await until("it has connected again", () => valueOf(metricsOf(executor, labels), "futures_reconnects_total") === 1);
    assertEquals(await within("a call", executor.submit(square, 4)), 16);
  },
);

test("metricsOf() writes what any executor is doing", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  await executor.submit(() => 1);
  const text = metricsOf(executor, { executor: "a\n\\" });
  assertMatch(text, /^futures_calls_total\{executor="a\\n\\\\",outcome="completed"\} 1$/m);
  assertMatch(metricsOf(executor), /^futures_calls_queued 0$/m);
});

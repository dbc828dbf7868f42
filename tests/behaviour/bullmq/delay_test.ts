// Calls that may not begin before some time has passed.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { CancelledError, ThreadPoolExecutor, TimeoutError } from "../../../mod.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { divide, square } from "../../fixtures/tasks/arithmetic.ts";
import { note } from "../../fixtures/tasks/gate_tasks.ts";
import { until, within } from "../../support/until.ts";

/** Long enough for whatever a test does meanwhile, in milliseconds. */
const LONG = 3_600_000;

clusterTest("BullMQExecutor.with({ delay }) lets a call wait before it begins, and no other", async (cluster) => {
  await cluster.serve({ workers: 1 });
  const executor = cluster.executor();
  using gate = new Gate();
  const begun = Date.now();
  const late = executor.with({ delay: 600, priority: 5 }).submit(note, gate.folder, "late");
  const mapped = Array.fromAsync(executor.with({ delay: 300 }).map(square, [1, 2, 3]));
  const once = executor.with({ delay: 300, key: "once" }).submit(square, 4);
  await within("a call without a delay", executor.submit(note, gate.folder, "at once"));
  assertEquals(late.done() || late.running(), false);
  assertEquals(await within("the calls of map()", mapped), [1, 4, 9]);
  assertEquals(await within("the call with a key", once), 16);
  await within("the call that waits", late);
  assert(Date.now() - begun >= 600, "it has waited");
  assertEquals(gate.notes, ["at once", "late"]);
});

clusterTest(
  "A call that waits for its delay is cancelled, aborted or expires, and then does not run",
  async (cluster) => {
    const executor = cluster.executor(), controller = new AbortController();
    const view = executor.with({ delay: LONG });
    const [cancelled, shut] = [1, 2].map((n) => view.submit(square, n));
    const aborted = view.with({ signal: controller.signal }).submit(square, 3);
    const expired = executor.with({ delay: 500, expires: 510 }).submit(square, 4);
    await until("they wait in Redis", async () => (await executor.cluster()).waiting >= 3);
    assertEquals(executor.stats().queued >= 3, true);
    assertEquals(cancelled!.cancel(), true);
    controller.abort();
    assert(await within("a call that expires", expired.exception()) instanceof TimeoutError);
    assertEquals(await aborted.exception().catch((error) => error.name), "AbortError");
    await until("one is left", async () => (await executor.cluster()).waiting === 1);
    await within("shutdown()", executor.shutdown({ cancelFutures: true }));
    assert(await shut!.exception().catch((error) => error) instanceof CancelledError);
    assertEquals((await cluster.executor().cluster()).waiting, 0);
  },
);

clusterTest(
  "shutdown() waits for a call that waits for its delay, and a host that closes does not",
  async (cluster) => {
    const executor = cluster.executor(), host = await cluster.serve();
    const future = executor.with({ delay: 800 }).submit(square, 3);
    await until("it waits in Redis", async () => (await executor.cluster()).waiting === 1);
    const closed = executor.shutdown();
    await within("close()", host.close());
    assertEquals(future.done(), false);
    await cluster.serve();
    await within("shutdown()", closed);
    assertEquals(await future, 9);
  },
);

clusterTest("A call that Redis loses while it waits for its delay waits for the rest of it", async (cluster) => {
  const executor = cluster.executor({ log() {} }), redis = cluster.redis();
  await cluster.serve();
  const begun = Date.now(), delay = 4000;
  const future = executor.with({ delay }).submit(square, 3);
  await until("it waits in Redis", async () => (await executor.cluster()).waiting === 1);
  await redis.flushall();
  await until("it waits there again", async () => (await executor.cluster()).waiting === 1);
  const [score] = (await redis.zrange(cluster.keys.job("delayed"), "0", "-1", "WITHSCORES")).slice(1);
  assert(Number(score) / 4096 - begun < delay + 1000, "it does not begin anew");
  assertEquals(await within("the call", future), 9);
  assert(Date.now() - begun >= delay, "it has waited");
});

clusterTest("A retry does not wait for the delay again", async (cluster) => {
  await cluster.serve();
  const view = cluster.executor().with({ delay: 300, retries: 2, retryOn: () => true });
  const error = await within("the call", view.submit(divide, 0).exception());
  assertEquals((error as Error).name, "RangeError");
  const redis = cluster.redis(), jobs = await redis.keys(cluster.keys.job("*-*-*-*-*-*"));
  const delays = await Promise.all(jobs.map(async (key) => JSON.parse((await redis.hget(key, "opts"))!).delay));
  assertEquals(delays.filter((delay) => delay !== undefined && delay !== 0), [300]);
  assertEquals(delays.length, 3);
});

clusterTest("with({ delay }) refuses what cannot be", (cluster) => {
  const executor = cluster.executor();
  for (const delay of [-1, NaN, Infinity, 366 * 24 * 3_600_000]) {
    assertThrows(() => executor.with({ delay }), RangeError, "delay");
  }
  assertThrows(() => executor.with({ delay: "soon" as never }), TypeError, "delay");
  assertThrows(
    () => executor.with({ expires: 100 }).with({ delay: 100 }),
    RangeError,
    "'delay' must be less than 'expires'",
  );
  const local = new ThreadPoolExecutor();
  assertThrows(() => local.with({ delay: 1 } as never), TypeError, "no option 'delay'");
  return Promise.resolve();
});

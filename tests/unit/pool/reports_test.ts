// What a worker says that its tasks have reported: whose reports are heard, and which messages end the worker.

import { assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { type Future, TaskTimeoutError, WorkerLostError } from "../../../mod.ts";
import { MOST_REPORTS } from "../../../src/wire/messages.ts";
import { errorOf } from "../../support/futures.ts";
import { CLAIMS_KINDS, type ClaimsKind, ownersOf } from "../../support/memory_channel.ts";
import { delivered, MemoryExecutor, type MemoryWorker } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";

const identity = (n: number) => n;

/** Two calls that are listened to and one that is not, held by a worker that the test plays, which has begun the first. */
async function listening(
  claims: ClaimsKind,
  onReport: (value: unknown, future: Future<unknown>) => unknown = () => {},
) {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
  executor.map(identity, Array.from({ length: 32 }, () => -1), { chunksize: 32 });
  const [worker] = executor.workers as [MemoryWorker];
  worker.ready();
  await delivered();
  worker.done(0, Array.from({ length: 32 }, () => -1), 0.01);
  const heard: unknown[] = [];
  const view = executor.with({
    onReport(value: unknown, future) {
      heard.push(value);
      return onReport(value, future);
    },
  });
  const futures = [view.submit(identity, 0), view.submit(identity, 1), executor.submit(identity, 2)];
  await delivered();
  if (claims) worker.begin(32);
  return { executor, worker, futures, heard };
}

const say = (worker: MemoryWorker, message: unknown) => worker.say(message);

for (const claims of CLAIMS_KINDS) {
  const kind = ownersOf(claims);

  test(`Executor hears reports of the call that runs, until it is done (${kind})`, async () => {
    const { executor, worker, futures, heard } = await listening(claims);
    say(worker, { kind: "reports", call: 32, values: [1, undefined, { two: 2 }] });
    say(worker, { kind: "reports", call: 32, values: [] });
    worker.done(32, [0]);
    await delivered();
    if (claims) worker.begin(33);
    say(worker, { kind: "reports", call: 33, values: Array(MOST_REPORTS).fill(3) });
    await delivered();
    assertEquals(heard, [1, undefined, { two: 2 }, ...Array(MOST_REPORTS).fill(3)]);
    worker.done(33, [1, 2]);
    assertEquals(await Promise.all(futures), [0, 1, 2]);
    assertEquals(worker.endedBy, undefined);
    await executor.shutdown();
  });

  const MALFORMED: readonly object[] = [
    ...[undefined, "32", NaN, -1, 1.5, 32n, {}].map((call) => ({ call, values: [1] })),
    ...[undefined, null, 1, "ab", { length: 1, 0: 1 }, new Array(MOST_REPORTS + 1), new Array(2 ** 32 - 1)].map((
      values,
    ) => ({
      call: 32,
      values,
    })),
    { call: 31, values: [1] }, // it is answered
    { call: 34, values: [1] }, // nobody listens to it
    { call: 35, values: [1] }, // there is none
    { call: 2 ** 40, values: [1] },
    ...(claims ? [{ call: 33, values: [1] }] : []), // it has not begun
  ];
  test(`Executor ends a worker whose reports are malformed, or of a call that does not run (${kind})`, async () => {
    for (const parts of MALFORMED) {
      const { executor, worker, futures, heard } = await listening(claims);
      const reports = await reportsOf(async () => {
        say(worker, { kind: "reports", ...parts });
        await delivered();
      });
      assertEquals([worker.endedBy, heard], ["kill", []]);
      assertMatch(String(reports[0]), /malformed message/);
      worker.close();
      await delivered();
      assertEquals(await errorOf(futures[0]!) instanceof WorkerLostError, true);
      executor.killWorkers();
      await executor.shutdown();
      assertEquals(futures.map((future) => future.done()), [true, true, true]);
    }
  });

  test(`Executor ignores reports of a call that was stopped (${kind})`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
    const heard: unknown[] = [];
    const onReport = (value: unknown) => void heard.push(value);
    const future = executor.with({ onReport, timeout: 10 }).submit(identity, 1);
    const [worker] = executor.workers as [MemoryWorker];
    worker.ready();
    await delivered();
    if (claims) worker.begin(0);
    say(worker, { kind: "begun", call: 0 });
    say(worker, { kind: "reports", call: 0, values: ["before"] });
    const error = await errorOf(future);
    assertEquals(error instanceof TaskTimeoutError, true);
    say(worker, { kind: "reports", call: 0, values: ["after"] });
    await delivered();
    worker.close();
    await executor.shutdown();
    assertEquals(heard, ["before"]);
  });

  test(`no report is heard after its Future is settled, not even of the same message (${kind})`, async () => {
    const { executor, worker, futures, heard } = await listening(claims, (value, future) => {
      if (value === "stop") future.setResult("settled");
    });
    say(worker, { kind: "reports", call: 32, values: ["first", "stop", "late"] });
    assertEquals([await futures[0] as unknown, heard], ["settled", ["first", "stop"]]);
    executor.killWorkers();
    await executor.shutdown();
  });
}

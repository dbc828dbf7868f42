// A stream in the scheduler: what its worker may say of it, and what it may not.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { test } from "node:test";
import { WorkerLostError } from "../../../mod.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";
import { CLAIMS_KINDS, type ClaimsKind, ownersOf } from "../../support/memory_channel.ts";

const identity = (n: number) => n;

function* numbers(_input?: AsyncIterable<number>): Generator<number> {
  yield 1;
}

const never: AsyncIterable<number> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };

/** An executor whose one worker the test plays: it has begun a stream, behind which a call waits. */
async function streaming(claims: ClaimsKind, buffersize: number) {
  const executor = new MemoryExecutor({ maxWorkers: 1, onUnobserved() {} }, { claims, served: false });
  const stream = executor.with({ buffersize }).stream(numbers, never);
  const [worker] = executor.workers;
  worker!.ready();
  await delivered();
  if (claims) worker!.begin(0);
  return { executor, stream, worker: worker! };
}

for (const claims of CLAIMS_KINDS) {
  const kind = ownersOf(claims);

  test(`Executor ends a worker of ${kind} that says of a stream what cannot be`, async () => {
    const forged: readonly object[] = [
      { kind: "yields", call: 0, values: [1, 2, 3, 4] },
      { kind: "yields", call: 0, values: new Array(2 ** 32 - 1) },
      { kind: "yields", call: 0, values: [] },
      { kind: "yields", call: 1, values: [1] },
      { kind: "yields", call: -1, values: [1] },
      { kind: "yields", call: 0, values: "123" },
      { kind: "pull", call: 0, input: 1, count: 1 },
      { kind: "pull", call: 0, input: 0, count: 4 },
      { kind: "pull", call: 0, input: 0, count: 0 },
      { kind: "pull", call: 0, input: 0, count: Infinity },
      { kind: "closed", call: 0, input: 7 },
    ];
    for (const message of forged) {
      const { executor, stream, worker } = await streaming(claims, 3);
      worker.say({ kind: "yields", call: 0, values: [7] });
      const reports = await reportsOf(() => worker.say(message));
      assertEquals([reports.length, worker.endedBy], [1, "kill"], `${forged.indexOf(message)}`);
      await delivered();
      assertEquals(await stream.next(), { value: 7, done: false });
      const error = await assertRejects(() => stream.next(), WorkerLostError);
      assertMatch((error.cause as Error).message, /malformed/);
      executor.killWorkers();
      await executor.shutdown();
    }
  });

  test(`Executor ends a worker of ${kind} that says of a call what only streams have`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
    const future = executor.submit(identity, 1), [worker] = executor.workers;
    worker!.ready();
    await delivered();
    if (claims) worker!.begin(0);
    await reportsOf(() => worker!.say({ kind: "yields", call: 0, values: [1] }));
    await assertRejects(() => future.result(), WorkerLostError);
    executor.killWorkers();
    await executor.shutdown();
  });

  test(`Executor ends the worker of ${kind} whose value cannot be read, and its stream says so`, async () => {
    const { executor, stream, worker } = await streaming(claims, 3);
    worker.say({ kind: "yields", call: 0, values: [7] });
    worker.say({ kind: "unread" });
    assertEquals(worker.endedBy, "kill");
    assertEquals(await stream.next(), { value: 7, done: false });
    assertEquals(await stream.next().catch((error: Error) => error.name), "DataCloneError");
    executor.killWorkers();
    await executor.shutdown();
  });

  test(`Executor tells a worker of ${kind} that a stream may go on when half of the buffer was taken`, async () => {
    const { executor, stream, worker } = await streaming(claims, 4);
    worker.say({ kind: "yields", call: 0, values: [1, 2, 3, 4] });
    const told = () => worker.inbox.filter(({ kind }) => kind === "more");
    const counts: number[] = [];
    for (let n = 0; n < 4; n++) {
      await stream.next();
      await delivered();
      counts.push(told().length);
    }
    assertEquals(counts, [0, 1, 1, 2]);
    assertEquals(told(), [{ kind: "more", call: 0, count: 2 }, { kind: "more", call: 0, count: 2 }]);
    const reports = await reportsOf(() => worker.say({ kind: "yields", call: 0, values: [5, 6, 7, 8, 9] }));
    assertEquals([reports.length, worker.endedBy], [1, "kill"], "four are due now, not five");
    executor.killWorkers();
    await executor.shutdown();
    await stream.return!();
  });

  test(`Executor tells a worker of ${kind} once when the reader takes all values quickly, at half when it is slow`, async () => {
    const { executor, stream, worker } = await streaming(claims, 4);
    const told = () => worker.inbox.flatMap((message) => message.kind === "more" ? [message.count] : []);
    const { now } = performance;
    let time = 0;
    performance.now = () => time;
    try {
      worker.say({ kind: "yields", call: 0, values: [1, 2, 3, 4] });
      for (let n = 0; n < 4; n++) await stream.next();
      assertEquals(told(), [4]);
      await delivered();
      worker.say({ kind: "yields", call: 0, values: [5, 6, 7, 8] });
      await stream.next();
      time++;
      await stream.next();
      assertEquals(told(), [4, 2]);
    } finally {
      performance.now = now;
    }
    executor.killWorkers();
    await executor.shutdown();
    await stream.return!();
  });
}

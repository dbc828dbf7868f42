// Calls of a higher priority, and what was handed over before they came. The test plays the workers.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { delivered, MemoryExecutor, type MemoryWorker } from "../../support/memory_backend.ts";

const short = (n: number) => n;
const rare = (n: number) => n;
const KNOWN = 100;

/** An executor whose one worker has answered calls of 0.1 ms and holds 100 more, of which it has begun the first, or none. */
async function holdingHundred(claims = true, begins = claims) {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false, claims });
  executor.map(short, Array.from({ length: KNOWN }, () => -1), { chunksize: KNOWN });
  const [worker] = executor.workers as [MemoryWorker];
  worker.ready();
  await delivered();
  worker.done(0, Array.from({ length: KNOWN }, () => -1), 0.1 * KNOWN);
  for (let n = 0; n < 100; n++) executor.submit(short, n);
  await delivered();
  assertStrictEquals(worker.calls.length, KNOWN + 100);
  if (begins) assert(worker.begin(KNOWN));
  return { executor, worker };
}

/** The arguments of the calls that the worker runs after its first one, in order. */
function runs(worker: MemoryWorker): unknown[] {
  return worker.calls.flatMap(([arg], at) => at > KNOWN && worker.begin(at) ? [arg] : []);
}

test("Executor.with({ priority }) overtakes all that a worker was handed and has not begun", async () => {
  const { executor, worker } = await holdingHundred();
  executor.with({ priority: 1 }).submit(short, 1000);
  executor.with({ priority: 2 }).submit(short, 2000);
  executor.with({ priority: 1 }).submit(short, 1001);
  await delivered();
  const order = runs(worker) as number[];
  assertEquals(order.slice(0, 3), [2000, 1000, 1001]);
  const usual = order.filter((n) => n < 1000);
  assertEquals(usual, usual.map((_, n) => n + 1), "the others keep their order");
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.with({ priority }) overtakes all calls of a worker for which a broadcast waits, which runs then", async () => {
  const { executor, worker } = await holdingHundred(true, false);
  const results = executor.broadcast(short, 3000);
  executor.with({ priority: 1 }).submit(short, 1000);
  await delivered();
  assertEquals(runs(worker), [3000], "the others come when it is done");
  results.catch(() => {});
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.with({ priority }) takes calls back once for all that are submitted in a tick, and none for its own priority", async () => {
  const { executor, worker } = await holdingHundred();
  const messages = worker.inbox.length;
  for (let n = 0; n < 50; n++) executor.with({ priority: 1 }).submit(short, 1000 + n);
  await delivered();
  assertStrictEquals(worker.inbox.length, messages + 1);
  for (const priority of [1, 0, -1]) executor.with({ priority }).submit(short, 2000 + priority);
  await delivered();
  const order = runs(worker);
  assertEquals(order.slice(0, 51), [...Array.from({ length: 50 }, (_, n) => 1000 + n), 2001]);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.with({ priority }) asks a process without claims for what it has not begun", async () => {
  const { executor, worker } = await holdingHundred(false);
  executor.with({ priority: 1 }).submit(short, 1000);
  await delivered();
  assertEquals(worker.inbox.at(-1), { kind: "recall" });
  worker.say({ kind: "recalled", first: KNOWN + 1 });
  await delivered();
  assertEquals(worker.calls[KNOWN + 100]![0], 1000);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.with({ priority }) asks processes without claims once, and hands what they give back over for good", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 2 }, { served: false, claims: false });
  const { workers } = executor, urgent = executor.with({ priority: 1 });
  executor.map(short, Array.from({ length: KNOWN }, () => -1), { chunksize: KNOWN });
  workers[0]!.ready();
  await delivered();
  workers[0]!.done(0, Array.from({ length: KNOWN }, () => -1), 0.1 * KNOWN);
  urgent.submit(rare, 0);
  await delivered();
  workers[0]!.done(KNOWN, [0], 0.1);
  for (let n = 0; n < 200; n++) executor.submit(short, n);
  workers[1]!.ready();
  await delivered();
  const asks = (worker: MemoryWorker) => worker.inbox.at(-1)?.kind === "recall";
  const giveBack = async (worker: MemoryWorker) => {
    worker.say({ kind: "recalled", first: worker === workers[0] ? KNOWN + 2 : 1 });
    await delivered();
  };
  urgent.submit(rare, 1);
  await delivered();
  assertEquals(workers.map(asks), [true, true]);
  for (const worker of workers) await giveBack(worker);
  urgent.submit(rare, 2);
  await delivered();
  // The youngest first: what it gives back and is handed again must not overtake what the others hold.
  for (let n = 0; n < 10; n++) for (const worker of workers.toReversed()) if (asks(worker)) await giveBack(worker);
  assertEquals(workers.map(asks), [false, false]);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor shares calls of a higher priority out to its workers", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 2 }, { served: false });
  const next = [0, 0];
  const answerAll = () => {
    for (const [at, worker] of executor.workers.entries()) {
      const count = worker.calls.length - next[at]!;
      if (count > 0) worker.done(next[at]!, Array.from({ length: count }, () => 0), 0.1 * count);
      next[at]! += count;
    }
  };
  for (let n = 0; n < 200; n++) executor.submit(short, n);
  for (const worker of executor.workers) worker.ready();
  for (let round = 0; round < 20; round++) {
    await delivered();
    answerAll();
  }
  for (let n = 0; n < 200; n++) executor.submit(short, n);
  for (let n = 0; n < 8; n++) executor.with({ priority: 1 }).submit(short, 1000 + n);
  await delivered();
  const urgent = executor.workers.map((worker, at) =>
    worker.calls.slice(next[at]).filter(([n]) => (n as number) >= 1000)
  );
  assert(urgent.every(({ length }) => length >= 2), `${urgent.map(({ length }) => length)}`);
  executor.killWorkers();
  await executor.shutdown();
});

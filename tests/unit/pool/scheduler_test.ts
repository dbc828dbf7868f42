// The scheduler: which call goes to which worker, and when. The test plays the workers and says how long tasks take.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type ExecutorOptions, type Future, QueueFullError } from "../../../mod.ts";
import { delivered, MemoryExecutor, type MemoryOptions, type MemoryWorker } from "../../support/memory_backend.ts";
import { until } from "../../support/until.ts";

const short = (n: number) => n;
const long = (n: number) => n + 0;
const unknown = (n: number) => n - 0;
const shortest = (n: number) => 0 + n;

/** An executor whose workers the test plays. */
function played(options: ExecutorOptions = {}, memory: MemoryOptions = {}): MemoryExecutor {
  return new MemoryExecutor({ onUnobserved() {}, ...options }, { served: false, ...memory });
}

/** The same, with all workers up and idle. The executor knows that `short` takes 0.1 ms and `long` 5 ms. */
async function warmed(options: ExecutorOptions = {}, memory: MemoryOptions = {}): Promise<MemoryExecutor> {
  const executor = played(options, memory);
  executor.submit(short, -1);
  executor.submit(long, -2);
  for (const worker of executor.workers) worker.ready();
  for (const spent of [0.1, 5]) {
    await delivered();
    const worker = executor.workers.find((worker) => heldBy(worker).includes(spent === 5 ? -2 : -1))!;
    answer(worker, 1, spent);
  }
  return executor;
}

const answered = new WeakMap<MemoryWorker, number>();

/** Answers the oldest calls of a worker. */
function answer(worker: MemoryWorker, count: number, spent: number): void {
  const first = answered.get(worker) ?? 0;
  answered.set(worker, first + count);
  worker.done(first, worker.calls.slice(first, first + count).map(([n]) => n), spent);
}

/** The arguments of the calls that a worker has been handed and has not answered. */
function heldBy(worker: MemoryWorker): unknown[] {
  return worker.calls.slice(answered.get(worker) ?? 0).map(([n]) => n);
}

function submitAll(executor: MemoryExecutor, fn: (n: number) => number, count: number): Future<number>[] {
  return Array.from({ length: count }, (_, n) => executor.submit(fn, n));
}

/** Ends an executor whose workers the test plays. */
function end(executor: MemoryExecutor): Promise<void> {
  executor.killWorkers();
  return executor.shutdown();
}

test("Executor starts workers on demand, never more than maxWorkers [X1, test_saturation]", async () => {
  const executor = played({ maxWorkers: 4 });
  assertEquals(executor.workers.length, 0);
  for (let submitted = 1; submitted <= 60; submitted++) {
    executor.submit(unknown, submitted);
    assertStrictEquals(executor.workers.length, Math.min(submitted, 4));
  }
  for (const worker of executor.workers) worker.ready();
  await delivered();
  assertEquals(executor.workers.length, 4);
  assertEquals(executor.workers.map(heldBy), [[1], [2], [3], [4]]);
  await end(executor);
});

test("Executor uses an idle worker before it starts one [test_idle_thread_reuse, test_idle_process_reuse_one]", async () => {
  const executor = played({ maxWorkers: 3 });
  for (let n = 0; n < 3; n++) {
    const future = executor.submit(unknown, n);
    if (n === 0) executor.workers[0]!.ready();
    await delivered();
    answer(executor.workers[0]!, 1, 10);
    assertStrictEquals(await future, n);
  }
  assertEquals(executor.workers.length, 1);
  await end(executor);
});

test("Executor begins calls in the order of submission [X6]", async () => {
  const executor = played({ maxWorkers: 1 });
  submitAll(executor, unknown, 5);
  const [worker] = executor.workers;
  worker!.ready();
  for (let n = 0; n < 5; n++) {
    await delivered();
    assertEquals(heldBy(worker!), [n]); // one at a time, as it is not known how long it takes
    answer(worker!, 1, 10);
  }
  await end(executor);
});

test("Executor hands a worker more ahead with each answer, as far as calls of the task have been short", async () => {
  const executor = await warmed({ maxWorkers: 1 });
  const [worker] = executor.workers as [MemoryWorker];
  submitAll(executor, short, 600);
  const handed: number[] = [];
  for (const spent of [0.1, 0.1, 0.1, 8, 0.1]) {
    await delivered();
    const { length } = heldBy(worker);
    handed.push(length);
    answer(worker, length, spent * length);
  }
  assert(handed[0]! >= 2 && handed[0]! < 8, "one quick call proves little");
  assert(handed[1]! > handed[0]! && handed[2]! > handed[1]!, `${handed}`);
  assertEquals(handed[4], 1, "behind calls of a task that is long, none waits");
  await end(executor);
});

test("Executor hands short calls ahead, for some 20 ms, in one message", async () => {
  const executor = await warmed({ maxWorkers: 1 });
  const [worker] = executor.workers as [MemoryWorker];
  submitAll(executor, short, 60);
  for (await delivered(); heldBy(worker).length > 0; await delivered()) {
    answer(worker, heldBy(worker).length, 0.1 * heldBy(worker).length);
  }
  submitAll(executor, short, 300);
  await delivered();
  const ahead = heldBy(worker!).length;
  assert(ahead > 100 && ahead <= 201, `${ahead} calls of 0.1 ms`);
  assertEquals(heldBy(worker!), Array.from({ length: ahead }, (_, n) => n));
  const messages = worker!.inbox.length;
  answer(worker!, ahead - 2, 0.1 * (ahead - 2));
  await delivered();
  assertStrictEquals(worker!.inbox.length, messages + 1);
  assert(heldBy(worker!).length > 20);
  await end(executor);
});

/** Two warmed workers. The executor knows that `shortest` takes 0.05 ms. */
async function practised(options: ExecutorOptions, memory?: MemoryOptions): Promise<MemoryExecutor> {
  const executor = await warmed(options, memory);
  executor.submit(shortest, -3);
  await delivered();
  answer(executor.workers.find((worker) => heldBy(worker).includes(-3))!, 1, 0.05);
  await delivered();
  return executor;
}

test("Executor hands the shortest calls of a burst over together, but for the first, and starts no worker beside an idle one", async () => {
  for (const [maxWorkers, count, messages] of [[2, 4, 3], [3, 2, 2]] as const) {
    const executor = await practised({ maxWorkers });
    const received = () => executor.workers.reduce((sum, worker) => sum + worker.inbox.length, 0);
    const before = received();
    submitAll(executor, shortest, count);
    await delivered();
    assertStrictEquals(received() - before, messages);
    assertStrictEquals(executor.workers.flatMap(heldBy).length, count);
    assertEquals(executor.workers.length, 2);
    await end(executor);
  }
});

test("Executor shares a burst of short calls out evenly, in one message for each worker", async () => {
  for (const maxWorkers of [2, 3, 5]) {
    const executor = await practised({ maxWorkers });
    const { workers } = executor;
    const answerAll = async () => {
      for (await delivered(); workers.flatMap(heldBy).length > 0; await delivered()) {
        for (const worker of workers) {
          const { length } = heldBy(worker);
          if (length > 0) answer(worker, length, 0.05 * length);
        }
      }
    };
    submitAll(executor, shortest, 300);
    await delivered();
    for (const worker of workers.slice(2)) worker.ready();
    await answerAll();
    assertEquals(workers.length, maxWorkers);
    const before = workers.map(({ inbox }) => inbox.length);
    submitAll(executor, shortest, 1 + 20 * maxWorkers);
    await delivered();
    const messages = workers.map(({ inbox }, i) => inbox.length - before[i]!);
    const first = messages.indexOf(2); // one idle worker is handed the first call at once
    assertEquals(messages, workers.map((_, i) => i === first ? 2 : 1));
    assertEquals(workers.map((worker) => heldBy(worker).length), workers.map((_, i) => i === first ? 21 : 20));
    await answerAll();
    await end(executor);
  }
});

test("Executor counts no call as waiting for which a worker is idle", async () => {
  const executor = await practised({ maxWorkers: 2, maxQueue: 2 });
  submitAll(executor, shortest, 4); // one for each worker, and two that wait
  assertThrows(() => executor.submit(shortest, 4), QueueFullError);
  await end(executor);
});

test("Executor hands a busy worker more only for so many answers in a row, then everybody else has a turn", async () => {
  const executor = await warmed({ maxWorkers: 1 });
  const [worker] = executor.workers;
  submitAll(executor, short, 5_000);
  await delivered();
  const before = worker!.inbox.length;
  for (let n = 0; n < 20; n++) {
    const count = Math.ceil(heldBy(worker!).length * 0.6);
    answer(worker!, count, 0.1 * count);
    await Promise.resolve(); // the message is delivered, and the event loop has had no turn
  }
  const inTurn = worker!.inbox.length - before;
  assert(inTurn > 10 && inTurn <= 16, `${inTurn} messages`);
  await new Promise((resolve) => setImmediate(resolve));
  await delivered();
  assertStrictEquals(worker!.inbox.length, before + inTurn + 1);
  await end(executor);
});

test("Executor puts no call behind a long one, nor a long one behind others", async () => {
  for (
    const [first, second] of [[long, short], [short, long], [long, long], [unknown, short], [short, unknown]] as const
  ) {
    const executor = await warmed({ maxWorkers: 1 });
    executor.submit(first, 1);
    executor.submit(second, 2);
    await delivered();
    assertEquals(heldBy(executor.workers[0]!), [1]);
    await end(executor);
  }
});

test("Executor divides a burst among its workers, the first gets no more than its part", async () => {
  const executor = await warmed({ maxWorkers: 2 });
  submitAll(executor, short, 10);
  await delivered();
  const held = executor.workers.map((worker) => heldBy(worker).length);
  assert(held.every((count) => count > 1 && count <= 5), `${held}`);
  await end(executor);
});

test("Executor hands a chunk over as a whole, however long its calls may take [X7]", async () => {
  const executor = played({ maxWorkers: 2 });
  const results = executor.map(unknown, [1, 2, 3, 4, 5, 6, 7], { chunksize: 3 });
  for (const worker of executor.workers) worker.ready();
  await delivered();
  assertEquals(executor.workers.map(heldBy), [[1, 2, 3], [4, 5, 6]]);
  await results.return();
  await end(executor);
});

/** Two warmed workers. The second has run out of calls, while the first holds some, numbered from `first`. */
async function lopsided(memory: MemoryOptions) {
  const executor = await warmed({ maxWorkers: 2 }, memory);
  const [busy, idle] = executor.workers as [MemoryWorker, MemoryWorker];
  // When calls are few, a process is handed none ahead.
  submitAll(executor, short, busy.claims ? 10 : 100);
  await delivered();
  const first = busy.calls.length - heldBy(busy).length;
  if (busy.claims) busy.begin(first);
  for (;;) {
    const handed = heldBy(busy), held = heldBy(idle);
    if (held.length === 0) return { executor, busy, idle, handed, first };
    answer(idle, held.length, 0.1 * held.length);
    await delivered();
    if (heldBy(idle).some((call) => handed.includes(call))) return { executor, busy, idle, handed, first };
  }
}

test("Executor takes calls back from a busy worker for an idle one, and none runs twice", async () => {
  const { executor, busy, idle, handed, first } = await lopsided({ claims: true });
  const moved = heldBy(idle);
  assert(moved.length > 0);
  const begun = handed.filter((_, n) => n > 0 && busy.begin(first + n));
  assertEquals(begun.filter((call) => moved.includes(call)), []);
  await end(executor);
});

test("Executor asks a process to give calls back for an idle one, and waits for its answer", async () => {
  const { executor, busy, idle, handed, first } = await lopsided({ claims: false });
  assertEquals(busy.inbox.at(-1), { kind: "recall" });
  assertEquals(heldBy(idle), []);
  busy.say({ kind: "recalled", first: first + 2 });
  await delivered();
  const moved = heldBy(idle);
  assert(moved.length > 0);
  assertEquals(moved, handed.slice(2, 2 + moved.length));
  await end(executor);
});

test("Executor hands a process that is to give calls back nothing more", async () => {
  const { executor, busy, idle } = await lopsided({ claims: false });
  const messages = busy.inbox.length;
  submitAll(executor, short, 100);
  await delivered();
  assertStrictEquals(busy.inbox.length, messages);
  assert(heldBy(idle).length > 0);
  await end(executor);
});

test("Executor retires a worker after maxTasksPerWorker calls, and replaces it [P12, test_max_tasks_per_child]", async () => {
  const executor = played({ maxWorkers: 1, maxTasksPerWorker: 3 });
  const futures = submitAll(executor, short, 8);
  for (let generation = 0; generation < 3; generation++) {
    const worker = executor.workers[generation]!;
    worker.ready();
    for (let rest = Math.min(3, 8 - 3 * generation); rest > 0;) {
      await delivered();
      const count = heldBy(worker).length;
      assert(count > 0 && count <= rest);
      answer(worker, count, 0.1 * count);
      rest -= count;
    }
    await delivered();
    assertStrictEquals(worker.endedBy, generation < 2 ? "stop" : undefined);
    assertStrictEquals(executor.workers.length, Math.min(generation + 2, 3));
  }
  assertEquals(await Promise.all(futures), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(executor.stats().lost, 0);
  await end(executor);
});

test("Executor retires a worker that has outgrown memoryLimit, also when a call that it holds is cancelled then", async () => {
  const executor = await warmed({ maxWorkers: 1 });
  const [first, second] = submitAll(executor, short, 2);
  const [worker] = executor.workers;
  await delivered();
  assertEquals(heldBy(worker!), [0, 1]);
  worker!.say({ kind: "done", first: 2, results: [0], failures: undefined, spent: 100, full: true });
  assertEquals(await first, 0);
  assertEquals(second!.cancel(), true);
  worker!.done(3, [undefined]);
  await delivered();
  assertEquals(worker!.endedBy, "stop");
  assertEquals(executor.stats().lost, 0);
  await executor.shutdown();
});

test("Executor replaces retired workers after shutdown too [P12, test_shutdown_no_wait_max_tasks_gh119592]", async () => {
  for (const [maxWorkers, maxTasksPerWorker, calls] of [[1, 2, 6], [2, 2, 8], [3, 1, 6]] as const) {
    const executor = new MemoryExecutor({ maxWorkers, maxTasksPerWorker });
    const futures = submitAll(executor, short, calls);
    const closed = executor.shutdown();
    assertStrictEquals((await Promise.all(futures)).length, calls); // [test_max_tasks_per_child_pending_tasks_gh115634]
    await closed; // [test_max_tasks_early_shutdown]
    // Another worker may be started for the last call, which waits behind another.
    assert([0, 1].includes(executor.workers.length - calls / maxTasksPerWorker));
  }
});

test("Executor ends a worker that is idle for idleTimeout, and starts one when needed", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1, idleTimeout: 1 });
  for (let generation = 0; generation < 2; generation++) {
    assertEquals(await executor.submit(short, 5), 5);
    await until("it has ended", () => executor.workers[generation]?.endedBy === "stop");
    assertEquals(executor.stats().workers, 0);
  }
  await executor.shutdown();
});

test("Executor keeps an idle worker without idleTimeout, and lets it not keep the program alive [L1]", async () => {
  const executor = played({ maxWorkers: 1 });
  const future = executor.submit(short, 5);
  const [worker] = executor.workers;
  assertEquals(worker!.keptAlive, true);
  worker!.ready();
  await delivered();
  assertEquals(worker!.keptAlive, true);
  answer(worker!, 1, 0);
  assertEquals(worker!.keptAlive, false);
  await future;
  executor.submit(short, 6);
  assertEquals(worker!.keptAlive, true);
  assertEquals(worker!.endedBy, undefined);
  await end(executor);
});

test("Executor.stats() counts", async () => {
  const executor = played({ maxWorkers: 2 });
  const counts = {
    workers: 0,
    idle: 0,
    busy: 0,
    queued: 0,
    running: 0,
    completed: 0,
    failed: 0,
    failedBy: { task: 0, lost: 0, timeout: 0, unsendable: 0, broken: 0 },
    cancelled: 0,
    lost: 0,
  };
  assertEquals(executor.stats(), { ...counts, abandoned: 0 });
  const futures = submitAll(executor, unknown, 3);
  assertEquals(executor.stats(), { ...counts, workers: 2, queued: 3, abandoned: 0 });
  const [first, second] = executor.workers;
  first!.ready();
  await delivered();
  first!.begin(0);
  futures[2]!.cancel();
  assertEquals(executor.stats(), {
    ...counts,
    workers: 2,
    busy: 1,
    queued: 1,
    running: 1,
    cancelled: 1,
    abandoned: 0,
  });
  second!.close({ exitCode: 1 });
  answer(first!, 1, 10);
  await delivered();
  const { completed, lost, busy, idle } = executor.stats();
  assertEquals({ completed, lost, busy, idle }, { completed: 1, lost: 1, busy: 1, idle: 0 });
  await end(executor);
  assertEquals(executor.stats().workers, 0);
});

test("Executor names its workers after itself, and itself after its kind", async () => {
  const named = played({ name: "pool" });
  submitAll(named, short, 2);
  assertEquals(named.workers.map(({ name }) => name), ["pool_0", "pool_1"]);
  const unnamed = played();
  submitAll(unnamed, short, 1);
  assertMatch(unnamed.workers[0]!.name, /^MemoryExecutor-\d+_0$/);
  await Promise.all([end(named), end(unnamed)]);
});

test("Executor hands each idle process one of a few calls, however short they are, so that the others can be cancelled [P4]", async () => {
  const executor = await practised({ maxWorkers: 2 }, { claims: false });
  const futures = submitAll(executor, shortest, 12);
  await delivered();
  assertEquals(executor.workers.map((worker) => heldBy(worker).length), [1, 1]);
  assertEquals(futures.map((future) => future.cancel()), [false, false, ...Array(10).fill(true)]);
  await end(executor);
});

test("Executor hands a process none of a few calls ahead, so that all of them can be cancelled [P4]", async () => {
  const executor = await warmed({ maxWorkers: 1 }, { claims: false });
  const [worker] = executor.workers as [MemoryWorker];
  const [running, ...waiting] = submitAll(executor, short, 11);
  await delivered();
  assertEquals(heldBy(worker).length, 1);
  assertEquals(running!.running(), true);
  assertEquals(waiting.map((future) => [future.running(), future.cancel()]), Array(10).fill([false, true]));
  await end(executor);
});

// The scheduler: workers that do not start, that die or send nonsense, and values that cannot be sent.

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { test } from "node:test";
import { BrokenExecutor, type Future, TimeoutError, WorkerLostError } from "../../../mod.ts";
import {
  BrokenMemoryPool,
  delivered,
  MemoryExecutor,
  type MemoryOptions,
  type MemoryWorker,
} from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";
import { CLAIMS_KINDS, ownersOf } from "../../support/memory_channel.ts";
import { MemoryPage } from "../../support/memory_page.ts";

const echo = (value: unknown) => value;
const quietly = { onUnobserved() {} };

/** The error of each future. */
const errorsOf = (futures: Future<unknown>[]) => Promise.all(futures.map((future) => future.exception()));

/** An executor whose one worker the test plays. It has answered a call, and was handed four together. */
async function handedFour(memory: MemoryOptions = {}) {
  const executor = new MemoryExecutor({ maxWorkers: 1, ...quietly }, { served: false, ...memory });
  const first = executor.submit(echo, -1);
  const futures = [0, 1, 2, 3].map((n) => executor.submit(echo, n));
  const [worker] = executor.workers as readonly [MemoryWorker];
  worker.ready();
  await delivered();
  worker.done(0, [-1], 0.01);
  await first;
  await delivered();
  assertEquals(worker.calls.length, 5);
  return { executor, worker, futures };
}

test("Executor whose workers do not start is broken after three attempts [P12, test_failed_worker_replacement_breaks_pool]", async () => {
  for (const error of [undefined, new RangeError("no room")]) {
    const exit = error ? { error } : { exitCode: 7 };
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { onStart: (worker) => worker.close(exit) });
    const futures = [1, 2, 3].map((n) => executor.submit(echo, n));
    const errors = await errorsOf(futures) as BrokenExecutor[];
    assertEquals(executor.workers.length, 3);
    for (const broken of errors) {
      assert(broken instanceof BrokenMemoryPool && broken instanceof BrokenExecutor);
      assertMatch(broken.message, /^Workers could not be started/);
      if (error) assertStrictEquals(broken.cause, error);
      else assertMatch((broken.cause as Error).message, /exit code 7/);
    }
    assertEquals(new Set(errors).size, 3); // [test_broken_process_pool_traceback]
    assertThrows(() => executor.submit(echo, 4), BrokenMemoryPool);
    await executor.shutdown();
    assertThrows(() => executor.submit(echo, 4), BrokenMemoryPool); // [X2]
  }
});

test("Executor whose workers have not answered at all is broken at once, not after three long waits", async () => {
  const error = new Error("It did not answer");
  const executor = new MemoryExecutor({ maxWorkers: 1 }, {
    onStart: (worker) => worker.close({ error, inVain: true }),
  });
  const broken = await executor.submit(echo, 1).exception() as BrokenExecutor;
  assert(broken instanceof BrokenMemoryPool);
  assertStrictEquals(broken.cause, error);
  assertEquals(executor.workers.length, 1);
  await executor.shutdown();
});

test("a worker that does not answer is replaced when others of its kind have", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false });
  const first = executor.submit(echo, 1);
  executor.workers[0]!.ready();
  await delivered();
  executor.workers[0]!.done(0, [1], 0.01);
  assertEquals(await first, 1);
  executor.workers[0]!.close({ exitCode: 1 });
  await delivered();
  const second = executor.submit(echo, 2);
  executor.workers[1]!.close({ error: new Error("It did not answer"), inVain: true });
  await delivered();
  executor.workers[2]!.ready();
  await delivered();
  executor.workers[2]!.done(0, [2], 0.01);
  assertEquals(await second, 2);
  await executor.shutdown({ wait: false });
});

test("Executor whose workers end before they begin a call is broken after three of them: no endless restarts", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false });
  const future = executor.submit(echo, 1);
  for (let n = 0; n < 3; n++) {
    const worker = executor.workers[n]!;
    worker.ready();
    await delivered();
    assertEquals(worker.calls.length, 1);
    worker.close({ exitCode: 1 });
    await delivered();
  }
  const error = await future.exception() as Error;
  assert(error instanceof BrokenMemoryPool);
  assertMatch(error.message, /^Workers end before they begin a call: the last one .*exit code 1/);
  assertEquals(executor.workers.length, 3);
  await executor.shutdown();
});

test("Executor.with({ timeout }) is not confused by a worker that says twice that it begins", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false });
  const future = executor.with({ timeout: 5 }).submit(echo, 1);
  const [worker] = executor.workers as readonly [MemoryWorker];
  worker.ready();
  await delivered();
  assert(worker.begin(0));
  for (let n = 0; n < 2; n++) worker.say({ kind: "begun", call: 0 });
  worker.done(0, [1]);
  assertEquals(await future, 1);
  // Had the timer of the call not been cleared, it would fire before this later one.
  const late = executor.with({ timeout: 10 }).submit(echo, 2);
  await delivered();
  assert(worker.begin(1));
  worker.say({ kind: "begun", call: 1 });
  await assertRejects(() => late.result(), TimeoutError);
  await executor.shutdown({ wait: false });
});

test("Executor goes on when a worker starts in the end, and counts failures in a row only", async () => {
  let starts = 0;
  const executor = new MemoryExecutor({ maxWorkers: 1, maxTasksPerWorker: 1 }, {
    onStart: (worker) => ++starts % 3 > 0 && worker.close({ exitCode: 1 }),
  });
  const futures = [1, 2, 3].map((n) => executor.submit(echo, n));
  assertEquals(await Promise.all(futures), [1, 2, 3]);
  assertEquals(executor.stats().lost, 6);
  await executor.shutdown();
});

test("Executor runs its initializer once per worker, before the first call", async () => {
  const realm = globalThis as { initialized?: number[] };
  realm.initialized = [];
  const executor = new MemoryExecutor({
    initializer: async (n: number) => void (await null, (globalThis as typeof realm).initialized!.push(n)),
    initargs: [7],
  });
  const seen = await Promise.all(
    [1, 2, 3, 4].map(() => executor.submit(() => (globalThis as typeof realm).initialized)),
  );
  assert(seen.every((initialized) => initialized?.[0] === 7));
  assertEquals(realm.initialized, executor.workers.map(() => 7));
  delete realm.initialized;
  await executor.shutdown();
});

test("Executor whose initializer fails is broken, with its error as the cause [P11]", async () => {
  const initializer = () => {
    throw new RangeError("init");
  };
  const executor = new MemoryExecutor({ maxWorkers: 1, initializer });
  const errors = await errorsOf([executor.submit(echo, 1), executor.submit(echo, 2)]) as Error[];
  for (const error of errors) {
    assert(error instanceof BrokenMemoryPool);
    assert(error.cause instanceof RangeError && error.cause.message === "init");
  }
  assertNotStrictEquals(errors[0], errors[1]);
  assertThrows(() => executor.submit(echo, 1), BrokenMemoryPool);
  await executor.shutdown();
  assertEquals(executor.workers.length, 1);
});

test("Executor whose initargs cannot be sent is broken, with the reason as the cause [P9]", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1, initializer: echo, initargs: [() => {}] });
  const error = await executor.submit(echo, 1).exception() as Error;
  assert(error instanceof BrokenMemoryPool);
  assertEquals((error.cause as Error).name, "DataCloneError");
  await executor.shutdown();
});

test("Executor that loses a thread fails what it had begun, and runs the rest elsewhere [P10]", async () => {
  const { executor, worker, futures } = await handedFour();
  worker.done(1, [0]);
  worker.begin(2);
  worker.close({ exitCode: 9, error: new Error("crash") });
  await delivered();
  const error = await futures[1]!.exception();
  assert(error instanceof WorkerLostError && error instanceof BrokenExecutor);
  assertEquals([error.workerName, error.exitCode, error.started], [worker.name, 9, true]);
  assertMatch(error.message, /exit code 9: crash/);
  const [, next] = executor.workers as [MemoryWorker, MemoryWorker];
  next.ready();
  await delivered();
  assertEquals(next.calls, [[2], [3]]);
  next.done(0, [2, 3]);
  assertEquals(await Promise.all([futures[0], futures[2], futures[3]]), [0, 2, 3]);
  assertEquals(executor.stats().lost, 1);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor that loses a process says of each call what it knows", async () => {
  const { executor, worker, futures } = await handedFour({ claims: false });
  worker.say({ kind: "begun", call: 2 });
  worker.close({ signal: "SIGKILL" });
  const errors = await errorsOf(futures) as WorkerLostError[];
  assert(errors.every((error) => error instanceof WorkerLostError && error.signal === "SIGKILL"));
  assertEquals(errors[1]!.started, true);
  assertEquals(errors[3]!.started, "unknown");
  assertEquals(new Set(errors).size, 4);
  await executor.shutdown();
});

test("Executor keeps a result that came before its worker died, and drops what comes after [L3, P10, F12]", async () => {
  const { executor, worker, futures } = await handedFour();
  worker.begin(1);
  worker.done(1, ["in time"]);
  worker.begin(2);
  worker.close();
  worker.done(2, ["late"]);
  await delivered();
  worker.done(2, ["later"]);
  assertEquals(await futures[0], "in time");
  assert(await futures[1]!.exception() instanceof WorkerLostError);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor replaces a worker that dies idle when there is work, and not before", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  await executor.submit(echo, 1);
  executor.workers[0]!.close({ exitCode: 1 });
  await delivered();
  assertEquals(executor.workers.length, 1);
  assertEquals(await executor.submit(echo, 2), 2);
  assertEquals(executor.workers.length, 2);
  await executor.shutdown();
});

test("Executor that is shut down still finishes what a dead worker had not begun [X8c]", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  const futures = [1, 2].map((n) => executor.submit(echo, n));
  const closed = executor.shutdown();
  executor.workers[0]!.close({ exitCode: 1 });
  assertEquals(await Promise.all(futures), [1, 2]);
  await closed;
});

test("Executor fails a call that cannot be sent, and none of its neighbours [X4, P5]", async () => {
  for (const claims of CLAIMS_KINDS) {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
    await executor.submit(echo, 0); // short: the next calls travel together
    const bad = () => {};
    const futures = [1, bad, 2, { bad }, Symbol("bad"), 3].map((value) => executor.submit(echo, value));
    const results = await Promise.allSettled(futures);
    const told = results.map((result) => result.status === "fulfilled" ? result.value : result.reason.name);
    assertEquals(told, [1, "DataCloneError", 2, "DataCloneError", "DataCloneError", 3]);
    assertEquals(await executor.submit(echo, 4), 4);
    await executor.shutdown();
    assertEquals(executor.workers.length, 1);
  }
});

test("Executor fails a call whose result cannot be sent, and none of its neighbours [P8]", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  const maybe = (n: number) => n % 2 ? n : () => n;
  const results = await Promise.allSettled([0, 1, 2, 3].map((n) => executor.submit(maybe, n)));
  const told = results.map((result) => result.status === "fulfilled" ? result.value : result.reason.name);
  assertEquals(told, ["DataCloneError", 1, "DataCloneError", 3]);
  await executor.shutdown();
  assertEquals(executor.workers.length, 1);
});

test("a call that its process has skipped, though it counts as begun, runs elsewhere, once", async () => {
  const { executor, worker, futures } = await handedFour({ claims: "page" });
  worker.begin(1);
  // The process announces the call just after cancel() has found it free, and finds it withdrawn.
  const { page } = worker, { write } = MemoryPage.prototype;
  let begun: boolean | undefined;
  page.write = (...access) => {
    write.apply(page, access);
    page.write = write;
    begun = worker.begin(2);
  };
  assertEquals(futures[1]!.cancel(), false, "nobody knows that it will not run");
  assertEquals(begun, false);
  assertEquals([futures[1]!.running(), futures[1]!.done()], [true, false]);
  worker.say({
    kind: "done",
    first: 1,
    results: ["1", undefined],
    failures: undefined,
    skipped: [1],
    spent: 2,
    full: false,
  });
  assertEquals(await futures[0], "1");
  assertEquals(futures[1]!.running(), false);
  await delivered();
  assertEquals(worker.calls.map(([n]) => n), [-1, 0, 1, 2, 3, 1], "it is handed over again");
  worker.done(3, ["3", "4"]);
  await futures[2];
  worker.done(5, ["2"]);
  assertEquals(await Promise.all(futures), ["1", "2", "3", "4"]);
  assertEquals(executor.workers.length, 1);
  await executor.shutdown();
});

test("the claims of a worker are closed once, when it is gone", async () => {
  const { executor, worker, futures } = await handedFour({ claims: "page" });
  worker.begin(1);
  assertEquals(worker.page.closed, 0);
  worker.close({ signal: "SIGKILL" });
  const error = await futures[0]!.exception();
  assert(error instanceof WorkerLostError && error.started === true);
  assertEquals(worker.page.closed, 1);
  assertEquals(executor.workers[1]!.calls, [], "the others wait for the next worker");
  executor.killWorkers();
  await executor.shutdown();
  assert(executor.workers.every(({ page }) => page.closed === 1));
  await Promise.allSettled(futures.slice(1));
});

const ANSWER = { kind: "done", first: 1, results: [0], failures: undefined, spent: 0, full: false };

/** Messages that no worker sends. The first call without an answer is 1, the last that was handed over is 4. */
const NONSENSE: unknown[] = [
  ...[undefined, null, 5, "done", [], {}, { kind: "other" }, { kind: "done" }, { kind: "done", first: 1 }],
  ...[{ first: 0 }, { first: 2 }, { first: "1" }, { first: NaN }].map((part) => ({
    kind: "done",
    results: [0],
    ...part,
  })),
  ...["abcd", { length: 2 }, [0, 1, 2, 3, 4]].map((results) => ({ kind: "done", first: 1, results })),
  ...[[1], [0, 5, 0], [2, 5, 0], ["1", 5, 0], [1, "5", 0], [1, NaN, 0], [1, -5, 0], [1, 5n, 0], [1, 5, 0, 1, 2, 3, 4]],
  ...["0", [-1], [1], ["0"], [0, 0], [0]].map((skipped) => ({ ...ANSWER, skipped })), // nobody has withdrawn the call
  ...[undefined, "2", NaN, -1, 0, 1.5, 99].map((first) => ({ kind: "recalled", first })),
  ...[undefined, "2", NaN, -1, 0, 1.5, 99].map((call) => ({ kind: "begun", call })),
  ...[undefined, "2", NaN, -1, 0, 1, 1.5, 99].map((call) => ({ kind: "reports", call, values: [1] })), // nobody listens
  ...[undefined, 5, { kind: "error" }].map((failure) => ({ kind: "unready", failure })),
  { kind: "finalized", failure: undefined }, // it was not asked to end
  { kind: "finalized", failure: 5 },
];

for (const claims of CLAIMS_KINDS) {
  test(`Executor survives nonsense from ${ownersOf(claims)}: every call ends`, async () => {
    const harmful: unknown[] = [];
    for (const message of NONSENSE) {
      const { executor, worker, futures } = await handedFour({ claims });
      await reportsOf(async () => {
        worker.say(message);
        await delivered();
        worker.close();
        await delivered();
      });
      for (const next of executor.workers.slice(1)) {
        next.ready();
        await delivered();
        next.done(0, next.calls.map(([value]) => value));
      }
      await delivered();
      if (!futures.every((future) => future.done())) harmful.push(message);
      executor.killWorkers();
    }
    assertEquals(harmful, [], "calls that never end after these messages");
  });
}

test("Executor ends a worker that speaks nonsense, says so, and runs no call twice", async () => {
  const { executor, worker, futures } = await handedFour();
  worker.begin(1);
  const reports = await reportsOf(async () => {
    worker.say({ kind: "done", first: 3, results: [5, 6] });
    await delivered();
  });
  assertEquals(worker.endedBy, "kill");
  assertMatch(String(reports[0]), /malformed message/);
  assert(await futures[0]!.exception() instanceof WorkerLostError);
  const next = executor.workers[1]!;
  next.ready();
  await delivered();
  assertEquals(next.calls, [[1], [2], [3]]);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor that asked for nothing back takes nothing back: no call is run twice", async () => {
  const { executor, worker, futures } = await handedFour();
  worker.begin(1);
  await reportsOf(async () => {
    worker.say({ kind: "recalled", first: 1 });
    await delivered();
    worker.close();
    await delivered();
  });
  assert(await futures[0]!.exception(0) instanceof WorkerLostError);
  executor.killWorkers();
  await executor.shutdown();
});

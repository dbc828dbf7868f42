// The scheduler's invariants against what has broken them: thousands of calls that cannot be sent, user code that calls the
// executor from inside, executors that cannot run any more. tests/properties/scheduler_test.ts tries combinations of these.

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { test } from "node:test";
import {
  CancelledError,
  type Future,
  QueueFullError,
  ShutdownError,
  TaskTimeoutError,
  WorkerLostError,
} from "../../../mod.ts";
import { errorOf } from "../../support/futures.ts";
import { BrokenMemoryPool, delivered, MemoryExecutor, type MemoryWorker } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";
import { CLAIMS_KINDS, type ClaimsKind, ownersOf } from "../../support/memory_channel.ts";

const identity = (n: unknown) => n;
const first = (n: number, _unsendable?: unknown) => n;
const unsendable = () => {};

/** How many calls a {@linkcode quickWorker} has answered: the number of its next one. */
const KNOWN = 32;

/** An executor whose one worker the test plays. It has answered short calls, so that more are handed over ahead. */
async function quickWorker(
  { claims = true }: { claims?: ClaimsKind } = {},
): Promise<{ executor: MemoryExecutor; worker: MemoryWorker }> {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
  executor.map(identity, Array.from({ length: KNOWN }, () => -1), { chunksize: KNOWN });
  const [worker] = executor.workers as [MemoryWorker];
  worker.ready();
  await delivered();
  worker.done(0, Array.from({ length: KNOWN }, () => -1), 0.01);
  return { executor, worker };
}

/** Proxies that throw at every access, and one that is revoked. */
function proxies(): object[] {
  const refuse = () => {
    throw new Error("of a proxy");
  };
  const traps = { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return [new Proxy({}, traps), proxy, { part: proxy }, [new Proxy([], traps)]];
}

for (const claims of CLAIMS_KINDS) {
  const kind = ownersOf(claims);

  test(`an idle worker has room, however many calls could not be sent to it (${kind})`, async () => {
    await using executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
    assertEquals(await executor.submit(first, 1), 1);
    const futures = Array.from({ length: 10_000 }, (_, n) => executor.submit(first, n, n % 10 === 9 ? 0 : unsendable));
    const errors = await Promise.all(futures.map((future) => future.exception()));
    assertEquals(errors.filter((error) => (error as Error)?.name === "DataCloneError").length, 9000);
    assertEquals(
      await Promise.all(futures.filter((_, n) => n % 10 === 9)),
      futures.map((_, n) => n).filter((n) => n % 10 === 9),
    );
    assertEquals(executor.stats().lost, 0);
  });

  test(`handing a call over does not throw half-way, whatever its arguments do (${kind})`, async () => {
    await using executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
    assertEquals(await executor.submit(identity, 0), 0); // it is idle: the next call is handed over within submit()
    for (const together of [false, true]) {
      for (const proxy of proxies()) {
        const before = together ? executor.submit(identity, 1) : undefined;
        const bad = executor.submit(identity, proxy);
        const after = executor.submit(identity, 2);
        assert(await errorOf(bad) instanceof Error);
        assertEquals([await before, await after], [before && 1, 2]);
      }
    }
    assertEquals([executor.stats().lost, executor.workers.length], [0, 1]);
  });

  test(`a callback may cancel, and is told the state of, the calls that end with its own (${kind})`, async () => {
    for (const end of ["killWorkers", "terminateWorkers"] as const) {
      const { executor, worker } = await quickWorker({ claims });
      const futures = [1, 2, 3].map((n) => executor.submit(identity, n));
      await delivered();
      const seen: [begun: boolean, cancelled: boolean][] = [];
      for (const future of futures) {
        future.addDoneCallback(() => {
          for (const other of futures) if (!other.done()) seen.push([other.running(), other.cancel()]);
        });
      }
      executor[end]();
      await executor.shutdown();
      assert(seen.length > 0);
      // A call that can be cancelled does not run, and one that runs cannot be cancelled.
      for (const [begun, cancelled] of seen) assertNotStrictEquals(begun, cancelled, end);
      assertEquals(worker.closed, true);
    }
  });

  test(`a getter may cancel its own call, or end everything, while it is copied (${kind})`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
    assertEquals(await executor.submit(identity, 0), 0);
    let cancelled: boolean | undefined, running: boolean | undefined;
    const before = executor.submit(identity, 1);
    const future: Future<unknown> = executor.submit(identity, {
      get part() {
        running = future.running();
        cancelled = future.cancel();
        return 1;
      },
    });
    assertEquals(await before, 1);
    await future.exception().catch(() => {});
    assertStrictEquals(cancelled, !running, "running() is true exactly when cancel() is too late");
    assertStrictEquals(future.cancelled(), cancelled);
    const ending = executor.submit(identity, {
      get part() {
        executor.killWorkers();
        return 1;
      },
    });
    await ending.exception().catch(() => {});
    assert(ending.done());
    await executor.shutdown();
  });

  test(`nothing enters the queue of an executor whose workers were ended (${kind})`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
    const started = executor.submit(identity, 0);
    const [worker] = executor.workers as [MemoryWorker];
    worker.ready();
    await delivered();
    if (claims) worker.begin(0);
    const retried = executor.with({ retries: 3, retryOn: () => (executor.killWorkers(), true) }).submit(identity, 1);
    worker.done(0, [0]);
    assertEquals(await started, 0);
    await delivered();
    const reason = { kind: "value", value: "thrown" } as const;
    if (claims) worker.begin(1);
    worker.say({ kind: "done", first: 1, results: [undefined], failures: [0, reason], spent: 1, full: false });
    assertEquals(await errorOf(retried), "thrown", "it is not run again");
    await executor.shutdown();
    assertEquals(executor.workers.length, 1);
  });
}

test("a process that gives calls back after killWorkers() has them cancelled, and no worker is started", async () => {
  const { executor, worker } = await quickWorker({ claims: false });
  const futures = Array.from({ length: 100 }, (_, n) => executor.submit(identity, n));
  await delivered();
  assert(worker.calls.length > KNOWN + 50, "calls are handed ahead");
  const closed = executor.shutdown({ cancelFutures: true });
  await delivered();
  assertEquals(worker.inbox.at(-1), { kind: "recall" });
  worker.say({ kind: "recalled", first: KNOWN + 1 });
  await delivered();
  assert(futures.slice(1).every((future) => future.cancelled()));
  worker.done(KNOWN, [0], 0.01);
  assertEquals(await futures[0], 0);
  await closed;
  assertEquals(executor.workers.length, 1);
});

test("initializer arguments that cannot be sent break a chunked map() with a priority, and nothing hangs", async () => {
  const executor = new MemoryExecutor({ initializer: identity, initargs: [unsendable] });
  const limited = executor.with({ priority: 1 });
  assertThrows(() => limited.map(identity, [1, 2, 3, 4, 5], { chunksize: 2 }), BrokenMemoryPool);
  await executor.shutdown();
});

test("shutdown({ cancelFutures: true }) cancels what a thread was handed ahead, and the rest of a chunk", async () => {
  for (const chunksize of [undefined, 100]) {
    const { executor, worker } = await quickWorker();
    const futures = chunksize ? [] : Array.from({ length: 100 }, (_, n) => executor.submit(identity, n));
    const results = chunksize
      ? executor.map(identity, Array.from({ length: 100 }, (_, n) => n), { chunksize, settled: true })
      : undefined;
    await delivered();
    assert(worker.calls.length > KNOWN + 50);
    worker.begin(KNOWN);
    const closed = executor.shutdown({ cancelFutures: true });
    assertEquals(worker.begin(KNOWN + 1), false, "it is taken back");
    assert(futures.slice(1).every((future) => future.cancelled()));
    worker.done(KNOWN, [0, ...Array(99)], 1);
    await closed;
    assertEquals(executor.stats().cancelled, 99);
    const outcomes: unknown[] = [];
    for await (const result of results ?? []) outcomes.push(result);
    assertStrictEquals(outcomes.length, chunksize ? 100 : 0);
  }
});

test("the parts of a chunk whose items share an object answer each by itself", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 }, { claims: false, served: false });
  const shared = {};
  const results = executor.map(identity, [shared, shared, shared], { chunksize: 3 });
  const [worker] = executor.workers as [MemoryWorker];
  worker.ready();
  await delivered();
  const runs = worker.inbox.filter((message) => message.kind === "run");
  assertEquals(runs.map(({ exact }) => exact), [true, true, true]);
  worker.done(0, [1, 2, 3]);
  assertEquals((await results.next()).value, 1);
  await results.return();
});

test("ready() resolves when the executor takes nothing any more, and submit() says why", async () => {
  for (const end of ["shutdown", "killWorkers"] as const) {
    const executor = new MemoryExecutor({ maxWorkers: 1, maxQueue: 1 }, { served: false });
    const waiting = executor.submit(identity, 1);
    assertThrows(() => executor.submit(identity, 2), QueueFullError);
    const ready = Array.from({ length: 5 }, () => executor.ready());
    await delivered();
    void executor[end]();
    await Promise.all(ready);
    assertThrows(() => executor.submit(identity, 3), ShutdownError);
    if (end === "killWorkers") assert(await errorOf(waiting) instanceof CancelledError);
    else executor.killWorkers();
    await executor.shutdown();
  }
});

test("onUnobserved is told once, of all failures", async () => {
  const told: number[] = [];
  const executor = new MemoryExecutor({ maxWorkers: 1, onUnobserved: ({ count }) => told.push(count) }, {
    served: false,
  });
  const futures = [executor.submit(identity, 1), executor.submit(identity, 2)];
  // The callback of the first failure shuts the executor down.
  for (const future of futures) future.addDoneCallback(() => void executor.shutdown());
  for (let n = 0; n < 3; n++) {
    executor.workers.at(-1)!.close({ error: new Error("it does not start") });
    await delivered();
  }
  await executor.shutdown();
  await delivered();
  assertEquals(told, [2]);
});

test("a worker that speaks nonsense before it has ever been useful breaks the executor after three", async () => {
  const reports = await reportsOf(async () => {
    for (const state of ["starting", "ready"]) {
      const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false });
      const future = executor.submit(identity, 1);
      for (let n = 0; n < 3; n++) {
        const worker = executor.workers[n]!;
        if (state === "ready") worker.ready();
        await delivered();
        worker.say({ kind: "nonsense" });
        await delivered();
      }
      const error = await errorOf(future);
      assert(error instanceof BrokenMemoryPool);
      assertMatch(String((error.cause as Error).message), /malformed message/);
      assertEquals(executor.workers.length, 3);
      await executor.shutdown();
    }
  });
  assertEquals(reports.length, 6);
});

test("a worker that still starts is ended when there is nothing left to do", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 2 }, { served: false });
  const futures = [executor.submit(identity, 1), executor.submit(identity, 2)];
  const [quick, slow] = executor.workers as [MemoryWorker, MemoryWorker];
  quick.ready();
  await delivered();
  assertEquals(slow.keptAlive, true, "a call waits for it");
  quick.done(0, [1], 0.01);
  await delivered();
  quick.done(1, [2], 0.01);
  assertEquals(await Promise.all(futures), [1, 2]);
  await delivered();
  assertEquals(slow.keptAlive, false, "nobody waits for it");
  await executor.shutdown();
  assertEquals(slow.endedBy, "kill");
});

test("shutdown({ cancelFutures: true }) does not wait for a worker that hangs in its initializer", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1, initializer: () => new Promise(() => {}) });
  const future = executor.submit(identity, 1);
  await delivered();
  await executor.shutdown({ cancelFutures: true });
  assert(future.cancelled());
});

test("the goodbye of a process says how far it had come: what it had not begun runs elsewhere", async () => {
  const { executor, worker } = await quickWorker({ claims: false });
  const futures = Array.from({ length: 40 }, (_, n) => executor.submit(identity, n));
  await delivered();
  const handed = worker.calls.length - KNOWN;
  assert(handed > 30);
  worker.say({ kind: "bye", exitCode: 1, unbegun: KNOWN + 2, uncaught: false });
  worker.close({ exitCode: 1 });
  await delivered();
  const lost = await Promise.all(futures.slice(0, 2).map(errorOf));
  assert(lost.every((error) => error instanceof WorkerLostError && error.started === true));
  const next = executor.workers[1]!;
  next.ready();
  await delivered();
  assertEquals(next.calls[0], [2]);
  assert(futures.slice(2).every((future) => !future.done()));
  executor.killWorkers();
  await executor.shutdown();
});

test("a time limit binds a call that its worker does not say to begin", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1 }, { served: false });
  const future = executor.with({ timeout: 1 }).submit(identity, 0);
  executor.workers[0]!.ready();
  const error = await errorOf(future);
  assert(error instanceof TaskTimeoutError);
  assertEquals(error.message, "The task had not begun 3001 ms after its worker got it and was stopped (timeout: 1 ms)");
  assertEquals(executor.workers[0]!.endedBy, "kill");
  await executor.shutdown();
});

test("a late answer to a call that was taken back is not counted", async () => {
  const { executor, worker } = await quickWorker();
  const futures = Array.from({ length: 5 }, (_, n) => executor.submit(identity, n));
  await delivered();
  assert(futures[3]!.cancel());
  worker.done(KNOWN, [0, 1, 2, undefined, 4], 0.01);
  assertEquals(await futures[4], 4);
  assertEquals(futures[3]!.outcome?.status, "cancelled");
  await executor.shutdown();
});

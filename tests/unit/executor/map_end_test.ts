// Executor.map(): how the iteration can end before its inputs do, and what happens to its calls.

import { assert, assertEquals, assertRejects, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import { CancelledError, ShutdownError, TimeoutError } from "../../../mod.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";
import { MemoryGate, pass } from "../../support/memory_gate.ts";
import { timersOf } from "../../support/observe.ts";
import { until } from "../../support/until.ts";
import { assertError } from "../../support/assert_error.ts";

const END = { value: undefined, done: true };
const double = (n: number) => n * 2;

/** Fails for 3, after which no result may come. */
const refuse3 = (n: number) => {
  if (n === 3) throw new RangeError("three");
  return n;
};

const drained = <T>(results: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(results);

/** An executor whose only worker is busy until `free()`, so that no other call begins. */
async function busyExecutor(): Promise<MemoryExecutor & { free(): void }> {
  const executor = new MemoryExecutor({ maxWorkers: 1 });
  const gate = new MemoryGate();
  executor.submit(pass, gate.name, 0);
  await gate.reached;
  return Object.assign(executor, { free: () => gate.open() });
}

test("Executor.map() ends with the error of a task, at its place [X7h, test_map_exception]", async () => {
  await using executor = new MemoryExecutor();
  for (const options of [{}, { chunksize: 3 }, { buffersize: 2 }]) {
    const results = executor.map(refuse3, [1, 2, 3, 4, 5, 6], options);
    assertEquals([(await results.next()).value, (await results.next()).value], [1, 2]);
    assertError(await assertRejects(() => results.next()), { name: "RangeError", message: "three" });
    assertEquals<unknown>(await results.next(), END);
    assertEquals<unknown>(await results.next(), END);
  }
});

test("Executor.map() cancels the rest when a task fails, and closes its input [X7j]", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  let closed = false;
  function* input() {
    try {
      for (let n = 3;; n++) yield n;
    } finally {
      closed = true;
    }
  }
  const results = executor.map(refuse3, input(), { buffersize: 10 });
  await assertRejects(() => drained(results), RangeError);
  assertEquals(closed, true);
  const { completed, failed, cancelled } = executor.stats();
  assertEquals(failed, 1);
  assertEquals(completed + cancelled, 9);
});

test("Executor.map() delivers an error of any value [X7h, test_swallows_falsey_exceptions]", async () => {
  await using executor = new MemoryExecutor();
  const thrower = (value: unknown) => {
    throw value;
  };
  for (const value of [undefined, null, 0, "", false, NaN]) {
    const outcomes = await Promise.allSettled([executor.map(thrower, [value]).next()]);
    assertEquals(outcomes, [{ status: "rejected", reason: value }]);
  }
});

test("Executor.map() settled gives how each call ended, and goes on [X7h]", async () => {
  await using executor = new MemoryExecutor();
  for (const options of [{}, { chunksize: 4 }, { buffersize: 1 }]) {
    const results = await drained(executor.map(refuse3, [2, 3, 4], { ...options, settled: true }));
    assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assertEquals(results[1]?.status === "rejected" && results[1].reason.message, "three");
    assertEquals(results[2], { status: "fulfilled", value: 4 });
  }
});

test("Executor.map() of an argument that cannot be sent ends there, and reads no further [X4, X7h]", async () => {
  await using executor = new MemoryExecutor();
  await Promise.all([executor.submit(double, 1), executor.submit(double, 1)]);
  for (const options of [{}, { ordered: false }]) {
    let pulled = 0;
    // Without a return(), so that closing it does not end it.
    const next = () => ({ done: false as const, value: pulled++ === 0 ? 5 : () => "cannot be sent" });
    const input: Iterable<unknown> = { [Symbol.iterator]: () => ({ next }) };
    const results = executor.map((item: unknown) => item, input, { buffersize: 1, ...options });
    const [first, second, third] = await Promise.allSettled([results.next(), results.next(), results.next()]);
    assertEquals(first, { status: "fulfilled", value: { value: 5, done: false } });
    assertEquals(second.status === "rejected" && second.reason.name, "DataCloneError");
    assertEquals(third, { status: "fulfilled", value: END });
    assertEquals(pulled, 2);
  }
});

test("Executor.map() out of time rejects, cancels the rest and is over [X7i, test_map_timeout]", async () => {
  await using executor = await busyExecutor();
  for (const timeout of [-1, 0, 1]) {
    const results = executor.map(double, [1, 2], { timeout });
    assertError(await assertRejects(() => results.next()), {
      name: "TimeoutError",
      message: `The results of map() took longer than its timeout of ${timeout} ms`,
    });
    assertEquals<unknown>(await results.next(), END);
  }
  assertEquals(executor.stats().cancelled, 6); // [X7j, test_executor_map_current_future_cancel]
  executor.free();
});

test("Executor.map() delivers a result that is there when time is over, however late [X7i]", async () => {
  for (const timeout of [-1, 1]) {
    await using executor = new MemoryExecutor({ maxWorkers: 1 });
    const open = new MemoryGate(), closed = new MemoryGate();
    open.open();
    const results = executor.map(pass, [open.name, open.name, closed.name], [1, 2, 3], { timeout });
    await until("two are ready", () => executor.stats().completed === 2);
    assertEquals([(await results.next()).value, (await results.next()).value], [1, 2]);
    await assertRejects(() => results.next(), TimeoutError);
    assertEquals<unknown>(await results.next(), END);
    closed.open();
  }
});

test("Executor.map() passes on a TimeoutError that a task throws [test_map_timeout_from_callable]", async () => {
  await using executor = new MemoryExecutor({ errorTypes: [TimeoutError] });
  const late = () => {
    throw Object.assign(new Error("mine"), { name: "TimeoutError" });
  };
  for (const options of [{}, { timeout: 1e6 }]) {
    assertError(await assertRejects(() => executor.map(late, [1], options).next()), {
      name: "TimeoutError",
      message: "mine",
    });
  }
});

test("Executor.map() leaves no timer behind [L2]", async () => {
  await using executor = new MemoryExecutor();
  const { delays, left } = await timersOf(async () => {
    assertEquals(await drained(executor.map(double, [1, 2], { timeout: 1e6 })), [2, 4]);
    const results = executor.map(double, [1, 2], { timeout: 1e6 });
    const waiting = results.next();
    await results.return();
    await waiting;
  });
  assert(delays.filter((delay) => delay > 1e5).length >= 2);
  assertEquals(left, 0);
});

test("Executor.map() is over after return(), break and disposal, which cancel the rest [X7j, X7k, test_map_close]", async () => {
  const endings = [
    (results: AsyncGenerator<number>) => results.return(0),
    (results: AsyncGenerator<number>) => results[Symbol.asyncDispose](),
    async (results: AsyncGenerator<number>) => {
      await results.next();
      for await (const _ of results) break;
    },
  ];
  for (const options of [{}, { chunksize: 3 }, { ordered: false }, { buffersize: 4 }]) {
    for (const end of endings) {
      await using executor = new MemoryExecutor({ maxWorkers: 1 });
      const results = executor.map(double, [1, 2, 3, 4], options);
      await end(results as never);
      assertEquals<unknown>(await results.next(), END);
      const { completed, cancelled } = executor.stats();
      assertEquals(end === endings[2] || cancelled === 4, true, `${completed} completed, ${cancelled} cancelled`);
    }
  }
});

test("Executor.map() lets those who wait go when it is closed [X7k]", async () => {
  await using executor = await busyExecutor();
  const results = executor.map(double, [1, 2]);
  const waiting = [results.next(), results.next()];
  assertEquals<unknown>(await results.return(), END);
  assertEquals<unknown>(await Promise.all(waiting), [END, END]);
  executor.free();
});

test("Executor.map() drops the results of calls that run when it is closed, also a failure [X7j]", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const results = executor.map(pass, ["no such gate"], [1]);
  await results.return();
  assertEquals<unknown>(await results.next(), END);
});

test("Executor.map() throws the error of its input at the call, and cancels what it submitted [X7c]", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  function* input() {
    yield 1;
    throw new RangeError("input");
  }
  assertError(assertThrows(() => executor.map(double, input())), { name: "RangeError", message: "input" });
  assertError(
    assertThrows(() => executor.map(double, { [Symbol.iterator]: () => fail("no iterator") })),
    /no iterator/,
  );
  assertEquals(executor.stats().cancelled, 1);
});

test("Executor.map() gives the results of items before an input failed, then the error [X7c]", async () => {
  await using executor = new MemoryExecutor();
  function* input() {
    yield* [1, 2];
    throw new RangeError("input");
  }
  async function* later() {
    yield* input();
  }
  for (const results of [executor.map(double, input(), { buffersize: 1 }), executor.map(double, later())]) {
    assertEquals([(await results.next()).value, (await results.next()).value], [2, 4]);
    assertError(await assertRejects(() => results.next()), { name: "RangeError", message: "input" });
    assertEquals<unknown>(await results.next(), END);
  }
});

test("Executor.map() after shutdown throws at the call, unless there is no item [X7f]", async () => {
  const executor = new MemoryExecutor();
  await executor.shutdown();
  assertThrows(() => executor.map(double, [1]), ShutdownError);
  assertThrows(() => executor.map(double, [1], { buffersize: 1 }), ShutdownError);
  assertEquals(await drained(executor.map(double, [])), []);
});

test("Executor.map() of an executor that is shut down gives results of the items that it has read, then rejects [X7e]", async () => {
  for (const options of [{}, { ordered: false }, { settled: true as const }]) {
    const executor = new MemoryExecutor();
    const results = executor.map(double, [1, 2, 3, 4].values(), { buffersize: 2, ...options });
    await results.next();
    await executor.shutdown();
    await results.next();
    await results.next();
    await assertRejects(() => results.next(), ShutdownError);
    assertEquals<unknown>(await results.next(), END);
  }
});

test("Executor.map() does not mind a shutdown when everything was read [X7e, test_shutdown_race_issue12456]", async () => {
  const executor = new MemoryExecutor();
  const results = executor.map(double, [1, 2, 3, 4, 5]);
  void executor.shutdown();
  assertEquals(await drained(results), [2, 4, 6, 8, 10]);
});

test("Executor.map() rejects with the CancelledError of a call that a shutdown has cancelled [X8d]", async () => {
  const executor = await busyExecutor();
  const results = executor.map(double, [1, 2]);
  const settled = executor.map(double, [1], { settled: true });
  void executor.shutdown({ cancelFutures: true });
  await assertRejects(() => results.next(), CancelledError);
  assertEquals<unknown>(await results.next(), END);
  const [outcome] = await drained(settled);
  assert(outcome?.status === "rejected" && outcome.reason instanceof CancelledError);
  executor.free();
  await executor.shutdown();
});

test("Executor.map() ends with the reason of its signal, told to who waits or to who asks next", async () => {
  await using executor = await busyExecutor();
  const reason = new Error("enough");
  const isReason = (error: unknown) => error === reason;
  for (const options of [{}, { ordered: false }]) {
    for (const waits of [true, false]) {
      const controller = new AbortController();
      const results = executor.map(double, [1, 2], { ...options, signal: controller.signal });
      const waiting = waits ? results.next() : undefined;
      controller.abort(reason);
      assertError(await assertRejects(() => waiting ?? results.next()), isReason);
      assertEquals<unknown>(await results.next(), END);
    }
  }
  assertEquals(executor.stats().cancelled, 8);
  assertError(assertThrows(() => executor.map(double, [1], { signal: AbortSignal.abort(reason) })), isReason);
  executor.free();
});

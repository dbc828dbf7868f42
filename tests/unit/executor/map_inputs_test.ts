// The inputs of Executor.map(): when their items are submitted, how they are read, and how they are closed.

import { assert, assertEquals, assertRejects, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import {
  CancelledError,
  type Executor,
  type MapIterator,
  type MapOptions,
  ShutdownError,
  TimeoutError,
} from "../../../mod.ts";
import { Mapping } from "../../../src/executor/map.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { MemoryGate, pass } from "../../support/memory_gate.ts";
import { INPUT_ERROR, TrackedInput } from "../../properties/tracked_input.ts";
import { until } from "../../support/until.ts";
import { assertError } from "../../support/assert_error.ts";

const END = { value: undefined, done: true };
const double = (n: number) => n * 2;

function* naturals(): Generator<number> {
  for (let n = 0;; n++) yield n;
}

const drained = <T>(results: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(results);

/** Lets a slow input give an item as soon as it is asked for one. */
const give = (input: TrackedInput<unknown>) => until("an item is asked for", () => input.give());

// --- an item does not wait for those after it

for (const options of [{}, { ordered: false }, { buffersize: 2 }, { chunksize: 10 }, { chunksize: 2, buffersize: 1 }]) {
  test(`Executor.map() gives a result while the next item is waited for, with ${JSON.stringify(options)}`, async () => {
    await using executor = new MemoryExecutor();
    const input = new TrackedInput([1, 2, 3], { pace: "slow" });
    const results = executor.map(double, input.iterable, options);
    for (const n of [1, 2, 3]) {
      const next = results.next();
      await give(input);
      assertEquals(await next, { value: n * 2, done: false });
    }
    const last = results.next();
    await give(input);
    assertEquals<unknown>(await last, END);
    assertEquals(input.violations, []);
  });
}

test("Executor.map() submits the items of an async input before anybody iterates", async () => {
  await using executor = new MemoryExecutor();
  const input = new TrackedInput([1, 2, 3], { pace: "slow" });
  const results = executor.map(double, input.iterable);
  for (const n of [1, 2, 3]) {
    await give(input);
    await until("it is done", () => executor.stats().completed === n);
  }
  await results.return();
});

test("Executor.map() waits until a chunk is full, unless somebody waits for it and no call is under way", async () => {
  await using executor = new MemoryExecutor();
  const input = new TrackedInput([1, 2, 3, 4, 5, 6], { pace: "slow" });
  const gate = new MemoryGate();
  const results = executor.map((n: number) => n, input.iterable, { chunksize: 2 });
  await give(input);
  await until("the next is asked for", () => input.waits);
  await delivered();
  assertEquals([executor.stats().queued, executor.workers.length], [0, 0], "half a chunk");
  const first = results.next();
  assertEquals(await first, { value: 1, done: false }, "somebody waits for it");
  await give(input);
  await give(input);
  assertEquals([await results.next(), await results.next()].map(({ value }) => value), [2, 3]);
  await results.return();

  const held = new TrackedInput(naturals(), { pace: "slow" });
  const slow = executor.map(pass, Array(9).fill(gate.name), held.iterable, { chunksize: 2 });
  await give(held);
  await give(held);
  const three = [slow.next(), slow.next(), slow.next()];
  await gate.reached;
  await give(held);
  await until("the next is asked for", () => held.waits);
  await delivered();
  assertEquals(executor.stats().queued + executor.stats().running, 2, "it is waited for the chunk before");
  gate.open();
  assertEquals((await Promise.all(three)).map(({ value }) => value), [0, 1, 2]);
  await slow.return();
});

test("Executor.map() with maxQueue does not split a chunk while it waits for room", async () => {
  const executor = new MemoryExecutor({ maxWorkers: 1, maxQueue: 1 }, { served: false });
  executor.submit(double, 0);
  executor.workers[0]!.ready();
  await delivered();
  const waiting = executor.submit(double, 1);
  const results = executor.map(double, new TrackedInput([10, 20], { pace: "ready" }).iterable, { chunksize: 2 });
  const next = results.next();
  await delivered();
  waiting.cancel(); // there is room for one: for the chunk
  await until("the chunk is queued", () => executor.stats().queued >= 2);
  await results.return();
  assertEquals<unknown>(await next, END);
  executor.killWorkers();
  await executor.shutdown();
});

test("Executor.map() over an async input that is always ready leaves the program its turns", async () => {
  await using executor = new MemoryExecutor();
  async function* endless() {
    yield* naturals();
  }
  for (const options of [{}, { chunksize: 10_000 }, { ordered: false, settled: true }] as MapOptions[]) {
    const results = executor.map(double, endless(), options);
    await delivered();
    await results.next();
    await results.return();
    await assertRejects(() => drained(executor.map(double, endless(), { ...options, timeout: 1 })), TimeoutError);
  }
});

test("Executor.map() over two async inputs reads one after the other, and neither after the end", async () => {
  await using executor = new MemoryExecutor();
  for (const [a, b] of [[3, 2], [2, 3], [0, 1], [1, 0]] as const) {
    for (const paces of [["slow", "slow"], ["slow", undefined], [undefined, "slow"]] as const) {
      const inputs = [a, b].map((length, i) => new TrackedInput([1, 2, 3].slice(0, length), { pace: paces[i] }));
      const all = drained(executor.map((x: number, y: number) => x + y, inputs[0]!.iterable, inputs[1]!.iterable));
      await until(
        "it has ended",
        () => (inputs.some((input) => input.give()), inputs.every(({ state }) => state !== "open")),
      );
      assertEquals(await all, [2, 4, 6].slice(0, Math.min(a, b)));
      assertEquals(inputs.flatMap(({ violations }) => violations), []);
    }
  }
});

// --- inputs that do something while they are read

test("Executor.map() reads no further than the item at which its input ends everything", async () => {
  const deeds: readonly ((executor: Executor, controller: AbortController) => void)[] = [
    (_, controller) => controller.abort(),
    (executor) => void executor.shutdown(),
    (executor) => void executor.shutdown({ cancelFutures: true }),
    (executor) => executor.killWorkers(),
  ];
  for (const deed of deeds) {
    for (const pace of [undefined, "ready"] as const) {
      for (const options of [{}, { chunksize: 1000 }, { buffersize: 10 }, { ordered: false }] as MapOptions[]) {
        const executor = new MemoryExecutor();
        const controller = new AbortController();
        const onNext = (place: number) => place === 2 && deed(executor, controller);
        const input = new TrackedInput(naturals(), { pace, onNext });
        let error: unknown;
        try {
          await drained(executor.map(double, input.iterable, { ...options, signal: controller.signal }));
        } catch (thrown) {
          error = thrown;
        }
        const about = `${deed} ${pace} ${JSON.stringify(options)}: ${error}`;
        assert(
          controller.signal.aborted
            ? error === controller.signal.reason
            : error instanceof ShutdownError || error instanceof CancelledError,
          about,
        );
        assert(input.given <= 3, about);
        assertEquals([input.state, input.closings, input.violations], ["closed", 1, []], about);
        await executor.shutdown();
      }
    }
  }
});

test("Executor.map() is over when its input calls return() of it", async () => {
  await using executor = new MemoryExecutor();
  for (const pace of [undefined, "ready"] as const) {
    for (const options of [{ buffersize: 2 }, { buffersize: 1, chunksize: 2 }, { buffersize: 2, ordered: false }]) {
      const onNext = (place: number) => place === 4 && void results.return();
      const input = new TrackedInput(naturals(), { pace, onNext });
      const results: MapIterator<number> = executor.map(double, input.iterable, options);
      assert((await drained(results)).length <= 4);
      assertEquals([input.given, input.closings, input.violations], [5, 1, []]);
    }
  }
});

test("Executor.map() serves who asks for a result from within an input", async () => {
  await using executor = new MemoryExecutor();
  for (const pace of [undefined, "ready"] as const) {
    const asked: Promise<IteratorResult<number>>[] = [];
    const onNext = (place: number) => place > 0 && asked.push(results.next());
    const input = new TrackedInput([1, 2, 3], { pace, onNext });
    const results: MapIterator<number> = executor.map(double, input.iterable, { buffersize: 1 });
    asked.push(results.next());
    await until("all are asked for", () => asked.length === 4);
    const all = (await Promise.all(asked)).flatMap(({ done, value }) => done ? [] : [value]);
    assertEquals(all.sort(), [2, 4, 6]);
    assertEquals(input.violations, []);
  }
});

test("Executor.map() is over when an item ends it while it is copied", async () => {
  for (const options of [{}, { chunksize: 4 }, { ordered: false }] as MapOptions[]) {
    for (const limits of [{}, { priority: 1 }, { retries: 1 }]) {
      await using executor = new MemoryExecutor();
      await Promise.all([executor.submit(double, 1), executor.submit(double, 1)]);
      const controller = new AbortController();
      const item = (n: number) => ({
        get n() {
          if (n === 1) controller.abort();
          return n;
        },
      });
      const items = [0, 1, 2, 3, 4, 5, 6].map(item);
      const { signal } = controller;
      const results = executor.with(limits).map(({ n }: { n: number }) => n, items, { ...options, signal });
      assertError(await assertRejects(() => drained(results)), { name: "AbortError" });
      Mapping.assertInvariants(results);
      assertEquals(executor.stats().queued, 0);
    }
  }
});

// --- inputs that are closed

/** How an iteration of at most four items ends, and the state of its inputs then. */
const ENDINGS: Record<string, (results: MapIterator<number>, executor: Executor) => Promise<"ended" | "closed">> = {
  "all were taken": async (results) => (await drained(results), "ended"),
  "return()": async (results) => (await results.return(), "closed"),
  "return() twice": async (results) => (await Promise.all([results.return(), results.return()]), "closed"),
  "break": async (results) => {
    for await (const _ of results) break;
    return "closed";
  },
  "an error of a task": async (results) => {
    await results.next();
    await assertRejects(() => drained(results), RangeError);
    return "closed";
  },
  "a shutdown": async (results, executor) => {
    await results.next();
    void executor.shutdown();
    await assertRejects(() => drained(results), ShutdownError);
    return "closed";
  },
  "its workers' end": async (results, executor) => {
    executor.killWorkers();
    await assertRejects(() => drained(results));
    return "closed";
  },
};

test("Executor.map() lets each input go once, however it ends", async () => {
  for (const [name, end] of Object.entries(ENDINGS)) {
    for (
      const paces of [[undefined], ["ready"], ["slow"], [undefined, undefined], ["hops", undefined], [
        undefined,
        "slow",
      ]] as const
    ) {
      for (const closeThrows of [false, true]) {
        const executor = new MemoryExecutor({ onUnobserved() {} });
        const fails = name === "an error of a task";
        const fn = fails
          ? (n: number) => {
            if (n === 1) throw new RangeError("one");
            return n;
          }
          : (n: number) => n;
        const inputs = paces.map((pace, i) => new TrackedInput([0, 1, 2, 3, 4].slice(i), { pace, closeThrows }));
        const giving = setInterval(() => inputs.forEach((input) => input.give()));
        const results = executor.map(
          fn as (...args: number[]) => number,
          ...inputs.map(({ iterable }) => iterable) as [Iterable<number>],
          { buffersize: 1 },
        );
        const expected = await end(results, executor);
        await delivered();
        clearInterval(giving);
        const about = `${name}: ${paces} ${closeThrows}`;
        for (const { closings, violations } of inputs) assertEquals([violations, closings <= 1], [[], true], about);
        // Of several, the shortest ends by itself, and the others are closed for it.
        const states = inputs.map(({ state }) => state);
        assertEquals(
          states,
          expected === "closed" || states.length === 1 ? states.map(() => expected) : ["closed", "ended"],
          about,
        );
        await executor.shutdown();
      }
    }
  }
});

test("Executor.map() does not close an input that has failed, but the others, once", async () => {
  await using executor = new MemoryExecutor();
  for (const pace of [undefined, "ready", "hops"] as const) {
    const input = new TrackedInput([1, 2, 3], { pace, failsAt: 1 });
    const others = [new TrackedInput(naturals()), new TrackedInput(naturals(), { pace })];
    const add = (a: number, b: number, c: number) => a + b + c;
    const map = () => executor.map(add, others[0]!.iterable, input.iterable, others[1]!.iterable, { buffersize: 5 });
    assertError(await assertRejects(async () => await drained(map())), INPUT_ERROR);
    assertEquals([input.state, ...others.map(({ state }) => state)], ["failed", "closed", "closed"]);
    assertEquals([input, ...others].flatMap(({ violations }) => violations), []);
  }
});

test("Executor.map() opens no input when its signal has aborted, and leaves none open when another cannot be opened", async () => {
  await using executor = new MemoryExecutor();
  const map = (...args: unknown[]) => () => executor.map(double, ...args as [number[]]);
  const stream = new ReadableStream<number>({ start: (controller) => controller.enqueue(5) });
  assertError(assertThrows(map(stream, { signal: AbortSignal.abort() })), { name: "AbortError" });
  assertThrows(map(stream, { chunksize: 0 }), RangeError);
  assertEquals(stream.locked, false);
  for (const pace of [undefined, "ready"] as const) {
    const input = new TrackedInput(naturals(), { pace });
    assertError(assertThrows(map(input.iterable, { [Symbol.iterator]: () => fail("no iterator") })), /no iterator/);
    assertEquals([input.state, input.given, input.violations], ["closed", 0, []]);
  }
  const controller = new AbortController();
  const input = new TrackedInput(naturals());
  const opening = { [Symbol.iterator]: () => (controller.abort(), naturals()) };
  const results = executor.map((a: number, b: number) => a + b, input.iterable, opening, { signal: controller.signal });
  assertError(await assertRejects(() => results.next()), { name: "AbortError" });
  assertEquals([input.state, input.given, input.violations], ["closed", 0, []]);
});

test("Executor.map() refuses an input whose next() gives no object, as a loop does", async () => {
  await using executor = new MemoryExecutor();
  for (const result of [undefined, null, 5, "done"]) {
    const iterator = { next: () => result, return: () => fail("it is closed") };
    const input = { [Symbol.iterator]: () => iterator } as unknown as Iterable<number>;
    assertThrows(() => executor.map(double, input), TypeError);
    const later = { [Symbol.asyncIterator]: () => iterator } as unknown as AsyncIterable<number>;
    await assertRejects(() => executor.map(double, later).next(), TypeError);
  }
});

test("Executor.map() reads each of its options once", async () => {
  await using executor = new MemoryExecutor();
  const read: string[] = [];
  const given: Record<string, unknown> = { chunksize: 2, buffersize: 1, ordered: false, settled: true };
  const options = new Proxy({}, { get: (_, name) => (read.push(String(name)), given[String(name)]) });
  const results = executor.map(double, [1, 2, 3], options as { settled: true });
  given.settled = false;
  assertEquals((await drained(results)).map(({ status }) => status), ["fulfilled", "fulfilled", "fulfilled"]);
  const names = ["buffersize", "chunksize", "ordered", "settled", "signal", "timeout"];
  assertEquals(read.filter((name) => names.includes(name)).sort(), names);
});

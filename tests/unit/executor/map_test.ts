// Executor.map(): when items are read and when results come. map_end_test.ts is about how it ends.

import { assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { MemoryGate, pass } from "../../support/memory_gate.ts";
import { until } from "../../support/until.ts";

const END = { value: undefined, done: true };
const double = (n: number) => n * 2;

/** Takes all results. */
const drained = <T>(results: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(results);

/** An endless input that counts up, and how many items were read of it. */
function counter(): { items: Iterable<number>; readonly pulled: number } {
  let pulled = 0;
  return {
    items: (function* () {
      for (;;) yield pulled++;
    })(),
    get pulled() {
      return pulled;
    },
  };
}

async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await delivered();
    yield item;
  }
}

test("Executor.map() gives the results in the order of the items [X7g, test_map]", async () => {
  await using executor = new MemoryExecutor();
  assertEquals(await drained(executor.map(double, [1, 2, 3])), [2, 4, 6]);
  const first = new MemoryGate(), second = new MemoryGate();
  const results = drained(executor.map(pass, [first.name, second.name], [1, 2]));
  await Promise.all([first.reached, second.reached]);
  second.open();
  await until("the second has ended", () => executor.stats().completed === 4);
  first.open();
  assertEquals(await results, [1, 2]);
});

test("Executor.map() zips its inputs, the shortest ends it [X7b, test_map]", async () => {
  await using executor = new MemoryExecutor();
  const add = (a: number, b: number, c: number) => a + b + c;
  assertEquals(await drained(executor.map(add, [1, 2], counter().items, new Set([10, 20, 30]))), [11, 23]);
  assertEquals(await drained(executor.map(add, [1], [], [2])), []);
  let closed = false;
  function* input() {
    try {
      for (;;) yield 1;
    } finally {
      closed = true;
    }
  }
  assertEquals(await drained(executor.map((a: number, b: number) => a - b, input(), [1])), [0]);
  assertEquals(closed, true);
});

test("Executor.map() of nothing is over [X7b, test_map_buffersize_without_iterable, test_map_buffersize_on_empty_iterable]", async () => {
  await using executor = new MemoryExecutor();
  for (const options of [{}, { buffersize: 1 }, { ordered: false }, { chunksize: 3 }]) {
    assertEquals(await drained(executor.map(double, [], options)), []);
    assertEquals(await drained(executor.map(double, later([]), options)), []);
    assertEquals(await drained(executor.map(() => fail(), options as never)), []);
  }
  assertEquals(executor.workers.length, 0);
});

test("Executor.map() takes strings, and Map entries [X7b]", async () => {
  await using executor = new MemoryExecutor();
  assertEquals(await drained(executor.map((s: string) => s + s, "ab")), ["aa", "bb"]);
  assertEquals(await drained(executor.map(([k, v]: [string, number]) => k + v, new Map([["a", 1]]))), ["a1"]);
});

test("Executor.map() refuses wrong arguments at the call [X7a, test_map_buffersize_type_validation]", async () => {
  await using executor = new MemoryExecutor();
  const map = (...args: unknown[]) => () => executor.map(double, ...args as [number[]]);
  for (const input of [5, null, true, () => {}]) assertThrows(map(input, [1]), TypeError);
  for (const options of [{ buffersize: "foo" }, { buffersize: 2.5 }, { buffersize: NaN }, { buffersize: 2n }]) {
    assertThrows(map([1], options), TypeError);
  }
  assertThrows(map([1], { chunksize: "3" }), TypeError);
  assertThrows(map([1], { timeout: "3" }), TypeError);
  assertThrows(map([1], { signal: {} }), TypeError);
  assertThrows(() => executor.map(5 as never, [1]), TypeError);
  assertEquals(executor.workers.length, 0);
});

test("Executor.map() refuses numbers out of range [X7a, test_map_buffersize_value_validation, test_map_chunksize]", async () => {
  await using executor = new MemoryExecutor();
  const options = [{ buffersize: 0 }, { buffersize: -1 }, { chunksize: 0 }, { chunksize: -1 }, { chunksize: 1.5 }];
  for (const wrong of [...options, { timeout: NaN }]) {
    assertThrows(() => executor.map(double, [1], wrong), RangeError);
  }
});

test("Executor.map() takes options that are undefined as not given [X7a]", async () => {
  await using executor = new MemoryExecutor();
  const options = { timeout: undefined, chunksize: undefined, buffersize: undefined, signal: undefined };
  assertEquals(await drained(executor.map(double, [1], options as never)), [2]);
  assertEquals(await drained(executor.map(double, [1], undefined)), [2]);
});

test("Executor.map() reads and submits everything at the call [X7c, test_map_submits_without_iteration]", async () => {
  await using executor = new MemoryExecutor();
  const items = [1, 2, 3];
  const results = executor.map(double, items.values());
  assertEquals(executor.stats().queued, 3);
  await until("all are done", () => executor.stats().completed === 3);
  assertEquals(await drained(results), [2, 4, 6]);
});

test("Executor.map() with buffersize reads exactly so many at the call [X7d, test_map_buffersize_when_buffer_is_full]", async () => {
  const executor = new MemoryExecutor();
  const source = counter();
  executor.map(double, source.items, { buffersize: 4 });
  assertEquals(source.pulled, 4);
  await executor.shutdown();
  assertEquals(source.pulled, 4);
});

test("Executor.map() with buffersize never has more outstanding [X7d, test_map_buffersize_on_infinite_iterable]", async () => {
  await using executor = new MemoryExecutor();
  for (const options of [{}, { ordered: false }, { settled: true as const }]) {
    const source = counter();
    const results = executor.map(double, source.items, { buffersize: 3, ...options });
    for (let taken = 1; taken <= 10; taken++) {
      await results.next();
      assertStrictEquals(source.pulled, 3 + taken);
    }
    await results.return();
    assertEquals(source.pulled, 13);
  }
});

test("Executor.map() with buffersize reads on in portions, before somebody waits and in each turn [X7d]", async () => {
  await using executor = new MemoryExecutor();
  const source = counter();
  const results = executor.map(double, source.items, { buffersize: 10 });
  await until("the buffer is full", () => executor.stats().completed === 10);
  for (let taken = 1; taken <= 4; taken++) await results.next();
  assertEquals(source.pulled, 10);
  await results.next(); // half of the buffer is free
  assertEquals(source.pulled, 15);
  await results.next();
  assertEquals(source.pulled, 15);
  await delivered();
  assertEquals(source.pulled, 16);
  await results.return();

  const gate = new MemoryGate(), opened = new MemoryGate(), others = counter();
  opened.open();
  const gates = Array.from({ length: 100 }, (_, n) => (n === 2 ? gate : opened).name);
  const gated = executor.map(pass, gates, others.items, { buffersize: 10 });
  await gate.reached;
  assertEquals([await gated.next(), await gated.next()].map(({ value }) => value), [0, 1]);
  assertEquals(others.pulled, 10);
  const third = gated.next();
  assertEquals(others.pulled, 12); // a worker may have nothing to do while somebody waits for the third
  gate.open();
  assertEquals((await third).value, 2);
  await gated.return();
});

test("Executor.map() with buffersize is complete and in order, whatever the size [X7d, test_map_buffersize]", async () => {
  await using executor = new MemoryExecutor();
  for (const buffersize of [1, 2, 4, 8]) {
    const results = executor.map((a: number, b: number) => a * b, [1, 2, 3, 4], counter().items, { buffersize });
    assertEquals(await drained(results), [0, 2, 6, 12]); // [test_map_buffersize_on_multiple_iterables]
  }
});

test("Executor.map() with buffersize zips endless inputs [X7d, test_map_buffersize_on_multiple_infinite_iterables]", async () => {
  await using executor = new MemoryExecutor();
  const results: number[] = [];
  for await (
    const sum of executor.map((a: number, b: number) => a + b, counter().items, counter().items, { buffersize: 2 })
  ) {
    if (results.push(sum) === 3) break;
  }
  assertEquals(results, [0, 2, 4]);
});

test("Executor.map() with chunksize counts buffersize in chunks, and loses nothing [X7d, P16]", async () => {
  await using executor = new MemoryExecutor();
  const source = counter();
  const results = executor.map(double, source.items, { buffersize: 2, chunksize: 3 });
  assertEquals(source.pulled, 6);
  await results.return();
  for (const chunksize of [1, 3, 4, 5, 100]) {
    assertEquals(await drained(executor.map(double, [1, 2, 3, 4], { chunksize })), [2, 4, 6, 8]);
  }
});

test("Executor.map() takes async iterables, alone and among others [X7]", async () => {
  await using executor = new MemoryExecutor();
  for (const options of [{}, { buffersize: 1 }, { chunksize: 2 }]) {
    assertEquals(await drained(executor.map(double, later([1, 2, 3]), options)), [2, 4, 6]);
    const sums = executor.map((a: number, b: number) => a + b, later([1, 2, 3]), [10, 20], options);
    assertEquals(await drained(sums), [11, 22]);
  }
});

test("Executor.map() with buffersize reads an async iterable no further [X7d]", async () => {
  await using executor = new MemoryExecutor();
  let pulled = 0;
  async function* input() {
    for (;;) yield await pulled++;
  }
  const results = executor.map(double, input(), { buffersize: 2 });
  await until("the buffer is full", () => executor.stats().completed === 2);
  await delivered();
  assertEquals(pulled, 2);
  assertEquals(await results.next(), { value: 0, done: false });
  await until("one more was read", () => executor.stats().completed === 3);
  await delivered();
  assertEquals(pulled, 3);
  await results.return();
});

test("Executor.map() unordered gives results as they are ready", async () => {
  await using executor = new MemoryExecutor();
  const first = new MemoryGate(), second = new MemoryGate();
  second.open();
  const results = executor.map(pass, [first.name, second.name, second.name], [1, 2, 3], { ordered: false });
  assertEquals([(await results.next()).value, (await results.next()).value], [2, 3]);
  first.open();
  assertEquals(await results.next(), { value: 1, done: false });
  assertEquals<unknown>(await results.next(), END);
});

test("Executor.map() serves several next() in order", async () => {
  await using executor = new MemoryExecutor();
  for (const options of [{}, { buffersize: 1 }, { ordered: false }]) {
    const results = executor.map(double, [1, 2], options);
    const [a, b, c, d] = await Promise.all([results.next(), results.next(), results.next(), results.next()]);
    assertEquals([a.value, b.value].sort(), [2, 4]);
    assertEquals([c, d], [END, END]);
  }
});

test("Executor.map() gives thousands of results, in order or not", async () => {
  await using executor = new MemoryExecutor();
  const items = Array.from({ length: 5000 }, (_, n) => n);
  for (const options of [{}, { ordered: false }, { buffersize: 100 }, { chunksize: 7 }]) {
    const results = await drained(executor.map(double, items, options));
    assertEquals(results.sort((a, b) => a - b), items.map(double));
  }
});

test("Executor.map() keeps no result that it has given [X7m, test_free_reference]", needsCollector, async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const iterators: unknown[] = [];
  for (const options of [{}, { ordered: false }, { buffersize: 1 }]) {
    const given = async () => {
      const results = executor.map((n: number) => ({ n }), [1, 2], options);
      iterators.push(results);
      return new WeakRef((await results.next()).value);
    };
    assertEquals(await isCollected(given), true);
  }
  assertEquals(iterators.length, 30);
});

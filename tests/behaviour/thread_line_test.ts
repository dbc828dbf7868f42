// Calls that follow each other closely cross to a thread and back by shared memory, others by messages: nobody can tell.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ThreadPoolExecutor } from "../../mod.ts";
import { reportAndTell } from "../fixtures/tasks/report_tasks.ts";
import { assertError } from "../support/assert_error.ts";

const CALLS = 2000;

const identity = <T>(value: T) => value;

test("values arrive exactly, in a chain of calls, whichever way they cross", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const values: readonly unknown[] = [
    ...[0, -0, 1, -1, 0.5, NaN, Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 5e-324, true, false, null, undefined],
    ...["", "é☃", "\ud800", "\0", "a".repeat(1024), "a".repeat(1025), "☃".repeat(100_000)],
    ...[0n, -(2n ** 63n), 2n ** 63n, 10n ** 400n],
    ...[[], [1, , 3], [[1]], { a: -0 }, new Map([[1, new Set([2])]]), new Date(0), new Uint8Array(3)],
  ];
  for (let i = 0; i < CALLS; i++) {
    const value = values[i % values.length];
    assert.deepStrictEqual(await executor.submit(identity, value), value);
  }
});

test("calls begin in the order in which they were submitted, whichever way they cross", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const next = (_: unknown) =>
    (globalThis as unknown as { count: number }).count = ((globalThis as never)["count"] ?? 0) + 1;
  let last = 0;
  for (let round = 0; round < 200; round++) {
    const futures = Array.from({ length: round % 7 + 1 }, (_, i) => executor.submit(next, (i + round) % 3 ? i : { i }));
    if (round % 2) await futures[0];
    for (const future of futures) assertStrictEquals(await future, ++last);
  }
});

test("what fails among calls that follow each other fails alone", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const mixed = (n: number) => {
    if (n % 5 === 1) throw new RangeError(String(n));
    if (n % 5 === 2) return Promise.resolve(n);
    if (n % 5 === 3) return { n };
    if (n % 5 === 4) return () => n;
    return n;
  };
  for (let n = 0; n < 500; n++) {
    const future = executor.submit(mixed as (n: number) => unknown, n);
    if (n % 5 === 1) assertError(await assertRejects(() => future.result()), new RangeError(String(n)));
    else if (n % 5 === 4) assertError(await assertRejects(() => future.result()), { name: "DataCloneError" });
    else assert.deepStrictEqual(await future, n % 5 === 3 ? { n } : n);
  }
});

test("a chain of awaited calls lets timers of the program through", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  for (const task of [(n: number) => n, async (n: number) => await n]) {
    for (let round = 0; round < 5; round++) {
      let fired = false;
      setTimeout(() => fired = true, 1);
      while (!fired) await executor.submit(task as (n: number) => number, 1);
    }
  }
});

test("a chain of awaited calls lets timers of its tasks through", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const start = () => {
    const scope = globalThis as unknown as { fired: boolean };
    scope.fired = false;
    setTimeout(() => scope.fired = true, 1);
  };
  const hasFired = () => (globalThis as unknown as { fired: boolean }).fired;
  for (let round = 0; round < 5; round++) {
    await executor.submit(start);
    while (!await executor.submit(hasFired));
  }
});

test("many threads answer many chains of calls", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 8 });
  const chain = async (n: number) => {
    for (let i = 0; i < 300; i++) n = await executor.submit((n: number) => n + 1, n);
    return n;
  };
  const ends = await Promise.all(Array.from({ length: 16 }, (_, n) => chain(n)));
  assert.deepStrictEqual(ends, Array.from({ length: 16 }, (_, n) => n + 300));
});

test("a chain of calls goes on after calls that take long, and after pauses", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const rest = async (n: number) => {
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return n;
  };
  for (let n = 0; n < 500; n++) {
    assertStrictEquals(await executor.submit(rest, n), n);
    if (n % 70 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test("what has finished arrives when its thread ends in the next call, in a chain of calls", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1, onUnobserved() {} });
  const endAt = (n: number) => {
    const scope = globalThis as unknown as { close?(): void; process: { exit(): never } };
    if (n === 9) "Deno" in scope ? scope.close!() : scope.process.exit();
    return n;
  };
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 50; n++) assertStrictEquals(await executor.submit((n: number) => n, n), n);
    const futures = Array.from({ length: 10 }, (_, n) => executor.submit(endAt, n));
    for (const [n, future] of futures.slice(0, 9).entries()) assertStrictEquals(await future, n);
    await futures[9]!.exception();
  }
});

test("a buffer is moved in a chain of calls", async () => {
  const { transfer } = await import("../../mod.ts");
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  for (let n = 0; n < 200; n++) {
    const bytes = new Uint8Array([n]);
    if (n % 10) assertStrictEquals(await executor.submit(identity, n), n);
    else {
      assert.deepStrictEqual(await executor.submit(identity, transfer(bytes, [bytes.buffer])), new Uint8Array([n]));
      assertEquals(bytes.length, 0);
    }
  }
});

test("a task that reports is held while the program does not read, but goes on", async () => {
  await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
  const words = new Int32Array(new SharedArrayBuffer(4));
  let heard = 0;
  const future = executor.with({ onReport: () => heard++ }).submit(reportAndTell, words, 400);
  while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const begun = performance.now();
  while (Atomics.load(words, 0) !== 2) Atomics.wait(words, 0, 1, 5);
  const took = performance.now() - begun;
  // It has 128 reports that are not read, three times, and waits 100 ms after each time.
  assert(took > 150, `it was held for ${took} ms`);
  await future;
  assertStrictEquals(heard, 400);
});

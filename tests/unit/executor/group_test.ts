// Groups without workers: when a failure counts, and what a group keeps.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { asCompleted, wait } from "../../../mod.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";

const double = (n: number) => n * 2;
const fail = (message: string) => {
  throw new RangeError(message);
};

test("a group keeps no call that is done, and its signal keeps no group that has ended", needsCollector, async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const { signal } = new AbortController();
  const group = executor.group({ signal });
  const done = async () => {
    const argument = { large: true };
    await group.with({ signal }).submit((value: object) => Object.keys(value).length, argument);
    return new WeakRef(argument);
  };
  assertEquals(await isCollected(done), true);
  await group[Symbol.asyncDispose]();
  const ended = async () => {
    const inner = executor.group({ signal });
    await inner.submit(double, 1);
    await inner[Symbol.asyncDispose]();
    return new WeakRef(inner);
  };
  assertEquals(await isCollected(ended), true);
});

test("a failure that is seen after the group was aborted for it is thrown nevertheless", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const group = executor.group();
  const future = group.submit(fail, "late");
  await new Promise((resolve) => group.signal.addEventListener("abort", resolve));
  const reason = await future.exception();
  const thrown = await group[Symbol.asyncDispose]().catch((error) => error);
  assertStrictEquals(thrown, reason);
});

test("whoever waits for futures of a group may look at a failure first", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 2 });
  await executor.group(async (group) => {
    const futures = ["a", "b", "c"].map((message) => group.submit(fail, message));
    for await (const future of asCompleted(futures)) await future.catch(() => {});
    const { done } = await wait([group.submit(fail, "d"), group.submit(double, 1)]);
    assertEquals([...done].map((future) => future.outcome!.status).sort(), ["fulfilled", "rejected"]);
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(group.signal.aborted, false);
  });
});

// Callbacks of a Future run in the asynchronous context (AsyncLocalStorage) of who added them, as those of a promise do,
// whatever context the Future is settled in.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { asCompleted, Future, wait } from "../../../mod.ts";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";

const storage = new AsyncLocalStorage<string>();

/** Ways to be told of a Future's end; each calls `told` then. */
const WAYS: readonly ((future: Future<unknown>, told: () => void) => unknown)[] = [
  (future, told) => future.then(() => told(), () => told()),
  (future, told) => future.then(told, told),
  (future, told) => future.then(told).catch(told),
  (future, told) => future.catch(() => {}).then(told),
  (future, told) => future.finally(told).catch(() => {}),
  (future, told) => future.result().then(told, told),
  (future, told) => future.result(60_000).then(told, told),
  (future, told) => future.exception().then(told),
  (future, told) => Promise.resolve(future).then(told, told),
  (future, told) => Promise.all([future]).then(told, told),
  async (future, told) => {
    await future.exception();
    told();
  },
  async (future, told) => {
    try {
      await future;
    } catch {
      // told below
    }
    told();
  },
  async (future, told) => {
    await wait([future]);
    told();
  },
  async (future, told) => {
    for await (const _ of asCompleted([future])) told();
  },
];

test("Future keeps the asynchronous context of who waits for it", async () => {
  for (const fails of [false, true]) {
    const future = new Future<unknown>();
    const stores: (string | undefined)[] = [];
    const names = WAYS.map((_, n) => `store ${n}`);
    const wait = (way: typeof WAYS[number], n: number) =>
      storage.run(names[n]!, () => way(future, () => stores[n] = storage.getStore()));
    WAYS.forEach(wait);
    await delivered();
    storage.run("who settles", () => fails ? future.setException(new Error()) : future.setResult(1));
    await delivered();
    assertEquals(stores, names);
    stores.length = 0;
    WAYS.forEach(wait); // it is done already
    await delivered();
    assertEquals(stores, names);
  }
});

test("Executor.submit() and map() keep the asynchronous context of who waits", async () => {
  await using executor = new MemoryExecutor();
  await Promise.all(["one", "two", "three"].map((store) =>
    storage.run(store, async () => {
      await executor.submit((text: string) => text, store);
      assertStrictEquals(storage.getStore(), store);
      const stores = executor.submit((text: string) => text, store).then(() => storage.getStore());
      for await (const _ of executor.map((n: number) => n, [1, 2, 3], { buffersize: 2 })) {
        assertStrictEquals(storage.getStore(), store);
      }
      assertStrictEquals(await stores, store);
    })
  ));
});

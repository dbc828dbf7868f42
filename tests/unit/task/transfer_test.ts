// transfer() marks what is moved instead of copied.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { transfer } from "../../../mod.ts";
import { transfersOf } from "../../../src/wire/marks.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";

test("transfer() returns the value, and marks the parts that are moved", () => {
  const value = { bytes: new Uint8Array(8) }, list = [value.bytes.buffer];
  assertStrictEquals(transfer(value, list), value);
  assertEquals(transfersOf(value), list);
  list.pop(); // the mark keeps a list of its own
  assertEquals(transfersOf(value)?.length, 1);
  transfer(value, []);
  assertEquals(transfersOf(value), []);
});

test("transfer() marks nothing else", () => {
  for (const other of [{}, [], undefined, null, 5, "text"]) assertEquals(transfersOf(other), undefined);
});

test("transfer() refuses what cannot be marked", () => {
  for (const value of [undefined, null, 5, "text", true]) assertThrows(() => transfer(value, []), TypeError);
  for (const list of [undefined, null, {}, new ArrayBuffer(8)]) {
    assertThrows(() => transfer({}, list as never), TypeError);
  }
});

test("transfer() moves an argument to the worker, and a result back", async () => {
  await using executor = new MemoryExecutor();
  const bytes = new Uint8Array([1, 2, 3]);
  const future = executor.submit((bytes: Uint8Array) => bytes.length, transfer(bytes, [bytes.buffer]));
  assertEquals(await future, 3);
  assertEquals(bytes.length, 0);
  const url = new URL("../../../mod.ts", import.meta.url).href;
  const realm = globalThis as { kept?: ArrayBuffer };
  const result = await executor.submit(async (url: string) => {
    const { transfer } = await import(url);
    const buffer = new ArrayBuffer(8);
    Object.assign(globalThis, { kept: buffer });
    return transfer(buffer, [buffer]);
  }, url);
  assertEquals(result.byteLength, 8);
  assertEquals(realm.kept?.byteLength, 0);
  delete realm.kept;
});

test("transfer() of one buffer in two calls fails the second alone [X4]", async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const bytes = new Uint8Array([1, 2, 3]);
  const length = (bytes: Uint8Array) => bytes.length;
  await executor.submit(length, new Uint8Array(1)); // known to be short, so that the next calls travel together
  const [first, second, third] = [1, 2, 3].map((n) =>
    executor.submit(length, n < 3 ? transfer(bytes, [bytes.buffer]) : new Uint8Array(5))
  );
  assertEquals([await first, await third], [3, 5]);
  assertEquals((await second!.exception() as Error).name, "DataCloneError");
});

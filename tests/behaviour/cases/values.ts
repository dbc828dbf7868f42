// Values that cross to a worker and back, and values that do not.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import node from "node:assert/strict";
import { Future } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { assertError } from "../../support/assert_error.ts";

const cycle: Record<string, unknown> = { name: "cycle" };
cycle.self = cycle;
const twice = { a: 1 };

/** Values that arrive unchanged. */
const CROSSES: Record<string, unknown> = {
  "undefined": undefined,
  "null": null,
  "-0": -0,
  "NaN": NaN,
  "Infinity": -Infinity,
  "a boolean": true,
  "a bigint": 2n ** 70n,
  "a text": "à\u0000\u{1f600}\ud800",
  "an array with holes": [1, , 3],
  "nested arrays": [[], [[]]],
  "an object": { a: undefined, b: { "": 0 }, __proto__: null },
  "a cycle": cycle,
  "a repeated object": [twice, twice],
  "a Map": new Map<unknown, unknown>([[{ key: 1 }, new Set([1, "1"])]]),
  "a Date": new Date(1e12),
  "an invalid Date": new Date(NaN),
  "a RegExp": /a(?<b>.)/giu,
  "typed arrays": [new Uint8Array([1, 255]), new Float64Array([NaN, -0]), new BigInt64Array([-1n])],
  "a view of a part": new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  "an ArrayBuffer": new Uint8Array([1, 2, 3]).buffer,
  "a DataView": new DataView(new ArrayBuffer(2)),
  "boxed values": [Object(1), Object("a"), Object(true)],
};

interface Link {
  readonly next: Link | undefined;
}

/** Whether a list of `count` links has crossed; one of a thousand does. */
async function crosses(future: Future<unknown>, count: number): Promise<boolean> {
  const error = await future.exception() as Error | undefined;
  if (error === undefined) return true;
  assertEquals(error.name, "DataCloneError");
  assert(count > 1000);
  return false;
}

export function valueCases(kind: Kind): void {
  behaviour(kind, ".submit() carries every cloneable value there and back", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const futures = Object.values(CROSSES).map((value) => executor.submit((value: unknown) => value, value));
    for (const [n, name] of Object.keys(CROSSES).entries()) {
      const [sent, received] = [CROSSES[name], await futures[n]];
      // A view's whole buffer may be copied. A null prototype does not cross, and structuredClone() drops it, too.
      if (sent instanceof Uint8Array) node.deepEqual([...received as Uint8Array], [...sent as Uint8Array], name);
      else if (sent instanceof Date) node.deepEqual([(received as Date).getTime()], [sent.getTime()], name); // Node 20
      else node.deepEqual(received, structuredClone(sent), name);
    }
  });

  behaviour(
    kind,
    ".submit() rejects when an argument cannot be cloned, and harms no neighbour [X4, P5]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const identity = (value: unknown) => value;
      const bad = [() => 1, Symbol("s"), { deep: [new Map([[1, () => 1]])] }, new WeakMap(), Promise.resolve(1)];
      for (let round = 0; round < 2; round++) { // to a worker that starts, then to one that is up
        const futures = bad.flatMap((value, n) => [executor.submit(identity, value), executor.submit(identity, n)]);
        for (const n of bad.keys()) {
          assertError(await assertRejects(() => futures[2 * n]!, `argument ${n}`), { name: "DataCloneError" });
          assertStrictEquals(await futures[2 * n + 1], n);
        }
      }
      assertEquals(executor.stats().lost, 0);
    },
  );

  behaviour(kind, ".submit() rejects when a result cannot be cloned, and harms no neighbour [P8]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const make = (n: number) => [() => 1, Symbol("s"), { deep: [new Map([[1, () => 1]])] }, new WeakMap()][n];
    for (let round = 0; round < 2; round++) {
      const futures = [0, 1, 2, 3].flatMap((n) => [executor.submit(make, n), executor.submit((n: number) => n, n)]);
      for (const n of [0, 1, 2, 3]) {
        assertError(await assertRejects(() => futures[2 * n]!, `result ${n}`), { name: "DataCloneError" });
        assertStrictEquals(await futures[2 * n + 1], n);
      }
    }
    assertEquals(executor.stats().lost, 0);
  });

  behaviour(kind, ".submit() rejects when an argument's getter throws, with that error [X4]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const trap = {
      get value() {
        throw new RangeError("trapped");
      },
    };
    assertError(await assertRejects(() => executor.submit((value: unknown) => value, trap)), { message: "trapped" });
    assertEquals(await executor.submit((n: number) => n, 1), 1);
  });

  behaviour(
    kind,
    ".submit() rejects when a value is nested too deep to be read, and harms no neighbour",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const length = (list: Link | undefined) => {
        let links = 0;
        for (; list; list = list.next) links++;
        return links;
      };
      const make = (count: number, how: string) => {
        let list: Link | undefined;
        for (let n = 0; n < count; n++) list = { next: list };
        if (how === "thrown") throw list;
        if (how === "property") throw Object.assign(new RangeError("mine"), { list });
        return list;
      };
      await executor.submit(length, undefined); // known to be short, so that the next calls travel together
      for (const count of [1000, 2000, 5000, 100_000]) {
        const sent = make(count, "") as Link;
        const [argument, first, result, second, property, third, thrown, fourth] = [
          executor.submit(length, sent),
          executor.submit((n: number) => n, 1),
          executor.submit(make, count, ""),
          executor.submit((n: number) => n, 2),
          executor.submit(make, count, "property"),
          executor.submit((n: number) => n, 3),
          executor.submit(make, count, "thrown"),
          executor.submit((n: number) => n, 4),
        ] as const;
        node.deepEqual([await first, await second, await third, await fourth], [1, 2, 3, 4]);
        // A value either arrives unchanged or is a DataCloneError.
        if (await crosses(argument, count)) assertStrictEquals(await argument, count);
        if (await crosses(result, count)) assertStrictEquals(length(await result), count);
        const error = await property.exception() as RangeError & { list: Link | string };
        assert(error instanceof RangeError && error.message === "mine");
        if (error.list !== "[object Object]") assertStrictEquals(length(error.list as Link), count);
        const value = await thrown.exception();
        if (value instanceof Error) assertMatch(value.message, /cannot be cloned/);
        else assertStrictEquals(length(value as Link), count);
      }
      assertEquals(executor.stats().lost, 0);
    },
  );

  behaviour(kind, ".submit() refuses executors and futures as arguments [P15]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const kindOf = (value: unknown) => String(value);
    assertError(await assertRejects(() => executor.submit(kindOf, executor)), { name: "DataCloneError" });
    assertError(await assertRejects(() => executor.submit(kindOf, new Future())), { name: "DataCloneError" });
  });

  behaviour(kind, ".submit() carries values larger than any pipe's buffer [P17]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const bytes = new Uint8Array(8 << 20).fill(7);
    const flip = (bytes: Uint8Array) => bytes.map((byte) => byte + 1);
    const results = await Promise.all([
      executor.submit(flip, bytes),
      executor.submit(flip, bytes),
      executor.submit(flip, bytes),
    ]);
    for (const result of results) assert(result.length === bytes.length && result[0] === 8 && result.at(-1) === 8);
  });
}

// The table in docs/values.md of what can cross: every row of it is tried, there and back, on each runtime.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";
import { cellFor, readTable, receive, rows, send } from "./crossing_rows.ts";
import { within } from "../support/until.ts";

const table = readTable();

test("docs/values.md says of everything whether it crosses", () => {
  assertEquals([...table.keys()], Object.keys(rows));
});

for (const [column, Class] of [ThreadPoolExecutor, ProcessPoolExecutor].entries()) {
  for (const [name, row] of Object.entries(rows)) {
    test(`What can cross: ${name}, with ${Class.name}`, async () => {
      const said = cellFor(table.get(name)?.[column] ?? "");
      const executor = new Class({ maxWorkers: 1 });
      try {
        for (const value of await row.values()) {
          assertStrictEquals(await within(name, send(executor, name, row, value)), said);
        }
        if (!row.here) {
          const { length } = await row.values();
          for (let n = 0; n < length; n++) {
            assertStrictEquals(await within(name, receive(executor, row, n)), said, `result ${n}`);
          }
        }
        assertEquals(await executor.submit((n: number) => n, 1), 1);
        assertEquals(executor.stats().lost, 0);
      } finally {
        await executor.shutdown();
      }
    });
  }
}

test("What can cross: own enumerable properties with string keys, and nothing else of an object", async () => {
  for (const Class of [ThreadPoolExecutor, ProcessPoolExecutor]) {
    await using executor = new Class({ maxWorkers: 1 });
    const value = Object.freeze(Object.create({ inherited: 1 }, {
      own: { value: 1, enumerable: true },
      hidden: { value: 2, enumerable: false },
      got: { get: () => 3, enumerable: true },
      [Symbol.for("symbol")]: { value: 4, enumerable: true },
    }));
    const pattern = Object.assign(/a/g, { lastIndex: 5 });
    const [arrived, arrivedPattern] = await executor.submit((...values: unknown[]) => values, value, pattern);
    assertEquals(Reflect.ownKeys(arrived as object), ["own", "got"]);
    assertEquals(arrived, { own: 1, got: 3 });
    assertEquals(Object.isFrozen(arrived), false);
    assertEquals((arrivedPattern as RegExp).lastIndex, 0);
  }
});

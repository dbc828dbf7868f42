// report() writes errors that have no other recipient to the console, where their text has no effect.

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { report } from "../../src/report.ts";
import { reportsOf } from "../support/observe.ts";

async function reported(subject: unknown, error: unknown): Promise<unknown[]> {
  const reports = await reportsOf(() => report("What failed:", subject, error));
  assertEquals(reports.length, 1);
  return reports[0]!;
}

test("report() gives the console the error itself", async () => {
  const error = new Error("what");
  assertEquals(await reported("pool", error), ["concurrent.futures: What failed: pool:", error]);
  for (const value of [undefined, 5, "text", { a: 1 }]) assertStrictEquals((await reported("pool", value))[1], value);
});

test("report() takes no text for a format", async () => {
  const [title] = await reported("50%s %d %c %%", new Error("what"));
  assertEquals(title, "concurrent.futures: What failed: 50%%s %%d %%c %%%%:");
});

test("report() escapes characters that a terminal would obey", async () => {
  const evil = "\x1b[2J\x07\r\b\x9b31m\x00";
  // deno-lint-ignore no-control-regex
  const shown = /^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$/;
  const errors = [
    evil,
    new Error(evil),
    Object.assign(new Error("what"), { name: evil }),
    Object.assign(new Error("what"), { stack: `Error: what\n    at ${evil}` }),
    new Error("what", { cause: new Error(evil) }),
    new AggregateError([new Error(evil)], "what"),
  ];
  for (const error of errors) {
    const parts = await reported(evil, error);
    for (const part of parts) {
      assertEquals(typeof part, "string");
      assertMatch(part as string, shown);
    }
    assertMatch(parts[1] as string, /\\x1b\[2J\\x07\\x0d\\x08\\x9b31m\\x00/i);
  }
  assertMatch((await reported("a\n\tb", "a\n\tb"))[1] as string, /^a\n\tb$/, "lines and tabs do no harm");
});

test("report() survives values that cannot be shown", async () => {
  const trap = () => {
    throw new Error("hands off");
  };
  const evil = { toString: trap, [Symbol.for("nodejs.util.inspect.custom")]: trap };
  assertEquals(await reported(evil, evil), [
    "concurrent.futures: What failed: something that cannot be shown:",
    "something that cannot be shown",
  ]);
});

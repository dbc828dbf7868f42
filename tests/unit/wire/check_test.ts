// Names of options: which are refused, and what is suggested in place of them.

import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { checkOptions, optionNames } from "../../../src/wire/check.ts";

const KNOWN = optionNames<
  { maxWorkers: number; maxTasksPerWorker: number; chunksize: number; name: string; timeout: number }
>(
  { maxWorkers: true, maxTasksPerWorker: true, chunksize: true, name: true, timeout: true },
);

/** What is said of options, or nothing. */
function saidOf(options: object): string | undefined {
  try {
    checkOptions("test", options, KNOWN);
  } catch (error) {
    assert(error instanceof TypeError);
    return error.message;
  }
}

test("checkOptions() takes every known option, and undefined under any name: no option was given", () => {
  assertEquals(saidOf({}), undefined);
  assertEquals(saidOf(Object.fromEntries(KNOWN.map((name) => [name, undefined]))), undefined);
  assertEquals(saidOf({ max_workers: undefined }), undefined);
  assertEquals(saidOf(Object.assign(Object.create(null), { timeout: 1 })), undefined);
  assertEquals(saidOf(Object.create({ inherited: 1 })), undefined, "as a program's own class may have");
});

test("checkOptions() suggests the option that an unknown one is likely to stand for", () => {
  const meant: Readonly<Record<string, string>> = {
    max_workers: "maxWorkers",
    maxworkers: "maxWorkers",
    MAX_WORKERS: "maxWorkers",
    workers: "maxWorkers",
    maxWorker: "maxWorkers",
    maxWrokers: "maxWorkers",
    max_tasks_per_child: "maxTasksPerWorker",
    chunkSize: "chunksize",
    chunks: "chunksize",
    thread_name_prefix: "name",
    timeoutMs: "timeout",
    timout: "timeout",
  };
  for (const [name, option] of Object.entries(meant)) {
    assertEquals(saidOf({ [name]: 1 }), `Cannot test as there is no option '${name}': did you mean '${option}'?`);
  }
});

test("checkOptions() tells the options that there are when none is near", () => {
  for (const name of ["", "x", "mp_context", "concurrency", "__proto__x", "toString"]) {
    assertEquals(
      saidOf({ [name]: 1 }),
      `Cannot test as there is no option '${name}': the options are ${KNOWN.join(", ")}`,
    );
  }
});

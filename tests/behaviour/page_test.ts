// The page that a program shares with its worker processes: what tasks do to it costs their worker at most, and a worker that
// is killed has told by it what it had begun.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { ProcessPoolExecutor, WorkerLostError } from "../../mod.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { block } from "../fixtures/tasks/gate_tasks.ts";
import {
  closePage,
  emptyPage,
  hasPage,
  inheritedFiles,
  killOwnProcess,
  overwritePage,
} from "../fixtures/tasks/page_tasks.ts";
import { blockUntilDead } from "../support/dead.ts";
import { Gate } from "../support/gate.ts";
import { reportsOf } from "../support/observe.ts";
import { workerProcesses } from "../support/leaks.ts";
import { within } from "../support/until.ts";

const skip = process.platform !== "linux" && "there are pages on Linux only";

test("ProcessPoolExecutor shares a page with each worker, which other workers do not inherit", { skip }, async () => {
  await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
  assertEquals(await Promise.all([executor.submit(hasPage), executor.submit(hasPage)]), [true, true]);
  // On Deno (2.9) the child of a task inherits that of its worker.
  const most = "Deno" in globalThis ? 1 : 0;
  const inherited = await Promise.all([executor.submit(inheritedFiles), executor.submit(inheritedFiles)]);
  assertEquals(inherited.map((files) => files.length), [most, most]);
});

test("the pages of ProcessPoolExecutor have no name that could be left behind", { skip }, async () => {
  const before = existsSync("/dev/shm") ? readdirSync("/dev/shm") : [];
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
  assertEquals(await executor.submit(hasPage), true);
  assertEquals(existsSync("/dev/shm") ? readdirSync("/dev/shm") : [], before);
});

const HARM: Readonly<Record<string, readonly [typeof overwritePage | typeof closePage, ...number[]]>> = {
  "closes its page": [closePage],
  "empties its page": [emptyPage],
  "fills its page with zeros": [overwritePage, 0],
  "fills its page with ones": [overwritePage, 1],
  "fills its page with noise": [overwritePage, -1],
};

for (const [does, [harm, ...args]] of Object.entries(HARM)) {
  test(`ProcessPoolExecutor survives a task that ${does}: every call ends, and others go on`, { skip }, async () => {
    await reportsOf(async () => {
      await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
      for (let n = 0; n < 50; n++) await executor.submit(square, n); // short: many are handed over ahead
      const before = Array.from({ length: 100 }, (_, n) => executor.submit(square, n));
      const bad = executor.submit(harm as typeof overwritePage, ...args as [number]);
      const after = Array.from({ length: 200 }, (_, n) => executor.submit(square, n));
      for (let n = 0; n < 200; n += 7) after[n]!.cancel();
      await within(
        "all calls",
        Promise.all([...before, bad, ...after].map((future) => future.exception().catch(() => {}))),
      );
      for (const [n, future] of [...before, ...after].entries()) {
        const { outcome } = future;
        if (outcome?.status === "fulfilled") assertStrictEquals(outcome.value, (n < 100 ? n : n - 100) ** 2);
        else if (outcome?.status === "rejected") {
          assert(outcome.reason instanceof WorkerLostError, String(outcome.reason));
        }
      }
      assertEquals(await executor.submit(square, 3), 9);
    });
  });
}

test(
  "WorkerLostError.started is true for the call that a killed process ran, which fails alone",
  { skip },
  async () => {
    await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    for (let n = 0; n < 5; n++) await executor.submit(square, n);
    const lost = executor.submit(killOwnProcess);
    const others = Array.from({ length: 100 }, (_, n) => executor.submit(square, n));
    const error = await lost.exception();
    assert(error instanceof WorkerLostError);
    assertEquals([error.signal, error.started], ["SIGKILL", true]);
    assertEquals(await Promise.all(others), others.map((_, n) => n ** 2));
  },
);

test(
  "calls that a process has not begun when it is killed run elsewhere, also of the same task",
  { skip },
  async () => {
    await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    using open = new Gate();
    open.open();
    for (let n = 0; n < 5; n++) await executor.submit(block, open.folder, n);
    using gate = new Gate();
    const futures = Array.from({ length: 100 }, (_, n) => executor.submit(block, gate.folder, n));
    await gate.noted();
    for (const pid of workerProcesses()) {
      process.kill(pid, "SIGKILL");
      blockUntilDead(pid);
    }
    gate.open(); // for those that run later: a worker that saw it could die between the begin of a call and its note
    const errors = await Promise.all(futures.map((future) => future.exception()));
    for (const error of errors) {
      assert(error === undefined || (error instanceof WorkerLostError && error.started === true), String(error));
    }
    assert(errors.filter(Boolean).length < 20);
    // Each has run once.
    assertEquals(gate.notes.map(Number).sort((a, b) => a - b), futures.map((_, n) => n));
  },
);

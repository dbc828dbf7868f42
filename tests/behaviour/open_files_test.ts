// Open files: when a worker is gone, nothing that led to it is open in the program.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { ProcessPoolExecutor } from "../../mod.ts";
import { assertNothingIsLeft, canSeeWorkers, workerProcesses } from "../support/leaks.ts";
import { overlap } from "../fixtures/tasks/worker_tasks.ts";
import { until } from "../support/until.ts";

/** How often workers are killed: Deno (2.9) keeps one open now and then. */
const TIMES = 12;

test(
  "ProcessPoolExecutor leaves no file open for workers that were killed",
  { skip: !canSeeWorkers && "only Linux shows a program what it has open" },
  async () => {
    await killWorkers(); // what a first executor opens may stay
    await assertNothingIsLeft();
    const before = openFiles();
    for (let time = 0; time < TIMES; time++) await killWorkers();
    await assertNothingIsLeft();
    await until("as many files are open as before", () => openFiles() <= before).catch((error) => {
      throw new assert.AssertionError({ message: `${openFiles()} files are open, before: ${before} (${error})` });
    });
  },
);

/** Kills the workers from outside, at the moment when a call has left for one of them. */
async function killWorkers(): Promise<void> {
  const executor = new ProcessPoolExecutor({ maxWorkers: 2 });
  const calls = Array.from({ length: 6 }, () => executor.submit(overlap));
  await calls[0];
  for (const pid of workerProcesses()) process.kill(pid, "SIGKILL");
  for (const call of calls) await call.exception();
  await executor.shutdown();
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

// When a worker has ended, the program has closed every file that led to it.

import { AssertionError } from "@std/assert";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { ProcessPoolExecutor } from "../../mod.ts";
import { assertNothingIsLeft, canSeeWorkers, workerProcesses } from "../support/leaks.ts";
import { overlap } from "../fixtures/tasks/worker_tasks.ts";
import { until } from "../support/until.ts";

/** How often workers are killed. More than once, as a runtime may leak a file only now and then: Deno (2.9) does. */
const TIMES = 12;

test(
  "ProcessPoolExecutor leaves no file open for workers that were killed",
  { skip: !canSeeWorkers && "only Linux shows a program what it has open" },
  async () => {
    await killWorkers(); // files that the first executor opens may stay open
    await assertNothingIsLeft();
    const before = openFiles();
    for (let time = 0; time < TIMES; time++) await killWorkers();
    await assertNothingIsLeft();
    await until("as many files are open as before", () => openFiles() <= before).catch((error) => {
      throw new AssertionError(`${openFiles()} files are open, before: ${before} (${error})`);
    });
  },
);

/** Kills the workers from outside, while a call is on its way to one of them. */
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

// A program that has workers is killed, or interrupted by Ctrl-C.

import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { canSeeWorkers, isAlive } from "../support/leaks.ts";
import { startProgram } from "../support/run_program.ts";
import { until } from "../support/until.ts";

/** How long a worker process may survive its program, in milliseconds: the promise to users. */
const SURVIVAL = 2000;

for (
  const [program, state] of [["to_be_killed", "idle"], ["to_be_killed", "busy"], ["looping", "in a loop"]] as const
) {
  test(`ProcessPoolExecutor: a worker that is ${state} does not survive a killed program [P20]`, async () => {
    if (!canSeeWorkers) return;
    let worker = 0;
    const args = ["ProcessPoolExecutor", state];
    const { child, ended } = startProgram(program, args, (stdout) => worker = Number(stdout));
    await until("the worker is up", () => worker > 0);
    assert(isAlive(worker));
    child.kill("SIGKILL");
    assertEquals((await ended).signal, "SIGKILL");
    const killed = performance.now();
    await until("the worker has ended", () => !isAlive(worker));
    const survived = performance.now() - killed;
    assert(survived < SURVIVAL, `It survived its program by ${survived.toFixed()} ms`);
  });
}

for (const executor of ["ThreadPoolExecutor", "ProcessPoolExecutor"]) {
  test(`${executor}: the program decides what Ctrl-C means; workers go on and say nothing [P19, gh-125886]`, async () => {
    if (process.platform === "win32") return;
    let output = "";
    const { child, ended } = startProgram("interrupted", [executor], (stdout) => output = stdout, { group: true });
    await until("the program is ready", () => output.includes("ready"));
    process.kill(-child.pid!, "SIGINT"); // a terminal sends it to the whole process group
    const { stdout, stderr, code, signal } = await ended;
    assertEquals([stdout, stderr, code, signal], ["ready\nbusy 1 workers 2 lost 0\n", "", 0, null]);
  });
}

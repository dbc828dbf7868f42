// When an uncaught error ends a worker, the results of calls that it had finished still arrive.

import { assert, assertEquals } from "@std/assert";
import { WorkerLostError } from "../../mod.ts";
import { behaviour } from "./behaviour.ts";
import { KINDS } from "./kinds.ts";
import { fall, short } from "../fixtures/tasks/crash_tasks.ts";

/** How many calls travel in one message before the one that ends the worker. */
const TOGETHER = 12;

/** Blocks this program for `ms` milliseconds, so that results and the error are there to be read at the same time. */
function block(ms: number): void {
  for (const last = performance.now() + ms; performance.now() < last;);
}

for (const kind of KINDS) {
  behaviour(kind, " loses no call that had finished when its worker met an uncaught error", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (let n = 0; n < 20; n++) await Promise.all([executor.submit(short, n), executor.submit(fall, false)]);
    const finished = Array.from({ length: TOGETHER }, (_, n) => executor.submit(short, n));
    const lost = executor.submit(fall, true);
    await Promise.resolve(); // lets the calls leave
    block(50);
    assertEquals(await Promise.all(finished), Array.from({ length: TOGETHER }, (_, value) => ({ value })));
    assert((await lost.exception()) instanceof WorkerLostError);
    assertEquals(executor.stats().lost, 1);
  });
}

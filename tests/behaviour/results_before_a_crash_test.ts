// A worker that ends by an error which nobody catches: what it had finished by then is told.

import assert from "node:assert/strict";
import { WorkerLostError } from "../../mod.ts";
import { behaviour } from "./behaviour.ts";
import { KINDS } from "./kinds.ts";
import { fall, short } from "../fixtures/tasks/crash_tasks.ts";

/** Calls that travel together with the one that ends the worker, before it. */
const TOGETHER = 12;

/** Is deaf for so many milliseconds: then there are results to be read and an error, at once. */
function block(ms: number): void {
  for (const last = performance.now() + ms; performance.now() < last;);
}

for (const kind of KINDS) {
  behaviour(kind, " loses no call that had finished when its worker met an uncaught error", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (let n = 0; n < 20; n++) await Promise.all([executor.submit(short, n), executor.submit(fall, false)]);
    const finished = Array.from({ length: TOGETHER }, (_, n) => executor.submit(short, n));
    const lost = executor.submit(fall, true);
    await Promise.resolve(); // they leave
    block(50);
    assert.deepEqual(await Promise.all(finished), Array.from({ length: TOGETHER }, (_, value) => ({ value })));
    assert.ok((await lost.exception()) instanceof WorkerLostError);
    assert.equal(executor.stats().lost, 1);
  });
}

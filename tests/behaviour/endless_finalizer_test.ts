// A finalizer has five seconds. A file of its own: each case takes as long.

import { assertEquals, assertMatch } from "@std/assert";
import { behaviour } from "./behaviour.ts";
import { noting } from "./cases/finalizer.ts";
import { KINDS } from "./kinds.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { holdAsTold, loopAsTold } from "../fixtures/tasks/finalizer_tasks.ts";
import { Gate } from "../support/gate.ts";
import { reportsOf } from "../support/observe.ts";

for (const kind of KINDS) {
  // A thread of Deno in a loop cannot be stopped, and would take a core from the tests that follow.
  const endless = [holdAsTold, ...(kind.sharesMemory && "Deno" in globalThis ? [] : [loopAsTold])];
  for (const finalizer of endless) {
    behaviour(kind, ` kills a worker whose finalizer never ends: ${finalizer.name}`, async (Executor) => {
      using gate = new Gate();
      const reports = await reportsOf(async () => {
        await using executor = new Executor({ maxWorkers: 1, ...noting(gate, finalizer) });
        await executor.submit(square, 2);
      });
      assertEquals(gate.notes, ["finalizer of pool_0, index 0"]);
      assertEquals(reports.length, 1);
      assertMatch(String(reports[0]![0]), /A finalizer did not run to its end in pool_0:$/);
    });
  }
}

// Calls of a chunk that may be stopped or run again do not share a worker with others, as other calls of with() do not.

import { assertEquals } from "@std/assert";
import type { CallOptions } from "../../mod.ts";
import { behaviour } from "./behaviour.ts";
import { Gate } from "../support/gate.ts";
import { KINDS } from "./kinds.ts";
import { hold } from "../fixtures/tasks/gate_tasks.ts";

const LIMITS: Record<string, CallOptions> = {
  timeout: { timeout: 60_000 },
  signal: { signal: new AbortController().signal },
  retries: { retries: 1 },
};

for (const kind of KINDS) {
  for (const [name, options] of Object.entries(LIMITS)) {
    behaviour(kind, `.with({ ${name} }) hands the calls of a chunk to workers one by one`, async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      const folders = [gate.folder, gate.folder];
      const results = executor.with(options).map(hold, folders, [1, 2], { chunksize: 2 });
      await gate.noted(2); // neither waits behind the other
      gate.open();
      assertEquals(await Array.fromAsync(results), [1, 2]);
    });
  }
}

// When a map() has ended, none of its calls begins any more, wherever they are.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { behaviour } from "./behaviour.ts";
import { Gate } from "../support/gate.ts";
import { KINDS } from "./kinds.ts";
import { hold, holdAllButZero, holdAndFail, note } from "../fixtures/tasks/gate_tasks.ts";
import { until } from "../support/until.ts";
import { assertError } from "../support/assert_error.ts";

for (const kind of KINDS) {
  behaviour(
    kind,
    ".map() that ends by an item of a chunk runs at most the next one of it [X7j, P16]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const items = [0, 1, 2, 3, 4, 5];
      const results = executor.map(holdAllButZero, items.map(() => gate.folder), items, { chunksize: items.length });
      await assertRejects(() => results.next(), RangeError);
      // The worker may already have gone on to the next item, which it holds.
      await until("the rest is cancelled", () => executor.stats().cancelled >= 4);
      gate.open();
      await executor.shutdown();
      assert(gate.notes.length <= 1, `${gate.notes} have run`);
    },
  );

  behaviour(kind, ".map() that is left begins no further item of a chunk [X7j, P16]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const items = [0, 1, 2, 3, 4, 5];
    const results = executor.map(hold, items.map(() => gate.folder), items, { chunksize: items.length });
    await gate.noted();
    await results.return();
    await until("the rest is cancelled", () => executor.stats().cancelled === 5);
    gate.open();
    await executor.shutdown();
    assertEquals(gate.notes, ["0"]);
  });

  behaviour(
    kind,
    ".map() that ends by an item which cannot be sent runs no item after it [X4, X7j]",
    async (Executor) => {
      for (const options of [{}, { chunksize: 4 }]) {
        await using executor = new Executor({ maxWorkers: 1 });
        using gate = new Gate();
        await executor.submit(note, gate.folder, "warm");
        const items = [() => "cannot be sent", 1, { n: 2 }, 3];
        const results = executor.map(note, items.map(() => gate.folder), items, options);
        assertError(await assertRejects(() => results.next()), { name: "DataCloneError" });
        await executor.shutdown();
        assertEquals(gate.notes, ["warm"]);
      }
    },
  );

  behaviour(kind, ".map() that is over runs no call again [X7j]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const results = executor.with({ retries: 5, retryOn: () => true }).map(holdAndFail, [gate.folder], [1]);
    await gate.noted();
    await results.return();
    gate.open();
    await executor.shutdown();
    assertEquals(gate.notes, ["1"]);
    assertEquals([executor.stats().failed, executor.stats().cancelled], [1, 0]);
  });
}

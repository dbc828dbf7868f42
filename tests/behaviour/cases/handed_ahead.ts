// What a worker was handed ahead, as its calls were quick, when one of them takes long. The same task is quick where the gate
// is open, and blocks its worker where it is closed.

import assert from "node:assert/strict";
import { TimeoutError, wait } from "../../../mod.ts";
import { behaviour, type ExecutorClass, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { block } from "../../fixtures/tasks/gate_tasks.ts";

/** An executor that knows `block` as a quick task. */
async function trusting(Executor: ExecutorClass, open: Gate, maxWorkers: number) {
  open.open();
  const executor = new Executor({ maxWorkers });
  for (let round = 0; round < 6; round++) {
    await wait(Array.from({ length: 4 ** (round % 4) }, () => executor.submit(block, open.folder, -1)));
  }
  return executor;
}

/** What was noted after the first quick calls, by which the executor has learnt. */
const notesOf = (gate: Gate) => gate.notes.filter((text) => text !== "-1").map(Number);

const ITEMS = Array.from({ length: 200 }, (_, n) => n);

export function handedAheadCases(kind: Kind): void {
  behaviour(
    kind,
    ".submit() gives a quick call's result while the call behind it runs, however long",
    async (Executor) => {
      using open = new Gate();
      await using executor = new Executor({ maxWorkers: 1 });
      open.open();
      // Fewer calls than it takes until results wait for others: the closed gate may open too soon for a call to be long.
      for (let n = 0; n < 3; n++) {
        using closed = new Gate();
        const futures = [open, open, closed, open, closed].map((gate) => executor.submit(block, gate.folder, n));
        await futures[0];
        await futures[1];
        await closed.noted(1);
        assert.equal(futures[2]!.done(), false);
        closed.open();
        await wait(futures);
      }
    },
  );

  behaviour(kind, ".submit() runs what is behind a long call on another worker", async (Executor) => {
    using open = new Gate();
    await using executor = await trusting(Executor, open, 2);
    using closed = new Gate();
    const long = executor.submit(block, closed.folder, 0);
    const quick = ITEMS.map((n) => executor.submit(block, open.folder, n));
    await wait(quick);
    assert.equal(long.done(), false);
    closed.open();
    await long;
    assert.deepEqual(notesOf(open).sort((a, b) => a - b), ITEMS);
  });

  behaviour(
    kind,
    ".with({ priority }) overtakes calls that a worker was handed and has not begun",
    async (Executor) => {
      using open = new Gate();
      await using executor = await trusting(Executor, open, 1);
      using closed = new Gate();
      const long = executor.submit(block, closed.folder, -2);
      const usual = ITEMS.map((n) => executor.submit(block, open.folder, n));
      await closed.noted(1);
      const urgent = executor.with({ priority: 1 }).submit(block, open.folder, 1000);
      await new Promise((resolve) => setTimeout(resolve, 0)); // it is handed over at the end of the tick
      closed.open();
      await wait([long, urgent, ...usual]);
      assert.deepEqual(notesOf(open), [1000, ...ITEMS]);
    },
  );

  behaviour(
    kind,
    ".submit() gives Futures that can all be cancelled but those that run, whatever was quick before",
    async (Executor) => {
      using open = new Gate();
      await using executor = await trusting(Executor, open, 2);
      using closed = new Gate();
      const futures = ITEMS.map((n) => executor.submit(block, closed.folder, n));
      await closed.noted(2);
      assert.equal(futures.filter((future) => !future.cancel()).length, 2);
      closed.open();
      await wait(futures);
      assert.equal(closed.notes.length, 2);
    },
  );

  behaviour(kind, ".map() that runs out of time leaves no item to its workers that has not begun", async (Executor) => {
    using open = new Gate();
    await using executor = await trusting(Executor, open, 1);
    using closed = new Gate();
    const results = executor.map(block, ITEMS.map(() => closed.folder), ITEMS, { timeout: 1 });
    await closed.noted(1);
    await assert.rejects(results.next(), TimeoutError);
    const next = executor.submit(block, open.folder, 1000);
    closed.open();
    assert.equal(await next, 1000);
    assert.deepEqual(closed.notes, ["0"]);
  });

  behaviour(
    kind,
    ".shutdown({ cancelFutures: true }) waits for no call that a worker holds and has not begun",
    async (Executor) => {
      using open = new Gate();
      await using executor = await trusting(Executor, open, 2);
      using closed = new Gate();
      const futures = ITEMS.map((n) => executor.submit(block, closed.folder, n));
      await closed.noted(2);
      const down = executor.shutdown({ cancelFutures: true });
      assert.equal(futures.filter((future) => !future.cancelled()).length, 2);
      closed.open();
      await down;
      assert.equal(closed.notes.length, 2);
    },
  );
}

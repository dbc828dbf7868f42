// submit(): calls, their arguments and their order.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Future, wait } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { overlap } from "../../fixtures/tasks/worker_tasks.ts";

export function submitCases(kind: Kind): void {
  behaviour(kind, ".submit() gives what the task returns [X1, test_submit, test_run_in_executor]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const future = executor.submit((base: number, exponent: number) => base ** exponent, 2, 8);
    assert(future instanceof Future);
    assertEquals(await future, 256);
    assertEquals([future.done(), future.running(), future.cancelled()], [true, false, false]);
  });

  behaviour(kind, ".submit() gives what an async task resolves to", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    assertEquals(await executor.submit(async (n: number) => await Promise.resolve(n + 1), 1), 2);
    // deno-lint-ignore no-explicit-any
    assertEquals(await executor.submit((n: number) => ({ then: (done: any) => done(n + 1) }), 1), 2);
  });

  behaviour(
    kind,
    ".submit() hands all arguments after the task to it, whatever they look like [test_submit_keyword]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const options = { fn: 1, self: 2, timeout: 0, priority: 9 };
      assertEquals(await executor.submit((...args: unknown[]) => args, options), [options]);
      assertEquals(await executor.submit((...args: unknown[]) => args, 1, undefined, [], options), [
        1,
        undefined,
        [],
        options,
      ]);
      assertEquals(await executor.submit((...args: unknown[]) => args), []);
    },
  );

  behaviour(kind, ".submit() returns before any worker is there [X1]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const futures = Array.from({ length: 100 }, (_, n) => executor.submit((n: number) => n, n));
    for (const future of futures) assertEquals([future.done(), future.running()], [false, false]);
    assertEquals([executor.stats().workers, executor.stats().idle, executor.stats().queued], [1, 0, 100]);
    assertEquals(await Promise.all(futures), futures.map((_, n) => n));
  });

  behaviour(kind, ".submit() starts calls in the order of submission [X6]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const first = executor.submit(hold, gate.folder, 0);
    const rest = Array.from({ length: 30 }, (_, n) => executor.submit(note, gate.folder, n + 1));
    gate.open();
    await Promise.all([first, ...rest]);
    assertEquals(gate.notes, Array.from({ length: 31 }, (_, n) => String(n)));
  });

  behaviour(kind, ".submit() copies arguments when the call is handed to a worker [X5]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const first = (list: number[]) => list[0];
    await executor.submit(first, [0]);
    const sent = [1];
    const atOnce = executor.submit(first, sent);
    sent[0] = 2;
    assertEquals(await atOnce, 1, "an idle worker gets the call at once");

    const busy = executor.submit(hold, gate.folder, 0);
    const waiting = [1];
    const later = executor.submit(first, waiting);
    waiting[0] = 2;
    gate.open();
    assertEquals(await later, 2, "a call that waits keeps the object itself");
    await busy;
  });

  behaviour(kind, ".submit() runs one call at a time in a worker, across awaits too", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const overlaps = await Promise.all(Array.from({ length: 10 }, () => executor.submit(overlap)));
    assertEquals(overlaps, Array(10).fill(1));
  });

  behaviour(
    kind,
    ".submit() runs as many calls at the same time as there are workers [test_blocking]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 3 });
      using gate = new Gate();
      const futures = [0, 1, 2].map((n) => executor.submit(hold, gate.folder, n));
      await gate.noted(3); // would never come if one waited for another
      gate.open();
      assertEquals(await Promise.all(futures), [0, 1, 2]);
    },
  );

  behaviour(
    kind,
    ".submit() starts queued calls as others end [test_blocking_with_limited_workers]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      const gates = Array.from({ length: 8 }, () => new Gate());
      try {
        const futures = gates.map((gate, n) => executor.submit(hold, gate.folder, n));
        for (const [n, gate] of gates.entries()) {
          await gate.noted();
          // A call that happened to be quick may have let a worker have others ahead, and the other worker the one after them.
          assert(gates.slice(n + 1).filter((later) => later.notes.length > 0).length <= 1, "a third call runs");
          gate.open();
          assertStrictEquals(await futures[n], n);
        }
      } finally {
        for (const gate of gates) gate[Symbol.dispose]();
      }
    },
  );

  behaviour(
    kind,
    ".submit() loses no answer of a hundred calls that end together [test_pending_calls_race]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      const futures = Array.from({ length: 100 }, (_, n) => executor.submit(hold, gate.folder, n));
      const waiting = wait(futures);
      await gate.noted(2);
      gate.open();
      const { done, notDone } = await waiting;
      assertEquals([done.size, notDone.size], [100, 0]);
    },
  );

  behaviour(kind, ".submit() answers ten thousand short calls, each with its own result", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const futures = Array.from({ length: 10_000 }, (_, n) => executor.submit((n: number) => n * 2, n));
    const results = await Promise.all(futures);
    assert(results.every((result, n) => result === n * 2));
    assertEquals(executor.stats().completed, 10_000);
  });

  behaviour(kind, ".submit() takes work from a done callback [L5]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const second = await new Promise<number>((resolve) => {
      executor.submit((n: number) => n, 1).addDoneCallback(() => resolve(executor.submit((n: number) => n, 2)));
    });
    assertEquals(second, 2);
  });
}

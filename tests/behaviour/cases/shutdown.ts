// shutdown() and `await using`.

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { CancelledError, ShutdownError, wait } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { add, square } from "../../fixtures/tasks/arithmetic.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { fail } from "../../fixtures/tasks/worker_tasks.ts";
import { until } from "../../support/until.ts";
import { assertError } from "../../support/assert_error.ts";

export function shutdownCases(kind: Kind): void {
  behaviour(
    kind,
    ".submit() throws from the moment of shutdown() on [X8b, E5, test_run_after_shutdown]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      const before = executor.submit(square, 2);
      const closed = executor.shutdown();
      const refused = { name: "ShutdownError", message: "cannot schedule new futures after shutdown" };
      assertError(assertThrows(() => executor.submit(square, 3)), refused);
      assertError(assertThrows(() => executor.map(square, [3])), refused);
      await closed;
      assertError(assertThrows(() => executor.submit(square, 3)), refused);
      assertEquals(await before, 4);
    },
  );

  behaviour(kind, ".shutdown() waits for all the work [X8c, test_hang_issue12364]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 2 });
    const futures = Array.from({ length: 50 }, (_, n) => executor.submit(square, n));
    await executor.shutdown();
    assertEquals<unknown>(
      futures.map((future) => future.outcome),
      futures.map((_, n) => ({ status: "fulfilled", value: n * n })),
    );
  });

  behaviour(kind, ".shutdown() can be called again and again, and each call waits [X8a]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const future = executor.submit(hold, gate.folder, 1);
    await gate.noted();
    let closed = 0;
    await executor.shutdown({ wait: false });
    const calls = [executor.shutdown(), executor.shutdown(), executor[Symbol.asyncDispose]()];
    for (const call of calls) call.then(() => closed++);
    await executor.shutdown({ wait: false });
    assertEquals([closed, future.done()], [0, false]);
    gate.open();
    await Promise.all(calls);
    assertEquals(await future, 1);
    await executor.shutdown();
    await executor.shutdown({ cancelFutures: true });
  });

  behaviour(
    kind,
    ".shutdown({ wait: false }) returns at once, and the work is done nevertheless [X8c, test_shutdown_no_wait]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      const future = executor.submit(hold, gate.folder, 1);
      const sums = executor.map(add, [1, 2, 3], [4, 5, 6]);
      await executor.shutdown({ wait: false });
      assertEquals(future.done(), false);
      gate.open();
      assertEquals([await future, await Array.fromAsync(sums)], [1, [5, 7, 9]]);
      await until("the workers have ended by themselves", () => executor.stats().workers + kind.alive().length === 0);
    },
  );

  behaviour(
    kind,
    ".shutdown({ cancelFutures: true }) cancels what has not begun, and wakes who waits for it [X8d, test_cancel_futures]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      const futures = Array.from({ length: 50 }, (_, n) => executor.submit(hold, gate.folder, n));
      await gate.noted(2);
      const waiting = wait(futures.slice(2));
      let called = 0;
      for (const future of futures) future.addDoneCallback(() => called++);
      const closed = executor.shutdown({ cancelFutures: true });
      assertEquals(called, 48, "callbacks have run");
      assertEquals((await waiting).done.size, 48);
      await assertRejects(() => futures[2]!.result(), CancelledError);
      gate.open();
      await closed;
      assertEquals(futures.map((future) => future.cancelled()), futures.map((_, n) => n >= 2));
      assertEquals([await futures[0], await futures[1]], [0, 1]);
    },
  );

  behaviour(
    kind,
    ".shutdown({ cancelFutures: true }) still cancels when a plain shutdown is under way [X8e]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const running = executor.submit(hold, gate.folder, 1);
      const queued = executor.submit(note, gate.folder, "must not run");
      await gate.noted();
      const closed = executor.shutdown();
      assertEquals(queued.cancelled(), false);
      const again = executor.shutdown({ cancelFutures: true });
      assertEquals(queued.cancelled(), true);
      gate.open();
      await Promise.all([closed, again]);
      assertEquals(await running, 1);
      assertEquals(gate.notes, ["1"]);
    },
  );

  behaviour(
    kind,
    ".shutdown({ cancelFutures: true }) of calls no worker was there for ends at once [X8d, L4]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 2 });
      const futures = Array.from({ length: 10 }, (_, n) => executor.submit(square, n));
      await executor.shutdown({ cancelFutures: true });
      assert(futures.every((future) => future.done()));
    },
  );

  behaviour(kind, ".shutdown() starts nothing when nothing was submitted [X8g]", async (Executor) => {
    const executor = new Executor();
    await executor.shutdown();
    assertEquals([executor.stats().workers, kind.alive()], [0, []]);
  });

  behaviour(kind, ".shutdown() ends when all that was submitted is cancelled [test_hang_gh94440]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    assertEquals(executor.submit(square, 1).cancel(), true);
    await executor.shutdown();
  });

  behaviour(kind, ".shutdown() can be waited for in a done callback [X8f]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    await new Promise<void>((resolve) => {
      executor.submit(square, 1).addDoneCallback(() => executor.shutdown().then(resolve));
    });
  });

  behaviour(
    kind,
    ".shutdown() makes submit() throw in done callbacks, which is reported, not lost [X8h, E8]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      const reports = await reportsOf(async () => {
        executor.submit(square, 1).addDoneCallback(() => executor.submit(square, 2));
        await executor.shutdown();
      });
      assertEquals(reports.length, 1);
      assert(reports[0]!.some((part) => part instanceof ShutdownError));
    },
  );

  behaviour(
    kind,
    " waits for the work at the end of its block, and cancels nothing [X9, test_context_manager_shutdown]",
    async (Executor) => {
      using gate = new Gate();
      let sums: AsyncIterable<number>;
      {
        await using executor = new Executor({ maxWorkers: 2 });
        sums = executor.map(square, [1, 2, 3]);
        for (let n = 0; n < 10; n++) executor.submit(note, gate.folder, n);
      }
      assertEquals(gate.notes.length, 10);
      assertEquals(await Array.fromAsync(sums), [1, 4, 9]);
    },
  );

  behaviour(kind, " passes on an error of its block, after the work [X9, X10]", async (Executor) => {
    using gate = new Gate();
    const thrown = new Error("from the block");
    const reports = await reportsOf(() =>
      assertRejects(async () => {
        await using executor = new Executor({ maxWorkers: 1 });
        executor.submit(fail, "a failed call");
        executor.submit(note, gate.folder, "done");
        throw thrown;
      }).then((error) => assertError(error, (error) => error === thrown))
    );
    assertEquals(gate.notes, ["done"]);
    assertEquals(reports.length, 1, "the failure that nobody looked at");
  });

  behaviour(
    kind,
    ".shutdown() reports once the failures that nothing has observed [X10, F17]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      const reports = await reportsOf(async () => {
        const looked = executor.submit(fail, "looked at");
        executor.submit(fail, "first");
        executor.submit(fail, "second");
        await looked.exception();
        await executor.shutdown();
        await executor.shutdown();
      });
      assertEquals(reports.length, 1);
      assertMatch(String(reports[0]![0]), /2 calls of .* failed and their errors were never observed; the first:$/);
      assert(reports[0]!.some((part) => part instanceof RangeError && part.message === "first"));
    },
  );
}

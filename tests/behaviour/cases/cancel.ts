// Futures of an executor: cancel(), running() and waiting, while workers run calls.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { asCompleted, CancelledError, FIRST_COMPLETED, FIRST_EXCEPTION, TimeoutError, wait } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { block, hold, holdAndFail, note } from "../../fixtures/tasks/gate_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

/** Lets an executor find out that calls of `block` are short, so that workers are handed them ahead. */
async function warm(executor: { submit: (fn: typeof block, folder: string, value: number) => PromiseLike<number> }) {
  using open = new Gate();
  open.open();
  for (let n = 0; n < 5; n++) await executor.submit(block, open.folder, n);
}

export function cancelCases(kind: Kind): void {
  behaviour(
    kind,
    ".submit() gives a Future that can be cancelled until a worker begins it [F2, F3, P4]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const first = executor.submit(hold, gate.folder, 0);
      const queued = Array.from({ length: 10 }, () => executor.submit(note, gate.folder, "must not run"));
      await gate.noted();
      assertEquals([first.running(), first.cancel(), first.done()], [true, false, false]);
      for (const future of queued) {
        assertEquals([future.running(), future.cancel(), future.cancelled(), future.done()], [
          false,
          true,
          true,
          true,
        ]);
        assertEquals(future.cancel(), true, "again");
      }
      gate.open();
      assertEquals(await first, 0);
      assertEquals(first.cancel(), false, "it has finished");
      for (const future of queued) await assertRejects(() => future.result(), CancelledError);
      assertEquals(await executor.submit((n: number) => n, 1), 1);
      assertEquals(gate.notes, ["0"]);
      assertEquals(executor.stats().cancelled, 10);
    },
  );

  behaviour(
    kind,
    ".submit() gives Futures that can be cancelled though a worker that is blocked holds them [F2, F3, P4]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      await warm(executor);
      const futures = Array.from({ length: 200 }, (_, n) => executor.submit(block, gate.folder, n));
      await gate.noted();
      assertEquals(futures.map((future) => future.running()), futures.map((_, n) => n === 0));
      assertEquals([executor.stats().running, executor.stats().queued], [1, 199]);
      assertEquals(futures.map((future) => future.cancel()), futures.map((_, n) => n !== 0));
      gate.open();
      assertEquals(await futures[0], 0);
      await executor.submit(note, gate.folder, "last");
      assertEquals(gate.notes, ["0", "last"]);
    },
  );

  behaviour(
    kind,
    ".submit(): an idle worker runs what a worker that is blocked holds, and each call runs once [P4]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      using open = new Gate();
      open.open();
      await warm(executor);
      const first = executor.submit(block, gate.folder, 0);
      const others = Array.from({ length: 200 }, (_, n) => executor.submit(block, open.folder, n + 1));
      assertEquals(await Promise.all(others), others.map((_, n) => n + 1));
      assertEquals(first.done(), false);
      gate.open();
      assertEquals(await first, 0);
      assertEquals(gate.notes, ["0"]);
      assertEquals(open.notes.map(Number).sort((a, b) => a - b), others.map((_, n) => n + 1));
    },
  );

  behaviour(
    kind,
    ".shutdown({ cancelFutures: true }) cancels all that a blocked worker has not begun [X8b]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      await warm(executor);
      const futures = Array.from({ length: 200 }, (_, n) => executor.submit(block, gate.folder, n));
      await gate.noted();
      const closed = executor.shutdown({ cancelFutures: true });
      assertEquals(futures.map((future) => future.cancelled()), futures.map((_, n) => n !== 0));
      gate.open();
      await closed;
      assertEquals(await futures[0], 0);
      assertEquals(gate.notes, ["0"]);
    },
  );

  behaviour(
    kind,
    ".map() whose timeout is over cancels all that a blocked worker has not begun [X7f]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      await warm(executor);
      const results = executor.map(
        block,
        Array<string>(200).fill(gate.folder),
        Array.from({ length: 200 }, (_, n) => n),
        {
          timeout: 100,
        },
      );
      await assertRejects(() => results.next(), TimeoutError);
      const { queued, running } = executor.stats();
      assertEquals([queued, running <= 1], [0, true]);
      gate.open();
      await executor.submit(note, gate.folder, "last");
      assertEquals(gate.notes, running === 1 ? ["0", "last"] : ["last"]);
    },
  );

  behaviour(
    kind,
    ".submit() gives Futures that are either cancelled or run, once, in a race with the workers [F2, F12]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      using gate = new Gate();
      for (let n = 0; n < 50; n++) await executor.submit(note, gate.folder, "warm"); // short calls are handed over ahead
      const futures = Array.from({ length: 400 }, (_, n) => executor.submit(note, gate.folder, n));
      const expected: string[] = [];
      for (const [n, future] of futures.entries()) {
        if (n % 40 === 20) await futures[n - 20]!.exception().catch(() => {}); // lets the workers go on
        if (n % 2 === 0 || !future.cancel()) expected.push(String(n));
      }
      await wait(futures);
      const ran = gate.notes.filter((line) => line !== "warm").sort();
      assertEquals(ran, expected.sort());
      assert(futures.every((future, n) => future.cancelled() !== expected.includes(String(n))));
    },
  );

  behaviour(
    kind,
    ".submit() gives a Future whose running() is true exactly when cancel() is too late [F3]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      for (let round = 0; round < 20; round++) {
        const futures = Array.from({ length: 50 }, (_, n) => executor.submit((n: number) => n, n));
        await futures[0];
        for (const future of futures.filter((future) => !future.done())) {
          const running = future.running();
          const cancelled = future.cancel();
          // The worker may begin it between the two calls; the opposite cannot happen.
          if (running) assertEquals(cancelled, false);
          if (!cancelled) assertEquals(future.running(), true);
        }
        await wait(futures);
      }
    },
  );

  behaviour(
    kind,
    ".submit() wakes everybody who waits for a Future that is cancelled [W2, A1, F2]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const busy = executor.submit(hold, gate.folder, 0);
      const queued = executor.submit(hold, gate.folder, 1);
      const waiting = wait([queued]);
      const iterating = asCompleted([queued]).next();
      const called: unknown[] = [];
      queued.addDoneCallback((future) => called.push(future));
      queued.cancel();
      assertEquals(called, [queued], "callbacks run before cancel() returns");
      assertEquals([...(await waiting).done], [queued]);
      assertStrictEquals((await iterating).value, queued);
      gate.open();
      await busy;
    },
  );

  behaviour(
    kind,
    ".submit() gives a Future that can be waited for with a time limit, again and again [F4, F5, test_result_with_timeout]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const future = executor.submit(hold, gate.folder, 1);
      for (const timeout of [0, -1, 10]) await assertRejects(() => future.result(timeout), TimeoutError);
      await assertRejects(() => future.exception(1), TimeoutError);
      const patient = future.result(1e9);
      gate.open();
      assertEquals(await patient, 1);
      assertEquals(await future.exception(0), undefined);
    },
  );

  behaviour(kind, ".submit() gives a Future whose waiting a signal ends, while the call goes on", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const future = executor.submit(hold, gate.folder, 1);
    await gate.noted();
    const controller = new AbortController(), { signal } = controller, reason = new Error("enough");
    const waiting = [future.result({ signal }), wait([future], { signal }), asCompleted([future], { signal }).next()];
    controller.abort(reason);
    for (const promise of waiting) assertError(await assertRejects(() => promise), (error) => error === reason);
    assertEquals([future.running(), future.cancelled()], [true, false]);
    gate.open();
    assertEquals(await future, 1);
  });

  behaviour(
    kind,
    ".submit() gives Futures that wait() can wait for in three ways [W1, W4, W5, W7, test_first_completed, test_first_exception]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      using bad = new Gate();
      using good = new Gate();
      const failing = executor.submit(holdAndFail, bad.folder, 0);
      const lasting = executor.submit(hold, good.folder, 1);
      const nothingYet = await wait([failing, lasting], { timeout: 1 });
      assertEquals([nothingYet.done.size, nothingYet.notDone.size], [0, 2]);
      const first = wait([failing, lasting], { returnWhen: FIRST_COMPLETED });
      const exception = wait([lasting, failing], { returnWhen: FIRST_EXCEPTION });
      bad.open();
      for (const { done, notDone } of [await first, await exception]) {
        assertEquals([[...done], [...notDone]], [[failing], [lasting]]);
      }
      good.open();
      assertEquals((await wait([lasting, failing, lasting])).done.size, 2);
      await assertRejects(() => failing.result(), RangeError);
    },
  );

  behaviour(
    kind,
    ".submit() gives Futures that asCompleted() yields as they end [A1, test_no_timeout]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 3 });
      const gates = [new Gate(), new Gate(), new Gate()];
      try {
        const futures = gates.map((gate, n) => executor.submit(hold, gate.folder, n));
        const order: number[] = [];
        const next = [1, 0, 2];
        gates[2]!.open();
        for await (const future of asCompleted([...futures, ...futures])) {
          order.push(await future);
          const opens = next.shift()!;
          gates[opens]!.open();
        }
        assertEquals(order, [2, 1, 0]);
      } finally {
        for (const gate of gates) gate[Symbol.dispose]();
      }
    },
  );

  behaviour(kind, " mixes with other executors in wait() and asCompleted() [L5, W1]", async (Executor) => {
    await using one = new Executor({ maxWorkers: 1 });
    await using other = new Executor({ maxWorkers: 1 });
    const futures = [one.submit((n: number) => n, 1), other.submit((n: number) => n, 2)];
    assertEquals((await wait(futures)).done.size, 2);
    let sum = 0;
    for await (const future of asCompleted(futures)) sum += await future;
    assertEquals(sum, 3);
  });
}

// Groups: leaving the block waits for all calls, and the first failure that nobody has seen aborts the others.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  asCompleted,
  CancelledError,
  type Future,
  type Group,
  ShutdownError,
  type UnobservedReport,
  wait,
  WorkerLostError,
} from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { until } from "../../support/until.ts";
import { nextTurn } from "../../../src/wire/turn.ts";
import { Gate } from "../../support/gate.ts";
import { assertError } from "../../support/assert_error.ts";
import { divide, square } from "../../fixtures/tasks/arithmetic.ts";
import { hold, holdAndFail, note } from "../../fixtures/tasks/gate_tasks.ts";
import { listen } from "../../fixtures/tasks/stop_tasks.ts";

/** What a promise rejects with. */
const errorOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(() => undefined, (reason) => reason);

/** A group whose block is left by hand. */
const leave = (group: Group): Promise<void> => group[Symbol.asyncDispose]();

export function groupCases(kind: Kind): void {
  behaviour(kind, ".group() waits for all calls, and gives what its block returns", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    const futures: Future<number>[] = [];
    let left = false;
    const ended = executor.group(async (group) => {
      futures.push(group.submit(hold, gate.folder, 1), group.submit(hold, gate.folder, 2));
      await gate.noted(2);
      return "value";
    });
    const group = executor.group();
    const last = group.submit(hold, gate.folder, 3);
    const leaving = leave(group).then(() => left = true);
    assertStrictEquals(leave(group), leave(group), "it is left once");
    await gate.noted(2);
    assertEquals([left, last.done()], [false, false]);
    gate.open();
    assertEquals(await ended, "value");
    assertEquals(futures.map((future) => future.done()), [true, true]);
    await leaving;
    assertEquals(last.outcome, { status: "fulfilled", value: 3 });
    assertEquals(await executor.group(() => "no calls"), "no calls");
  });

  behaviour(kind, ".group() aborts the others when one fails, and throws the failure", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    let running, queued;
    const error = await errorOf(executor.group(async (group) => {
      running = group.submit(listen, gate.folder, 0);
      await gate.noted();
      group.submit(divide, 0);
      queued = group.with({ priority: -1 }).submit(hold, gate.folder, 1);
      await new Promise((resolve) => group.signal.addEventListener("abort", resolve));
    }));
    assertError(error, { name: "RangeError" });
    // It heard of the abort, and ended by itself.
    assertEquals(gate.notes.includes("0"), true);
    const reason = await errorOf(queued!);
    assert(reason instanceof CancelledError);
    assertStrictEquals(reason.cause, error);
    assertEquals(running!.done(), true);
    assertEquals(await executor.submit(square, 3), 9, "the executor goes on");
  });

  behaviour(
    kind,
    ".group() throws its failure in place of the cancellation that its block has met",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const ended = executor.group(async (group) => {
        group.submit(divide, 0);
        await group.with({ grace: 0 }).submit(hold, gate.folder, 0);
      });
      assertError(await errorOf(ended), { name: "RangeError" });
    },
  );

  behaviour(
    kind,
    ".group() throws what fails inside after its block has passed on why it was aborted",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const stop = new AbortController(), problem = new TypeError("while cleaning up");
      const cleaningUp = Promise.withResolvers<void>();
      const ended = executor.group({ signal: stop.signal }, (outer) =>
        outer.group(async (group) => {
          void group.group(() => cleaningUp.promise);
          await new Promise((resolve) => group.signal.addEventListener("abort", resolve));
          throw group.signal.reason;
        }));
      stop.abort(new Error("enough"));
      nextTurn(() => cleaningUp.reject(problem));
      assertStrictEquals(await errorOf(ended), problem);
    },
  );

  behaviour(kind, ".group() throws several failures as an AggregateError, in order", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const failures = [new RangeError("first"), new TypeError("second")];
    const error = await errorOf(executor.group((group) => {
      for (const failure of failures) void group.group(() => Promise.reject(failure));
    }));
    assert(error instanceof AggregateError);
    assertError(error, { message: "2 failures in a group" });
    assertEquals(error.errors.map((reason, i) => reason === failures[i]), [true, true]);
  });

  behaviour(kind, ".group() does not count failures that were seen in its block", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const ended = executor.group(async (group) => {
      const seen = [];
      seen.push(await errorOf(group.submit(divide, 0)));
      seen.push(await group.submit(divide, 0).exception());
      seen.push(await group.submit(divide, 0).catch((error) => error));
      const future = group.submit(divide, 0);
      seen.push(await new Promise((resolve) => future.addDoneCallback(({ outcome }) => resolve(outcome))));
      const waited = group.submit(divide, 0);
      await wait([waited]);
      seen.push(waited.outcome);
      for await (const first of asCompleted([group.submit(divide, 0)])) seen.push(first.outcome);
      seen.push(await errorOf(group.map(divide, [0]).next()));
      seen.push(await errorOf(group.group((inner) => void inner.submit(divide, 0))));
      assertEquals(group.signal.aborted, false);
      return seen.length;
    });
    assertEquals(await ended, 8);
  });

  behaviour(kind, ".group() does not take a cancelled call for a failure", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const stop = new AbortController();
    await executor.group(async (group) => {
      group.submit(hold, gate.folder, 0);
      await gate.noted();
      assertEquals(group.submit(note, gate.folder, "must not run").cancel(), true);
      group.with({ signal: stop.signal }).submit(note, gate.folder, "must not run");
      stop.abort();
      gate.open();
    });
    assertEquals(gate.notes, ["0"]);
  });

  behaviour(kind, ".group(): an error of the block aborts all, and wins", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const problem = new TypeError("the block");
    let running, queued;
    const error = await errorOf(executor.group(async (group) => {
      running = group.submit(listen, gate.folder, 0);
      queued = group.submit(note, gate.folder, "must not run");
      await gate.noted();
      throw problem;
    }));
    assertStrictEquals(error, problem);
    assertEquals([running!.done(), queued!.cancelled()], [true, true]);
    assertEquals((await errorOf(queued!) as Error).cause, problem);
    // A failure that the block did not handle is an error of the block.
    assertError(await errorOf(executor.group((group) => group.submit(divide, 0))), { name: "RangeError" });
    assertStrictEquals(
      await errorOf(executor.group(() => {
        throw problem;
      })),
      problem,
    );
  });

  behaviour(kind, ".group() is aborted by its signal, and throws its reason", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const stop = new AbortController(), reason = new Error("enough");
    let queued;
    const ended = executor.group({ signal: stop.signal }, (group) => {
      group.with({ signal: new AbortController().signal, grace: 0 }).submit(hold, gate.folder, 0);
      queued = group.submit(note, gate.folder, "must not run");
    });
    await gate.noted();
    stop.abort(reason);
    assertStrictEquals(await errorOf(ended), reason);
    assertEquals(queued!.cancelled(), true);
    const late = executor.group({ signal: stop.signal });
    assertStrictEquals(await errorOf(late.submit(square, 1)), reason);
    assertStrictEquals(assertThrows(() => late.map(square, [1])), reason);
    assertEquals(late.signal.aborted, true);
    assertStrictEquals(await errorOf(leave(late)), reason);
  });

  behaviour(kind, ".group() waits for what callbacks submit, and then takes no more", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const done: unknown[] = [];
    const group = executor.group();
    group.submit(square, 2).addDoneCallback(() => {
      group.submit(square, 3).then((value) => {
        done.push(value);
        group.submit(square, 4).then((value) => done.push(value));
      });
    });
    await leave(group);
    assertEquals(done, [9, 16]);
    const ended = {
      name: "ShutdownError",
      message: "Cannot submit a task to a group that has ended: its block was left",
    };
    assertError(assertThrows(() => group.submit(square, 1), ShutdownError), ended);
    assertError(assertThrows(() => group.with({ priority: 1 }).submit(square, 1), ShutdownError), ended);
    assertThrows(() => group.map(square, [1]), ShutdownError);
    assertThrows(() => group.group(), ShutdownError);
    assertThrows(() => group.on(executor).submit(square, 1), ShutdownError);
    await leave(group);
    assertEquals(await executor.submit(square, 2), 4);
  });

  behaviour(kind, ".group() in a group: a failure that nobody has seen fails the one outside", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    let running: Future<string> | undefined;
    const error = await errorOf(executor.group(async (group) => {
      running = group.submit(listen, gate.folder, 0);
      await gate.noted();
      void group.group((inner) => void inner.with({ priority: 1 }).submit(divide, 0));
      await new Promise((resolve) => group.signal.addEventListener("abort", resolve));
    }));
    assertError(error, { name: "RangeError" });
    assertEquals(running!.done(), true);

    // A group inside whose block is never left; one of a view is inside, too.
    const open = errorOf(executor.group((group) => void group.with({ priority: 1 }).group().submit(divide, 0)));
    assertError(await open, { name: "RangeError" });
  });

  behaviour(kind, ".group() in a group is aborted with the one outside, which waits for it", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    let inside: unknown, call;
    const error = await errorOf(executor.group(async (group) => {
      inside = errorOf(group.group((inner) => {
        call = inner.submit(listen, gate.folder, 0);
      }));
      await gate.noted();
      group.submit(divide, 0);
    }));
    assertError(error, { name: "RangeError" });
    assertEquals(call!.done(), true);
    const reason = await inside;
    assert(reason instanceof CancelledError);
    assertStrictEquals(reason.cause, error);
  });

  behaviour(kind, ".group() has calls of several executors", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    await using other = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    let call;
    const error = await errorOf(executor.group(async (group) => {
      call = group.submit(listen, gate.folder, 0);
      await gate.noted();
      group.on(other).submit(divide, 0);
    }));
    assertError(error, { name: "RangeError" });
    assertEquals(call!.done(), true);
    assertEquals([executor.stats().failed, other.stats().failed], [0, 1]);
    const wrong = assertThrows(() => executor.group().on({} as never), TypeError);
    assertError(wrong, /Cannot use an executor in a group as it must be an executor: received an object/);
  });

  behaviour(
    kind,
    ".map() in a group: its reader gets its error, and the group what nobody has read",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      await executor.group(async (group) => {
        const results = group.map(divide, [1, 0]);
        assertEquals(await results.next(), { done: false, value: 10 });
        assertError(await errorOf(results.next()), { name: "RangeError" });
        assertEquals(await Array.fromAsync(group.map(square, [1, 2, 3])), [1, 4, 9]);
      });
      const error = await errorOf(executor.group((group) => void group.map(divide, [1, 0])));
      assertError(error, { name: "RangeError" });
    },
  );

  behaviour(kind, ".map() in a group that nobody reads any more does not hold the block", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    let closed = 0;
    async function* numbers() {
      try {
        for (let n = 0;; n++) {
          yield n;
          await new Promise<void>(nextTurn);
        }
      } finally {
        closed++;
      }
    }
    const left = await executor.group(async (group) => {
      const results = group.map(square, numbers(), { buffersize: 3 });
      assertEquals((await results.next()).value, 0);
      const all = group.map(square, numbers());
      assertEquals((await all.next()).value, 0);
      return [results, all];
    });
    await until("the inputs are closed", () => closed === 2);
    // Whoever reads on after the end gets what he missed.
    for (const results of left) await assertRejects(() => Array.fromAsync(results), CancelledError);
  });

  behaviour(kind, ".map() in a group ends when another call fails", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    let reason: unknown;
    const error = await errorOf(executor.group(async (group) => {
      const next = group.with({ grace: 0 }).map(hold, [gate.folder, gate.folder], [0, 1], { buffersize: 1 }).next();
      await gate.noted();
      group.with({ priority: 1 }).submit(divide, 0);
      reason = await errorOf(next);
    }));
    assertError(error, { name: "RangeError" });
    assert(reason instanceof CancelledError);
    assertStrictEquals(reason.cause, error);
    assertEquals(gate.notes, ["0"]);
  });

  behaviour(kind, ".group(): a worker that is lost fails the group, once", async (Executor) => {
    const reports: UnobservedReport[] = [];
    const executor = new Executor({ maxWorkers: 1, onUnobserved: (report) => reports.push(report) });
    using gate = new Gate();
    const ended = errorOf(executor.group((group) => {
      group.submit(hold, gate.folder, 0);
      group.submit(hold, gate.folder, 1);
    }));
    await gate.noted();
    executor.killWorkers();
    assert(await ended instanceof WorkerLostError);
    await executor.shutdown();
    assertEquals(reports, [], "the group has thrown it");
  });

  behaviour(kind, ".group() refuses wrong arguments at the call", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const group = (...args: unknown[]) => (executor.group as (...args: unknown[]) => unknown).apply(executor, args);
    assertError(
      assertThrows(() => group(5), TypeError),
      /Cannot make a group as its options must be an object: received 5/,
    );
    assertThrows(() => group(null), TypeError);
    assertThrows(() => group(() => 1, () => 2), TypeError);
    assertError(assertThrows(() => group({ signals: 1 }), TypeError), /did you mean 'signal'/);
    assertError(assertThrows(() => group({ signal: 1 }), TypeError), /'signal' must be an AbortSignal: received 1/);
    assertError(assertThrows(() => group({}, 1), TypeError), /'block' must be a function: received 1/);
  });

  behaviour(kind, ".group() with await using: both errors, when the block and a call have failed", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const problem = new TypeError("the block");
    const error = await errorOf((async () => {
      await using group = executor.group();
      group.submit(holdAndFail, gate.folder, 0);
      gate.open();
      throw problem;
    })()) as { name: string; error: unknown; suppressed: unknown };
    assertEquals(error.name, "SuppressedError");
    assertError(error.error, { name: "RangeError", message: "failed 0" });
    assertStrictEquals(error.suppressed, problem);
  });
}

// Executor.with(): calls that a signal or a time limit stops, that run again, or that run before others.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { TaskTimeoutError, type WorkerLostError } from "../../mod.ts";
import { behaviour } from "./behaviour.ts";
import { listenersOf } from "../support/observe.ts";
import { Gate } from "../support/gate.ts";
import { INLINE, KINDS } from "./kinds.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { block, hold, note } from "../fixtures/tasks/gate_tasks.ts";
import { describeTask, exitUntil, holdUntil, listen, listenAndThrow } from "../fixtures/tasks/stop_tasks.ts";
import { exit } from "../fixtures/tasks/worker_tasks.ts";
import { errorOf } from "../support/futures.ts";
import { assertError } from "../support/assert_error.ts";

/** It cannot be cloned and equals no other object, so that a test can tell whether this very one arrives. */
const REASON = Object.assign(new Error("stop"), { fn() {} });

function aborted(): AbortSignal {
  return AbortSignal.abort(REASON);
}

for (const kind of [...KINDS, INLINE]) {
  behaviour(kind, ".with({ signal }) cancels a call whose signal has aborted already", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const future = executor.with({ signal: aborted() }).submit(square, 1);
    assertEquals([future.done(), future.cancelled(), future.outcome], [true, true, {
      status: "cancelled",
      reason: REASON,
    }]);
    assertStrictEquals(await errorOf(future), REASON);
    const { workers, cancelled } = executor.stats();
    assertEquals({ workers, cancelled }, { workers: 0, cancelled: 1 });
  });

  behaviour(
    kind,
    ".with({ signal }) cancels what has not begun, and nothing else [piscina#805, #934]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const controllers = [1, 2, 3].map(() => new AbortController());
      const running = executor.submit(hold, gate.folder, 0);
      const [first, second, third] = controllers.map(({ signal }) =>
        executor.with({ signal }).submit(note, gate.folder, "must not run")
      );
      const last = executor.submit(square, 3);
      await gate.noted();
      controllers[1]!.abort(REASON);
      controllers[0]!.abort(REASON);
      assertEquals([first, second, third].map((future) => future!.cancelled()), [true, true, false]);
      controllers[2]!.abort(REASON);
      gate.open();
      assertEquals([await running, await last], [0, 9]);
      assertEquals(gate.notes, ["0"]);
      assertEquals(executor.stats().lost, 0);
    },
  );

  behaviour(kind, ".with({ signal }) aborts the signal of a task that listens; its worker lives", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const controller = new AbortController();
    const limited = executor.with({ signal: controller.signal, grace: Infinity });
    const orderly = limited.submit(listen, gate.folder, 0);
    const queued = executor.submit(square, 3);
    await gate.noted();
    controller.abort(REASON);
    assertEquals(await orderly, "stopped in order");
    assertEquals(gate.notes, ["0", "stopped: stop"]);
    assertEquals(await queued, 9);

    const again = new AbortController();
    const throwing = executor.with({ signal: again.signal, grace: Infinity }).submit(listenAndThrow, gate.folder, 1);
    await gate.noted(3);
    again.abort(REASON);
    assertStrictEquals(await errorOf(throwing), REASON, "the very reason, not what has crossed twice");
    assertEquals(throwing.cancelled(), true);
    assertEquals([executor.stats().lost, executor.stats().workers], [0, 1]);
  });

  behaviour(kind, ".with({ grace }) ends the worker of a deaf task, and only that call fails", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    using other = new Gate();
    const controller = new AbortController();
    const neighbour = executor.submit(hold, other.folder, 1);
    const deaf = executor.with({ signal: controller.signal, grace: 10 }).submit(block, gate.folder, 0);
    await gate.noted();
    await other.noted();
    const queued = [1, 2, 3].map((n) => executor.submit(square, n));
    controller.abort(REASON);
    assertEquals(deaf.done(), false, "it has its grace");
    assertStrictEquals(await errorOf(deaf), REASON);
    assertEquals(await Promise.all(queued), [1, 4, 9]);
    other.open();
    assertEquals(await neighbour, 1);
    assertEquals([executor.stats().lost, executor.stats().failed, executor.stats().cancelled], [0, 0, 1]);
  });

  behaviour(
    kind,
    ".with({ timeout }) counts from the start of the task, not from submit() [piscina#869]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const before = executor.submit(hold, gate.folder, 0);
      const patient = executor.with({ timeout: 2000 }).submit(square, 3);
      await gate.noted();
      // Longer than the limit of the call, whose time does not count yet.
      await new Promise((resolve) => setTimeout(resolve, 2100));
      assertEquals(patient.done(), false);
      gate.open();
      assertEquals([await before, await patient], [0, 9]);
    },
  );

  behaviour(
    kind,
    ".with({ timeout }) stops one call, and its neighbours run elsewhere, once [workerpool#548]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      for (let n = 0; n < 20; n++) await executor.submit(square, n); // short calls would be handed over ahead
      const deaf = executor.with({ timeout: 20 }).submit(block, gate.folder, "deaf" as unknown as number);
      const noting = Array.from({ length: 5 }, (_, n) => executor.submit(note, gate.folder, n));
      const queued = Array.from({ length: 50 }, (_, n) => executor.submit(square, n));
      const error = await errorOf(deaf) as Error;
      assert(error instanceof TaskTimeoutError);
      assertEquals(error.message, "The task 'block' ran for more than 20 ms and was stopped");
      assertEquals(await Promise.all(queued), Array.from({ length: 50 }, (_, n) => n * n));
      await Promise.all(noting);
      assertEquals(gate.notes.filter((line) => line !== "deaf"), ["0", "1", "2", "3", "4"]);
    },
  );

  behaviour(
    kind,
    ".with({ timeout }) does nothing to a call that ends in time, nor to the next one",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const timed = executor.with({ timeout: 1500 });
      assertEquals(await timed.submit(square, 2), 4);
      const next = executor.submit(hold, gate.folder, 1);
      await gate.noted();
      await new Promise((resolve) => setTimeout(resolve, 1600)); // longer than its limit
      gate.open();
      assertEquals(await next, 1);
      assertEquals(executor.stats().lost, 0);
    },
  );

  behaviour(
    kind,
    ".with({ retries }) runs a call again whose worker was lost, which knows its attempt",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const given = executor.with({ retries: 1 }).submit(exit, 7);
      assertEquals((await errorOf(given) as WorkerLostError).exitCode, 7);
      assertEquals(executor.stats().lost, 2, "run twice");
      assertEquals(await executor.with({ retries: 5 }).submit(exitUntil, 3, gate.folder), 3);
      assertEquals(gate.notes, ["1", "2", "3"]);
    },
  );

  behaviour(kind, ".with({ timeout, retries }) runs a call again whose time was up", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    // The worker has to load the module in that time, twice.
    const future = executor.with({ timeout: 2000, retries: 1 }).submit(holdUntil, 2, gate.folder);
    assertEquals(await future, 2);
    assertEquals(gate.notes, ["1", "2"]);
    assertEquals(executor.stats().lost, 0);
  });

  behaviour(kind, ".with({ signal }).map() stops all its calls", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const controller = new AbortController();
    const results = executor.with({ signal: controller.signal, grace: 10 }).map((n: number) => n, [1, 2, 3]);
    assertEquals((await results.next()).value, 1);
    controller.abort(REASON);
    const rest: unknown[] = [];
    await (async () => {
      for await (const result of results) rest.push(result);
    })().catch((error) => rest.push(error));
    assert(rest.every((value) => value === REASON || typeof value === "number"));
    assertEquals(await executor.submit(square, 3), 9);
  });

  behaviour(kind, ".with({ signal }) has one listener, however many calls", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const { signal } = new AbortController();
    const listeners = listenersOf(signal);
    const limited = executor.with({ signal });
    const futures = Array.from({ length: 100 }, (_, n) => limited.submit(square, n));
    assertEquals(listeners.count, 1);
    await Promise.all(futures);
    assertEquals(listeners.count, 0, "none is left when they are done");
  });

  behaviour(kind, " tells tasks who they are, in modules and inline", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, name: "known" });
    assertEquals(await executor.submit(describeTask), ["known_0", 1, false, true]);
    const inline = await executor.submit(async (url: string) => {
      const { currentTask } = await import(url);
      const { workerName, attempt, signal } = currentTask();
      return [workerName, attempt, signal.aborted];
    }, new URL("../../src/task/current_task.ts", import.meta.url).href);
    assertEquals(inline, ["known_0", 1, false]);
  });
}

test("currentTask() throws where no task runs", async () => {
  const { currentTask } = await import("../../src/task/current_task.ts");
  assertError(assertThrows(currentTask), /no(ne| task) runs here|inside a task/);
});

// map(): many calls, whose results come from one iterator.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TimeoutError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { add, addThree, divide, square } from "../../fixtures/tasks/arithmetic.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { workerId } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";
import { until } from "../../support/until.ts";

export const ten = Array.from({ length: 10 }, (_, n) => n);

export function* count(from = 0): Generator<number> {
  for (let n = from;; n++) yield n;
}

/** Takes the rest of an iterator; returns its results, and the error that ends it. */
export async function drain<T>(iterator: AsyncIterator<T>): Promise<{ values: T[]; error?: unknown }> {
  const values: T[] = [];
  try {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) values.push(next.value);
  } catch (error) {
    return { values, error };
  }
  return { values };
}

export function mapCases(kind: Kind): void {
  behaviour(
    kind,
    ".map() gives results in the order of the items [X7b, X7g, test_map, test_map_chunksize]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      for (const chunksize of [undefined, 1, 3, 6, 10, 50]) {
        const options = chunksize === undefined ? {} : { chunksize };
        assertEquals(await Array.fromAsync(executor.map(square, ten, options)), ten.map((n) => n * n));
        assertEquals(await Array.fromAsync(executor.map(add, ten, count(5), options)), ten.map((n) => 2 * n + 5));
      }
      assertEquals(await Array.fromAsync(executor.map(addThree, [1, 2], new Set([3, 4, 5]), [5, 6].values())), [
        9,
        12,
      ]);
      assertEquals(await Array.fromAsync(executor.map((letter: string) => letter + letter, "abc")), [
        "aa",
        "bb",
        "cc",
      ]);
      assertEquals(await Array.fromAsync(executor.map(square, [])), []);
    },
  );

  behaviour(
    kind,
    ".map() without inputs gives nothing and calls nothing [X7b, test_map_buffersize_without_iterable, test_map_buffersize_on_empty_iterable]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      assertEquals(await Array.fromAsync(executor.map(() => 1)), []);
      // deno-lint-ignore no-explicit-any
      assertEquals(await Array.fromAsync((executor as any).map(() => 1, { buffersize: 1 })), []);
      assertEquals(await Array.fromAsync(executor.map(square, [], { buffersize: 1 })), []);
      assertEquals(executor.stats().workers, 0);
    },
  );

  behaviour(
    kind,
    ".map() submits everything at the call, and runs it even if nobody iterates [X7c, X7k, test_map_submits_without_iteration]",
    async (Executor) => {
      using gate = new Gate();
      {
        await using executor = new Executor({ maxWorkers: 2 });
        executor.map(note, Array(10).fill(gate.folder), count());
        assertEquals(executor.stats().queued, 10);
      }
      assertEquals(gate.notes.length, 10);
    },
  );

  behaviour(
    kind,
    ".map() ends with a task's error, and cancels the rest [X7h, X7j, test_map_exception]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      for (const chunksize of [1, 3]) {
        const iterator = executor.map(divide, [1, 2, 0, 5], { chunksize });
        const { values, error } = await drain(iterator);
        assertEquals(values, [10, 5], "what came before the error, out of its own chunk too");
        assert(error instanceof RangeError);
        assertEquals(await iterator.next(), { value: undefined, done: true }, "exhausted for good");
      }
    },
  );

  behaviour(kind, ".map() yields how each call ended with settled: true [X7h]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    for (const chunksize of [1, 4]) {
      const settled = await Array.fromAsync(executor.map(divide, [1, 0, 5], { settled: true, chunksize }));
      assertEquals(settled.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
      assertEquals(settled[2], { status: "fulfilled", value: 2 });
      assert((settled[1] as PromiseRejectedResult).reason instanceof RangeError);
    }
  });

  behaviour(
    kind,
    ".map() tells a TimeoutError of a task from its own [X7i, test_map_timeout_from_callable]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const timeOut = () => {
        throw new DOMException("from the task", "TimeoutError");
      };
      for (const options of [{}, { timeout: 1e9 }]) {
        const { error } = await drain(executor.map(timeOut, [1], options));
        assert(error instanceof DOMException && error.message === "from the task");
      }
    },
  );

  behaviour(
    kind,
    ".map() yields what is ready, then times out and cancels the rest [X7i, X7j, test_map_timeout]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using closed = new Gate();
      using open = new Gate();
      open.open();
      await executor.submit(square, 1); // what has to start first is no part of the time limit
      const iterator = executor.map(hold, [open.folder, closed.folder, open.folder], count(), { timeout: 500 });
      await closed.noted();
      // A host takes short calls ahead, and gives them back when they wait.
      await until("the third call waits", () => executor.stats().queued === 1);
      const { values, error } = await drain(iterator);
      assertEquals(values, [0], "there before the deadline, whenever it is taken");
      assert(error instanceof TimeoutError);
      assertEquals(await iterator.next(), { value: undefined, done: true });
      assertEquals([executor.stats().queued, executor.stats().cancelled], [0, 1]);
    },
  );

  behaviour(kind, ".map() delivers a result that is ready after the deadline [X7i]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const iterator = executor.map(square, [3], { timeout: -1 });
    await executor.submit(square, 1); // runs after the item
    assertEquals(await iterator.next(), { value: 9, done: false });
  });

  behaviour(
    kind,
    ".map() cancels the call that it waited for when time is up, in a full pool [test_executor_map_current_future_cancel]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const busy = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      await assertRejects(
        () => executor.map(note, [gate.folder, gate.folder], [1, 2], { timeout: 1 }).next(),
        TimeoutError,
      );
      gate.open();
      await busy;
      await executor.submit(square, 1);
      assertEquals(gate.notes, ["0"]);
    },
  );

  behaviour(
    kind,
    ".map() ends for good when it is left, and cancels the rest [X7j, X7k, test_map_close]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      for (const chunksize of [1, 3]) {
        for await (const n of executor.map(square, ten, { chunksize })) if (n === 1) break;
        const closed = executor.map(square, ten, { chunksize });
        await closed.return();
        assertEquals(await closed.next(), { value: undefined, done: true });
        await using disposed = executor.map(square, ten, { chunksize });
        await disposed.next();
      }
      const busy = executor.submit(hold, gate.folder, 0);
      await executor.map(note, [gate.folder], [1]).return();
      gate.open();
      await busy;
      await executor.submit(square, 1);
      assertEquals(gate.notes, ["0"], "nothing of it runs");
    },
  );

  behaviour(kind, ".map() yields results as they are ready with ordered: false", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using late = new Gate();
    using early = new Gate();
    early.open();
    const iterator = executor.map(hold, [late.folder, early.folder, early.folder], [0, 1, 2], { ordered: false });
    assertEquals([(await iterator.next()).value, (await iterator.next()).value], [1, 2]);
    late.open();
    assertEquals((await drain(iterator)).values, [0]);
  });

  behaviour(kind, ".map() runs the items of a chunk one after the other in one worker [P16]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    const busy = [0, 1].map((n) => executor.submit(hold, gate.folder, n));
    await gate.noted(2); // both workers are up, so that they share what follows
    const ids = executor.map(workerId as (n: number) => string, ten, { chunksize: 5 });
    gate.open();
    await Promise.all(busy);
    const workers = await Array.fromAsync(ids);
    assertEquals(new Set(workers.slice(0, 5)).size, 1);
    assertEquals(new Set(workers.slice(5)).size, 1);
  });

  behaviour(kind, ".map() stops when its signal aborts, with its reason", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const controller = new AbortController();
    const iterator = executor.map(hold, [gate.folder, gate.folder], [0, 1], { signal: controller.signal });
    const next = iterator.next();
    await gate.noted();
    controller.abort(new Error("changed my mind"));
    assertError(await assertRejects(() => next), { message: "changed my mind" });
    gate.open();
    await executor.submit(square, 1);
    assertEquals(gate.notes, ["0"]);
    assertError(assertThrows(() => executor.map(square, [1], { signal: controller.signal })), {
      message: "changed my mind",
    });
  });

  behaviour(
    kind,
    ".map() with its results ignored does not hang an immediate shutdown [test_shutdown_race_issue12456]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 2 });
      executor.map(square, ten);
      await executor.shutdown();
      assertEquals(executor.stats().completed, 10);
    },
  );
}

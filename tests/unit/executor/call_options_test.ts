// Executor.with(): which calls run again, which run first, and which options are refused.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type CallOptions, type Executor, ShutdownError, TaskTimeoutError } from "../../../mod.ts";
import { behaviour } from "../../behaviour/behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { KINDS } from "../../behaviour/kinds.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { block, hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { failUntil } from "../../fixtures/tasks/stop_tasks.ts";
import { until } from "../../support/until.ts";
import { errorOf } from "../../support/futures.ts";
import { assertError } from "../../support/assert_error.ts";

const REASON = new Error("stop");

for (const kind of KINDS) {
  behaviour(
    kind,
    ".with({ retries }) runs no call again that failed by its own error, unless retryOn says so",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      assertMatch(String(await errorOf(executor.with({ retries: 5 }).submit(failUntil, 3, gate.folder))), /attempt 1/);
      const asked: unknown[] = [];
      const retryOn = (error: unknown) => asked.push(error) > 0;
      assertEquals(await executor.with({ retries: 5, retryOn }).submit(failUntil, 3, gate.folder), 3);
      assertEquals(asked.map(String), ["RangeError: attempt 1", "RangeError: attempt 2"]);
      const twice = executor.with({ retries: 1, retryOn: () => true }).submit(failUntil, 9, gate.folder);
      assertMatch(String(await errorOf(twice)), /attempt 2/);
      assertEquals(gate.notes, ["1", "1", "2", "3", "1", "2"]);
      const reports = await reportsOf(async () => {
        const throws = () => {
          throw new Error("of retryOn");
        };
        await errorOf(executor.with({ retries: 1, retryOn: throws }).submit(failUntil, 9, gate.folder));
      });
      assertMatch(String(reports[0]), /retryOn/);
    },
  );

  behaviour(
    kind,
    ".with({ retries }) can be cancelled while a call rests, by its signal, cancel() and shutdown()",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const controller = new AbortController();
      const options: CallOptions = { retries: 50, retryOn: () => true };
      const bySignal = executor.with({ ...options, signal: controller.signal }).submit(failUntil, 99, gate.folder);
      const byCancel = executor.with(options).submit(failUntil, 99, gate.folder);
      const byShutdown = executor.with(options).submit(failUntil, 99, gate.folder);
      const rest = (count: number) =>
        until(`${count} rest`, () => executor.stats().queued === count && executor.stats().idle === 1);
      await gate.noted(3);
      await rest(3);
      controller.abort(REASON);
      assertStrictEquals(await errorOf(bySignal), REASON);
      await rest(2);
      assertEquals(byCancel.cancel(), true);
      await rest(1);
      await executor.shutdown({ cancelFutures: true });
      assertEquals([byCancel.cancelled(), byShutdown.cancelled()], [true, true]);
    },
  );

  behaviour(kind, ".shutdown() waits for a call that rests [X8a]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const future = executor.with({ retries: 2, retryOn: () => true }).submit(failUntil, 3, gate.folder);
    await executor.shutdown();
    assertEquals(future.outcome, { status: "fulfilled", value: 3 });
  });

  behaviour(
    kind,
    ".with({ priority }) begins calls of a higher priority first, and in order among equals",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const first = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      const calls: [string, number | undefined][] = [
        ["usual", undefined],
        ["low", -1],
        ["high", 10],
        ["usual too", 0],
        ["highest", Infinity],
        ["high too", 10],
        ["lowest", -Infinity],
      ];
      const futures = calls.map(([text, priority]) =>
        (priority === undefined ? executor : executor.with({ priority })).submit(note, gate.folder, text)
      );
      gate.open();
      await Promise.all([first, ...futures]);
      const expected = ["0", "highest", "high", "high too", "usual", "usual too", "low", "lowest"];
      assertEquals(gate.notes, expected);
    },
  );

  behaviour(kind, ".with() of with() adds to it, and both leave the executor as it was", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const controller = new AbortController();
    const outer = executor.with({ timeout: 10, retries: 0 });
    const inner = outer.with({ signal: controller.signal });
    assert(await errorOf(inner.submit(block, gate.folder, 0)) instanceof TaskTimeoutError, "it has the outer limit");
    assertEquals(await outer.with({ timeout: Infinity }).submit(square, 3), 9);
    controller.abort(REASON);
    assertStrictEquals(await errorOf(inner.submit(square, 3)), REASON);
    assertEquals(await executor.submit(square, 3), 9);
  });

  behaviour(kind, ".with() returns what takes calls, and nothing that ends the workers", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    for (const view of [executor.with({}), executor.with({ priority: 1 }).with({ retries: 1 })]) {
      assertEquals(await view.submit(square, 3), 9);
      assertEquals(await Array.fromAsync(view.map(square, [1, 2])), [1, 4]);
      await view.ready();
      for (const name of ["shutdown", "terminateWorkers", "killWorkers", Symbol.asyncDispose]) {
        assertEquals(name in view, false, String(name));
      }
      assertError(await assertRejects(() => executor.submit((view: object) => typeof view, view).result()), {
        name: "DataCloneError",
        message: "An executor cannot be sent to a worker: a task that needs one makes it",
      });
    }
    await executor.shutdown();
    assertThrows(() => executor.with({}).submit(square, 3), ShutdownError);
  });
}

test("Executor.with() refuses wrong options at the call", async () => {
  const executor: Executor = new MemoryExecutor();
  // deno-lint-ignore no-explicit-any
  const wrong: [any, string, RegExp][] = [
    [null, "TypeError", /must be an object: received null/],
    [5, "TypeError", /must be an object: received 5/],
    [{ signal: {} }, "TypeError", /'signal' must be an AbortSignal: received an object/],
    [{ timeout: "1" }, "TypeError", /'timeout' must be a number/],
    [{ timeout: NaN }, "RangeError", /'timeout' must be a number: received NaN/],
    [{ timeout: -1 }, "RangeError", /'timeout' must be >= 0: received -1/],
    [{ grace: -1 }, "RangeError", /'grace' must be >= 0: received -1/],
    [{ grace: null }, "TypeError", /'grace' must be a number: received null/],
    [{ priority: NaN }, "RangeError", /'priority' must be a number: received NaN/],
    [{ priority: "high" }, "TypeError", /'priority' must be a number: received "high"/],
    [{ retries: 1.5 }, "RangeError", /'retries' must be an integer: received 1.5/],
    [{ retries: -1 }, "RangeError", /'retries' must be >= 0: received -1/],
    [{ retryOn: true }, "TypeError", /'retryOn' must be a function: received true/],
  ];
  for (const [options, name, message] of wrong) {
    assertError(assertThrows(() => executor.with(options), JSON.stringify(options)), { name, message });
  }
  for (const options of [{}, { timeout: Infinity, retries: Infinity, grace: Infinity }, { signal: undefined }]) {
    assertEquals(await executor.with(options as unknown as unknown as CallOptions).submit((n: number) => n, 1), 1);
  }
  await executor.shutdown();
});

test("with() ignores options that are undefined", async () => {
  await using executor = new MemoryExecutor();
  const limited = executor.with({ timeout: 20, priority: 3 });
  const endless = limited.with({ timeout: undefined, retries: undefined } as unknown as CallOptions)
    .submit(() => new Promise(() => {}));
  assert(await errorOf(endless) instanceof TaskTimeoutError);
});

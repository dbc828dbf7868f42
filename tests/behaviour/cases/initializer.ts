// The initializer runs once in each worker, before anything else. When it fails, the executor is broken.

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { BrokenExecutor, taskModule } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { exit, fail, getState, setState } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

export function initializerCases(kind: Kind): void {
  const broken = (message: RegExp) => (error: unknown) => {
    assert(error instanceof BrokenExecutor && error instanceof kind.Broken, String(error));
    assertMatch(error.message, message);
    return true;
  };

  behaviour(
    kind,
    " runs the initializer once in each worker, before its first call [test_initializer, test_init_func, T3]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2, initializer: setState, initargs: ["set", "up"] });
      using gate = new Gate();
      const held = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      assertEquals(await executor.submit(getState), "set up");
      gate.open();
      await held;
      const states = await Promise.all(Array.from({ length: 10 }, () => executor.submit(getState)));
      assertEquals(states, Array(10).fill("set up"));
    },
  );

  behaviour(kind, " runs an inline and an async initializer [test_init_func, test_init_script]", async (Executor) => {
    await using executor = new Executor({
      maxWorkers: 1,
      initializer: async (text: string) => {
        await Promise.resolve();
        (globalThis as { ready?: string }).ready = text;
      },
      initargs: ["ready"],
    });
    assertEquals(await executor.submit(() => (globalThis as { ready?: string }).ready), "ready");
  });

  behaviour(kind, " does not run the initializer when there is no work [T3]", async (Executor) => {
    using gate = new Gate();
    {
      await using _executor = new Executor({ initializer: note, initargs: [gate.folder, "ran"] });
    }
    assertEquals(gate.notes, []);
  });

  behaviour(
    kind,
    " is broken when the initializer throws, with its error as the cause [T6, P11, E8, test_initializer, test_init_exception_in_func, test_spawn]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 2, initializer: fail, initargs: ["no set-up"] });
      const futures = [1, 2, 3].map((n) => executor.submit((n: number) => n, n));
      const errors = new Set<unknown>();
      for (const future of futures) {
        const error = await future.exception() as Error;
        broken(/initializer/)(error);
        assert(error.cause instanceof RangeError && error.cause.message === "no set-up");
        errors.add(error);
      }
      assertEquals(errors.size, 3, "each has an error of its own [test_broken_process_pool_traceback]");
      assertError(assertThrows(() => executor.submit((n: number) => n, 1)), broken(/initializer/));
      assertError(assertThrows(() => executor.map((n: number) => n, [1])), broken(/initializer/));
      await executor.shutdown();
      assertError(
        assertThrows(() => executor.submit((n: number) => n, 1), "wins over shutdown [X2]"),
        broken(/initializer/),
      );
    },
  );

  behaviour(
    kind,
    " is broken when the initializer is a closure or cannot be loaded [I3, test_init_closure]",
    async (Executor) => {
      const outer = Math.random(); // Bun would inline a constant
      const missing = taskModule<{ gone(): void }>(new URL("no_such_module.ts", import.meta.url));
      for (const initializer of [() => outer, missing.gone]) {
        await using executor = new Executor({ maxWorkers: 1, initializer });
        assertError(await assertRejects(() => executor.submit((n: number) => n, 1)), broken(/initializer/));
      }
    },
  );

  behaviour(
    kind,
    " is broken when the initializer's arguments cannot be sent [I3, test_pickle_errors_propagate]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, initializer: setState, initargs: [() => 1] });
      assertError(await assertRejects(() => executor.submit((n: number) => n, 1)), (error) => {
        broken(/initializer/)(error);
        assertEquals(((error as Error).cause as Error).name, "DataCloneError");
        return true;
      });
    },
  );

  behaviour(
    kind,
    " refuses an initializer that cannot be a task, when it is made [T2, P2, test_init_instance_method]",
    (Executor) => {
      for (const bad of ["setState", {}, setState.bind(null), class {}]) {
        // deno-lint-ignore no-explicit-any
        assertError(assertThrows(() => new Executor({ initializer: bad as any })), {
          name: "TypeError",
          message: /'initializer'/,
        });
      }
    },
  );

  behaviour(
    kind,
    " is broken when workers end before they are ready, instead of starting them for ever [L4, test_failed_worker_replacement_breaks_pool]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, initializer: exit, initargs: [3] });
      assertError(await assertRejects(() => executor.submit((n: number) => n, 1)), broken(/could not be started/));
      assertError(
        assertThrows(() => executor.submit((n: number) => n, 1)),
        broken(/could not be started.*exit code 3/),
      );
    },
  );

  behaviour(
    kind,
    " that becomes broken leaves cancelled calls cancelled, and lets running ones finish [T6, P10]",
    async (Executor) => {
      using folder = new Gate();
      await using executor = new Executor({ maxWorkers: 2, initializer: onlyOnce, initargs: [folder.folder] });
      using gate = new Gate();
      const running = executor.submit(hold, gate.folder, 1);
      await gate.noted();
      const failing = executor.submit((n: number) => n, 2);
      const cancelled = executor.submit((n: number) => n, 3);
      assertEquals(cancelled.cancel(), true);
      assertError(await assertRejects(() => failing), broken(/initializer/));
      gate.open();
      assertEquals(await running, 1);
      assertEquals(cancelled.cancelled(), true);
    },
  );
}

/** Succeeds in the first worker that runs it. */
async function onlyOnce(folder: string): Promise<void> {
  const { mkdirSync } = await import("node:fs");
  mkdirSync(`${folder}/once`);
}

// The initializer runs once in each worker, before anything else. When it fails, the executor is broken.

import assert from "node:assert/strict";
import { BrokenExecutor, taskModule } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { exit, fail, getState, setState } from "../../fixtures/tasks/worker_tasks.ts";

export function initializerCases(kind: Kind): void {
  const broken = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof BrokenExecutor && error instanceof kind.Broken, String(error));
    assert.match(error.message, message);
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
      assert.equal(await executor.submit(getState), "set up");
      gate.open();
      await held;
      const states = await Promise.all(Array.from({ length: 10 }, () => executor.submit(getState)));
      assert.deepEqual(states, Array(10).fill("set up"));
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
    assert.equal(await executor.submit(() => (globalThis as { ready?: string }).ready), "ready");
  });

  behaviour(kind, " does not run the initializer when there is no work [T3]", async (Executor) => {
    using gate = new Gate();
    {
      await using _executor = new Executor({ initializer: note, initargs: [gate.folder, "ran"] });
    }
    assert.deepEqual(gate.notes, []);
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
        assert.ok(error.cause instanceof RangeError && error.cause.message === "no set-up");
        errors.add(error);
      }
      assert.equal(errors.size, 3, "each has an error of its own [test_broken_process_pool_traceback]");
      assert.throws(() => executor.submit((n: number) => n, 1), broken(/initializer/));
      assert.throws(() => executor.map((n: number) => n, [1]), broken(/initializer/));
      await executor.shutdown();
      assert.throws(() => executor.submit((n: number) => n, 1), broken(/initializer/), "wins over shutdown [X2]");
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
        await assert.rejects(executor.submit((n: number) => n, 1), broken(/initializer/));
      }
    },
  );

  behaviour(
    kind,
    " is broken when the initializer's arguments cannot be sent [I3, test_pickle_errors_propagate]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, initializer: setState, initargs: [() => 1] });
      await assert.rejects(executor.submit((n: number) => n, 1), (error) => {
        broken(/initializer/)(error);
        assert.equal(((error as Error).cause as Error).name, "DataCloneError");
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
        assert.throws(() => new Executor({ initializer: bad as any }), { name: "TypeError", message: /'initializer'/ });
      }
    },
  );

  behaviour(
    kind,
    " is broken when workers end before they are ready, instead of starting them for ever [L4, test_failed_worker_replacement_breaks_pool]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, initializer: exit, initargs: [3] });
      await assert.rejects(executor.submit((n: number) => n, 1), broken(/could not be started/));
      assert.throws(() => executor.submit((n: number) => n, 1), broken(/could not be started.*exit code 3/));
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
      assert.equal(cancelled.cancel(), true);
      await assert.rejects(failing, broken(/initializer/));
      gate.open();
      assert.equal(await running, 1);
      assert.equal(cancelled.cancelled(), true);
    },
  );
}

/** Succeeds in the first worker that runs it. */
async function onlyOnce(folder: string): Promise<void> {
  const { mkdirSync } = await import("node:fs");
  mkdirSync(`${folder}/once`);
}

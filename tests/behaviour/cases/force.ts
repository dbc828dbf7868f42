// terminateWorkers() and killWorkers().

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ShutdownError, WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { block } from "../../fixtures/tasks/gate_tasks.ts";
import { fail } from "../../fixtures/tasks/worker_tasks.ts";

export function forceCases(kind: Kind): void {
  for (const [method, signal] of [["terminateWorkers", "SIGTERM"], ["killWorkers", "SIGKILL"]] as const) {
    behaviour(
      kind,
      `.${method}() ends workers in the middle of their calls [P14, test_terminate_workers, test_kill_workers, test_force_shutdown_workers]`,
      async (Executor) => {
        const executor = new Executor({ maxWorkers: 1 });
        using gate = new Gate();
        const running = executor.submit(
          holdThenNote,
          gate.folder,
          new URL("../../fixtures/tasks/gate_tasks.ts", import.meta.url).href,
        );
        const queued = executor.submit(square, 1);
        await gate.noted();
        assertEquals(executor[method](), undefined);
        assertEquals(queued.cancelled(), true);
        assertThrows(() => executor.submit(square, 1), ShutdownError, "", "test_force_shutdown_workers_stops_pool");
        const error = await running.exception();
        assert(error instanceof WorkerLostError, String(error));
        assertStrictEquals(error.signal, kind.name === "ProcessPoolExecutor" ? signal : undefined);
        await executor.shutdown();
        gate.open();
        assertEquals(gate.notes, ["0"], "the second half has not run");
      },
    );

    behaviour(
      kind,
      `.${method}() may be called at any time [P14, test_force_shutdown_workers_not_started_yet, test_force_shutdown_workers_dead_workers]`,
      async (Executor) => {
        const unused = new Executor();
        unused[method]();
        assertEquals([unused.stats().workers, kind.alive()], [0, []]);
        assertThrows(() => unused.submit(square, 1), ShutdownError);
        unused[method]();
        await unused.shutdown();

        const broken = new Executor({ maxWorkers: 1, initializer: fail, initargs: ["broken"] });
        await broken.submit(square, 1).exception();
        broken[method]();
        await broken.shutdown();
        broken[method]();

        const starting = new Executor({ maxWorkers: 2 });
        const never = starting.submit(square, 1);
        starting[method]();
        assertEquals(never.cancelled(), true);
        await starting.shutdown();

        const idle = new Executor({ maxWorkers: 1 });
        await idle.submit(square, 1);
        idle[method]();
        await idle.shutdown();
        assertEquals(idle.stats().lost, 0);
      },
    );
  }

  behaviour(kind, ".killWorkers() settles a call that never returns to its event loop [P14, L4]", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const deaf = executor.submit(block, gate.folder, 0);
    await gate.noted();
    executor.killWorkers();
    assert(await deaf.exception() instanceof WorkerLostError);
    gate.open(); // Deno cannot stop such a thread, which now ends by itself
    await executor.shutdown();
  });
}

/** Inline, so that both of its halves can be seen here. */
async function holdThenNote(folder: string, url: string): Promise<void> {
  const { hold, note } = await import(url);
  await hold(folder, 0);
  note(folder, "second half");
}

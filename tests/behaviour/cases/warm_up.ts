// warmUp(): all workers start before there is work.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { BrokenExecutor, ShutdownError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { fail, workerId } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";
import { until } from "../../support/until.ts";

export function warmUpCases(kind: Kind): void {
  behaviour(kind, ".warmUp() starts all workers, and resolves when their initializers have run", async (Executor) => {
    using gate = new Gate();
    await using executor = new Executor({ maxWorkers: 3, initializer: note, initargs: [gate.folder, "up"] });
    await executor.warmUp();
    const { workers, idle } = executor.stats();
    assertEquals([workers, idle, gate.notes], [3, 3, ["up", "up", "up"]]);
    await executor.warmUp();
    assertEquals(gate.notes.length, 3, "nothing is left to start");
  });

  behaviour(kind, ".warmUp() starts what is lacking beside workers that are busy", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 0);
    await gate.noted();
    await Promise.all([executor.warmUp(), executor.warmUp()]);
    const { workers, idle, busy } = executor.stats();
    assertEquals([workers, idle, busy], [2, 1, 1]);
    gate.open();
    await held;
  });

  behaviour(kind, ".warmUp() is not undone by idleTimeout, which counts from its end", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2, idleTimeout: 1 });
    await executor.warmUp();
    assertStrictEquals(executor.stats().workers, 2);
    await until("both workers have ended", () => executor.stats().workers === 0);
  });

  behaviour(kind, ".warmUp() rejects when an initializer fails", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2, initializer: fail, initargs: ["no set-up"] });
    const error = await assertRejects(() => executor.warmUp(), BrokenExecutor, "initializer failed");
    assertEquals(error instanceof kind.Broken, true);
    assertError(error.cause, { name: "RangeError", message: "no set-up" });
  });

  behaviour(kind, ".warmUp() rejects when the executor is shut down, which ends its workers", async (Executor) => {
    const executor = new Executor({ maxWorkers: 2 });
    const warm = executor.warmUp();
    void executor.warmUp(); // nobody has to look at it
    await executor.shutdown();
    await assertRejects(() => warm, ShutdownError, "before all workers were ready");
    await assertRejects(() => executor.warmUp(), ShutdownError);
  });

  behaviour(kind, ".warmUp() leaves workers that take calls at once", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const warm = executor.warmUp();
    const early = executor.submit(workerId);
    await warm;
    const ids = new Set([await early, await executor.submit(workerId)]);
    assertEquals([executor.stats().workers, ids.size <= 2], [2, true]);
  });
}

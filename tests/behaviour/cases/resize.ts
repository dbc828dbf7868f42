// resize(): more or fewer workers while the executor works; nothing is lost.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShutdownError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { workerIndex } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";
import { until } from "../../support/until.ts";

export function resizeCases(kind: Kind): void {
  behaviour(kind, ".resize() with more workers gives waiting calls theirs at once", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const held = [0, 1, 2].map((n) => executor.submit(hold, gate.folder, n));
    await gate.noted(1);
    executor.resize(3);
    assertEquals([executor.maxWorkers, executor.stats().workers], [3, 3]);
    await gate.noted(3);
    gate.open();
    assertEquals(await Promise.all(held), [0, 1, 2]);
  });

  behaviour(kind, ".resize() with fewer workers ends idle ones, and busy ones after their call", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 3 });
    using gate = new Gate();
    const held = [0, 1, 2].map((n) => executor.submit(hold, gate.folder, n));
    const queued = [3, 4, 5].map((n) => executor.submit(hold, gate.folder, n));
    await gate.noted(3);
    executor.resize(1);
    const { workers, running } = executor.stats();
    assertEquals([executor.maxWorkers, workers, running], [1, 3, 3], "each goes on with its call");
    gate.open();
    assertEquals(await Promise.all([...held, ...queued]), [0, 1, 2, 3, 4, 5]);
    assertEquals([executor.stats().workers, executor.stats().lost], [1, 0]);
    assertEquals(await executor.submit(workerIndex), 0);
  });

  behaviour(kind, ".resize() takes back an order that busy workers have not carried out", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    const held = [0, 1].map((n) => executor.submit(hold, gate.folder, n));
    await gate.noted(2);
    executor.resize(1);
    executor.resize(2);
    gate.open();
    await Promise.all(held);
    assertEquals([executor.stats().workers, executor.stats().idle], [2, 2]);
  });

  behaviour(kind, ".resize() loses none of a burst of short calls", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 3 });
    await executor.warmUp();
    const results = [];
    for (let n = 0; n < 600; n++) {
      results.push(executor.submit(square, n));
      if (n % 100 === 50) {
        await results[n - 40];
        executor.resize(1 + (n % 3));
      }
    }
    assertEquals(await Promise.all(results), results.map((_, n) => n * n));
    assert(executor.stats().workers <= executor.maxWorkers);
  });

  behaviour(kind, ".resize() during .warmUp() sets how many workers it waits for", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const warm = executor.warmUp();
    executor.resize(3);
    await warm;
    assertEquals(executor.stats().idle, 3);
    executor.resize(4);
    const fewer = executor.warmUp();
    executor.resize(2);
    await fewer;
    await until("there are two", () => executor.stats().workers === 2);
  });

  behaviour(kind, ".resize() refuses what is no number of workers", async (Executor) => {
    const executor = new Executor({ maxWorkers: 2 });
    for (const wrong of [undefined, "2", null, 2n] as unknown[]) {
      assertError(assertThrows(() => executor.resize(wrong as number)), {
        name: "TypeError",
        message: /^Cannot resize an executor as 'maxWorkers' must be a number: received/,
      });
    }
    for (const wrong of [0, -1, 1.5, NaN, Infinity]) {
      assertError(assertThrows(() => executor.resize(wrong)), { name: "RangeError" });
    }
    assertEquals(executor.maxWorkers, 2);
    await executor.shutdown();
    assertThrows(() => executor.resize(3), ShutdownError);
  });
}

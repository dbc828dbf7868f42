// An executor keeps nothing of calls that are done.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";
import { MemoryGate, pass } from "../../support/memory_gate.ts";
import { CLAIMS_KINDS, ownersOf } from "../../support/memory_channel.ts";

const size = (value: object) => Object.keys(value).length;

for (const claims of CLAIMS_KINDS) {
  const kind = ownersOf(claims);

  test(
    `Executor of ${kind} keeps no argument of a call that is done [F15, test_no_stale_references]`,
    needsCollector,
    async () => {
      await using executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
      const submitted = async () => {
        const argument = { large: true };
        await executor.submit(size, argument);
        return new WeakRef(argument);
      };
      assertEquals(await isCollected(submitted), true);
    },
  );

  test(`Executor of ${kind} keeps no argument of a call that was cancelled [F15]`, needsCollector, async () => {
    await using executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
    const gate = new MemoryGate();
    executor.submit(pass, gate.name, 0);
    await gate.reached;
    const kept: unknown[] = [];
    const cancelled = () => {
      const argument = { large: true };
      const future = executor.submit(size, argument);
      assertEquals(future.cancel(), true);
      kept.push(future);
      return new WeakRef(argument);
    };
    assertEquals(await isCollected(cancelled), true);
    gate.open();
    assertEquals(kept.length, 10);
  });

  test(`Executor of ${kind} keeps no argument of a call that could not be sent [F15]`, needsCollector, async () => {
    await using executor = new MemoryExecutor({ maxWorkers: 1 }, { claims });
    const kept: unknown[] = [];
    const refused = async () => {
      const argument = { cannot: () => {} };
      const future = executor.submit(size, argument);
      assertEquals((await future.exception() as Error).name, "DataCloneError");
      kept.push(future);
      return new WeakRef(argument);
    };
    assertEquals(await isCollected(refused), true);
    assertEquals(kept.length, 10);
  });
}

test("Executor keeps no Future and no result of a call that is done [F15]", needsCollector, async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const future = async () => {
    const future = executor.submit(() => ({ large: true }));
    await future;
    return new WeakRef(future);
  };
  const result = async () => new WeakRef(await executor.submit(() => ({ large: true })));
  assertEquals(await isCollected(future), true);
  assertEquals(await isCollected(result), true);
});

test("Executor keeps no function that it was given, once its calls are done [F15]", needsCollector, async () => {
  await using executor = new MemoryExecutor({ maxWorkers: 1 });
  const given = async () => {
    const fn = () => 5;
    await executor.submit(fn);
    return new WeakRef(fn);
  };
  assertEquals(await isCollected(given), true);
});

test(
  "Executor.map() keeps no argument of a call that is done, even before its result is taken [F15, X7m]",
  needsCollector,
  async () => {
    await using executor = new MemoryExecutor({ maxWorkers: 1 });
    const kept: unknown[] = [];
    const mapped = async () => {
      let ref: WeakRef<object>;
      function* input() {
        const argument = { large: true };
        ref = new WeakRef(argument);
        yield argument;
      }
      kept.push(executor.map(size, input()));
      await executor.submit(size, {}); // it comes after
      return ref!;
    };
    assertEquals(await isCollected(mapped), true);
    assertEquals(kept.length, 10);
  },
);

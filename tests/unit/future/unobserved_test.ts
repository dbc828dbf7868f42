// Failures that the program does not observe are reported once, when the executor has shut down.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { asCompleted, type Future, TimeoutError, wait } from "../../../mod.ts";
import { MemoryExecutor } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";

const fail = (message: string) => {
  throw new RangeError(message);
};

/** The reports about calls that all fail, after `look` was done with their Futures. */
async function told(count: number, look: (futures: Future<never>[]) => unknown = () => {}): Promise<unknown[][]> {
  return await reportsOf(async () => {
    const executor = new MemoryExecutor({ name: "pool" });
    const futures = Array.from({ length: count }, (_, n) => executor.submit(fail, `call ${n}`));
    await look(futures);
    await executor.shutdown();
    await executor.shutdown();
  });
}

test("Executor reports failures that nothing has observed, once [X10]", async () => {
  const reports = await told(3);
  assertEquals(reports.length, 1);
  assertMatch(
    String(reports[0]?.[0]),
    /^concurrent\.futures: 3 calls of pool failed and their errors were never observed; the first:$/,
  );
  assertMatch(String(reports[0]?.[1]), /^RangeError: call \d$/);
});

test("Executor counts failures beyond those that it remembers [X10]", async () => {
  assertMatch(String(await told(500)), /500 calls of pool failed and their errors were never observed/);
  assertMatch(String(await told(1)), /1 call of pool failed and its error was never observed:,RangeError/);
});

test("Executor reports no failure that was observed, before or after it came [X10]", async () => {
  const looks: ((future: Future<never>) => unknown)[] = [
    (future) => future.exception(),
    (future) => future.catch(() => {}),
    (future) => future.then(undefined, () => {}),
    (future) => future.result(1e6).catch(() => {}),
    (future) => future.addDoneCallback((future) => future.outcome),
    (future) => void future.exception(),
  ];
  for (const look of looks) {
    assertEquals(await told(2, (futures) => Promise.all(futures.map(look))), [], String(look));
    const late = async (futures: Future<never>[]) => {
      await wait(futures);
      await Promise.all(futures.map(look));
    };
    assertEquals(await told(2, late), [], `${look}, late`);
  }
  assertEquals(await told(2, async (futures) => (await wait(futures), futures.map((future) => future.outcome))), []);
});

test("Executor reports failures that nothing has observed since they came [X10]", async () => {
  const early: ((future: Future<never>) => unknown)[] = [
    (future) => future.outcome,
    (future) => future.result(0).catch(() => {}),
    (future) => future.exception(-1).catch((error) => assert(error instanceof TimeoutError)),
    (future) => [future.done(), future.running(), future.cancelled(), String(future)],
  ];
  for (const look of early) {
    assertMatch(String(await told(2, (futures) => futures.map(look))), /2 calls of pool failed/, String(look));
  }
});

test("Executor does not take wait() and asCompleted() for a look [W7]", async () => {
  assertEquals((await told(2, wait)).length, 1);
  const drain = async (futures: Future<never>[]) => {
    const iterator = asCompleted(futures);
    while (!(await iterator.next()).done);
  };
  assertEquals((await told(2, drain)).length, 1);
});

test("Executor reports the failures of a map() that were never taken, and no others [X10]", async () => {
  const reports = await reportsOf(async () => {
    const executor = new MemoryExecutor();
    executor.map(fail, ["never taken"]);
    await Array.fromAsync(executor.map(fail, ["taken", "taken"], { settled: true }));
    await executor.map(fail, ["thrown", "after it"]).next().catch(() => {});
    await executor.map(fail, ["closed"]).return();
    await executor.shutdown();
  });
  assertEquals(reports.length, 1);
  assertMatch(String(reports[0]), /1 call of .* failed .*never taken/);
});

test("Executor reports nothing more when a failure is observed after it was reported [X10]", async () => {
  let futures: Future<never>[] = [];
  const executor = new MemoryExecutor({ name: "pool" });
  const reports = await reportsOf(async () => {
    futures = [1, 2].map((n) => executor.submit(fail, String(n)));
    await executor.shutdown();
    for (const future of futures) await future.exception();
    await executor.shutdown();
    await executor[Symbol.asyncDispose]();
  });
  assertEquals(reports.length, 1);
  assertMatch(String(reports[0]), /2 calls of pool failed/);
});

test("Executor tells onUnobserved in place of the console, and survives what that throws", async () => {
  const seen: unknown[] = [];
  const reports = await reportsOf(async () => {
    const executor = new MemoryExecutor({ onUnobserved: (failures) => seen.push(failures) });
    executor.submit(fail, "a");
    await executor.shutdown();
  });
  assertEquals(reports, []);
  assertEquals((seen as { count: number; first: Error }[])[0]?.first.message, "a");
  const [report] = await reportsOf(async () => {
    const executor = new MemoryExecutor({ onUnobserved: () => fail("handler") });
    executor.submit(fail, "a");
    await executor.shutdown();
  });
  assertMatch(String(report), /onUnobserved.*handler/);
});

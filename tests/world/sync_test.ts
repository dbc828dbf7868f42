// Waiting without the event loop: what await does, while nothing else of the program runs.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type process from "node:process";
import { test } from "node:test";
import {
  asCompleted,
  CancelledError,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  TaskTimeoutError,
  TimeoutError,
  WorkerLostError,
} from "../../mod.ts";
import { exceptionSync, iterateSync, resultSync, waitSync } from "../../src/sync/mod.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { hold } from "../fixtures/tasks/gate_tasks.ts";
import { reportMany, reportWithoutAwait } from "../fixtures/tasks/report_tasks.ts";
import { countAndNote, doubleAll, sumOfSquares } from "../fixtures/tasks/sync_tasks.ts";
import { Gate } from "../support/gate.ts";
import { startProgram } from "../support/run_program.ts";
import { until } from "../support/until.ts";
import { behaviour } from "../behaviour/behaviour.ts";
import { KINDS, THREADS } from "../behaviour/kinds.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

for (const kind of KINDS) {
  behaviour(
    kind,
    ": resultSync starts workers, returns what the task returns and throws what it throws",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      assertEquals(resultSync(executor.submit(square, 5)), 25);
      assertEquals(resultSync(executor.submit((value: object) => value, { a: [1, "two", null] })), {
        a: [1, "two", null],
      });
      for (const n of range(300)) assertEquals(resultSync(executor.submit(square, n)), n * n);
      const failed = executor.submit((text: string) => JSON.parse(text), "{");
      assert(exceptionSync(failed) instanceof SyntaxError);
      assertThrows(() => resultSync(failed), SyntaxError);
      assertEquals(exceptionSync(executor.submit(square, 2)), undefined);
    },
  );

  behaviour(
    kind,
    ": a task that reports without an await is heard, and stopped, in a blocking wait",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      let heard: unknown[] = [];
      const onReport = (value: unknown) => void heard.push(value);
      assertEquals(resultSync(executor.with({ onReport }).submit(reportMany, 3000)), 3000);
      assertEquals(heard, range(3000).map((n) => n % 5 === 0 ? n : { n }));
      heard = [];
      const endless = executor.with({ onReport, timeout: 100 }).submit(reportWithoutAwait, gate.folder);
      assert(exceptionSync(endless) instanceof TaskTimeoutError);
      assertEquals(heard, range(heard.length).map((n) => n % 5 === 0 ? n : { n }));
      assertEquals(resultSync(executor.submit(square, 5)), 25);
    },
  );

  behaviour(
    kind,
    ": a burst of calls is done after one waitSync, and what awaits them runs afterwards",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      const order: string[] = [];
      const futures = range(1000).map((n) => executor.submit(square, n));
      const awaited = futures[0]!.then(() => order.push("promise"));
      futures[0]!.addDoneCallback(() => order.push("callback"));
      const { done, notDone } = waitSync([...futures, futures[0]!]);
      order.push("waited");
      assertEquals([done.size, notDone.size], [1000, 0]);
      assertEquals(futures.map((future) => resultSync(future)), range(1000).map((n) => n * n));
      await awaited;
      assertEquals(order, ["callback", "waited", "promise"]);
    },
  );

  behaviour(kind, ": waitSync returns when the first is done, when one fails, or in time", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    const [held, quick] = [executor.submit(hold, gate.folder, 1), executor.submit(square, 2)];
    assertEquals(waitSync([held, quick], { returnWhen: FIRST_COMPLETED }).done, new Set([quick]));
    const failing = executor.submit(() => {
      throw new RangeError("no");
    });
    assertEquals(waitSync([held, failing], { returnWhen: FIRST_EXCEPTION }).notDone, new Set([held]));
    exceptionSync(failing);
    assertEquals(waitSync([held], { timeout: 20 }).notDone, new Set([held]));
    assertThrows(() => resultSync(held, 20), TimeoutError, "was not there after 20 ms");
    assertThrows(() => resultSync(held, 0), TimeoutError);
    gate.open();
    assertEquals(resultSync(held), 1);
  });

  behaviour(
    kind,
    ": a callback that blocks gets the results of the message that it is in, and of new calls",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      resultSync(executor.submit(square, 0));
      const futures = range(100).map((n) => executor.submit(square, n));
      let sum = 0, nested = 0;
      futures[0]!.addDoneCallback(() => {
        for (const future of futures) sum += resultSync(future);
        nested = resultSync(executor.submit(square, 9));
      });
      waitSync(futures);
      assertEquals([sum, nested], [328_350, 81]);
      // The same when the event loop has delivered the message.
      const more = range(100).map((n) => executor.submit(square, n));
      sum = 0;
      more[0]!.addDoneCallback(() => more.forEach((future) => sum += resultSync(future)));
      await more[99];
      assertEquals(sum, 328_350);
    },
  );

  behaviour(kind, ": iterateSync yields what map() and asCompleted() do, and ends them", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2, maxQueue: 3 });
    assertEquals([...iterateSync(executor.map(square, range(200)))], range(200).map((n) => n * n));
    const inChunks = executor.map(square, range(50), { chunksize: 7, buffersize: 2 });
    assertEquals([...iterateSync(inChunks)], range(50).map((n) => n * n));
    const unordered = iterateSync(executor.map(square, range(20), { ordered: false }));
    assertEquals([...unordered].sort((a, b) => a - b), range(20).map((n) => n * n));
    const failing = iterateSync(executor.map((n: number) => {
      if (n === 2) throw new RangeError("two");
      return n;
    }, range(5)));
    assertEquals([failing.next().value, failing.next().value], [0, 1]);
    assertThrows(() => failing.next(), RangeError, "two");
    assertEquals(failing.next().done, true);
    const futures = range(3).map((n) => executor.submit(square, n));
    const seen = [...iterateSync(asCompleted(futures))];
    assertEquals(new Set(seen), new Set(futures));
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 1);
    assertThrows(() => [...iterateSync(asCompleted([held], { timeout: 20 }))], TimeoutError);
    const late = executor.map(hold, [gate.folder], [1], { timeout: 20 });
    assertThrows(() => [...iterateSync(late)], TimeoutError);
    gate.open();
    resultSync(held);
    for (const first of iterateSync(executor.map(square, range(1e6), { buffersize: 4 }))) {
      assertEquals(first, 0);
      break;
    }
  });

  behaviour(kind, ": leaving a loop of iterateSync ends what it iterates over", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    assertEquals([...iterateSync(executor.stream(countAndNote, gate.folder, 5))], [0, 1, 2, 3, 4]);
    for (const n of iterateSync(executor.stream(countAndNote, gate.folder, Infinity))) if (n === 40) break;
    assertEquals(resultSync(executor.submit(square, 3)), 9, "its worker is free");
    assertEquals(gate.notes, ["left", "left"], "its generator has ended in the worker");
    const failing = iterateSync(executor.stream(function* () {
      yield 1;
      throw new RangeError("two");
    }));
    assertEquals(failing.next().value, 1);
    assertThrows(() => failing.next(), RangeError, "two");
    assertEquals(failing.next().done, true);

    let taken = 0;
    const items = function* () {
      for (;;) yield taken++;
    };
    for (const n of iterateSync(executor.map(square, items(), { buffersize: 8 }))) if (n === 100) break;
    const before = taken;
    assertEquals(resultSync(executor.submit(square, 4)), 16);
    assertEquals(taken, before, "map() takes no more items");

    const futures = range(3).map((n) => executor.submit(square, n));
    for (const first of iterateSync(asCompleted(futures))) {
      assertEquals(resultSync(first), 0);
      break;
    }
    assertEquals(waitSync(futures).done.size, 3, "the others go on");
    const inputs = executor.stream(doubleAll, (async function* () {})());
    assertThrows(() => iterateSync(inputs), Error, "async iterable");
    await inputs.return!();
  });

  behaviour(
    kind,
    ": a lost worker, a time limit and a kill settle calls while the program blocks",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      const lost = executor.submit(() => (globalThis as unknown as { process: typeof process }).process.exit(3));
      assert(exceptionSync(lost) instanceof WorkerLostError);
      const uncaught = executor.submit(() =>
        new Promise(() =>
          void setTimeout(() =>
            (() => {
              throw new Error("uncaught");
            })()
          )
        )
      );
      assert(exceptionSync(uncaught) instanceof WorkerLostError);
      assertEquals(resultSync(executor.submit(square, 3)), 9, "it is replaced");
      const endless = executor.with({ timeout: 50 }).submit(() => new Promise(() => setInterval(() => {}, 1e6)));
      assertThrows(() => resultSync(endless), TaskTimeoutError);
      assertEquals(resultSync(executor.with({ retries: 2, retryOn: () => true }).submit(square, 4)), 16);
      const killed = executor.submit(() => new Promise(() => setInterval(() => {}, 1e6)));
      assertThrows(() => resultSync(killed, 200), TimeoutError);
      executor.killWorkers();
      assert(exceptionSync(killed) instanceof WorkerLostError);
    },
  );

  behaviour(kind, ": a call that is cancelled rejects at once", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const held = executor.submit(hold, gate.folder, 1), waiting = executor.submit(square, 2);
    assertEquals(waiting.cancel(), true);
    assertThrows(() => resultSync(waiting), CancelledError);
    assertThrows(() => exceptionSync(waiting), CancelledError);
    const controller = new AbortController();
    const aborted = executor.with({ signal: controller.signal }).submit(square, 2);
    controller.abort();
    assertThrows(() => resultSync(aborted), DOMException, "abort");
    gate.open();
    assertEquals(resultSync(held), 1);
  });

  behaviour(kind, ": a failure that resultSync has thrown counts as observed", async (Executor) => {
    let reports = 0;
    await using executor = new Executor({ maxWorkers: 1, onUnobserved: () => reports++ });
    const fail = () => {
      throw new RangeError("no");
    };
    assertThrows(() => resultSync(executor.submit(fail)), RangeError);
    exceptionSync(executor.submit(fail));
    waitSync([executor.submit(fail)]);
    await executor.shutdown();
    assertEquals(reports, 1, "waitSync alone observes nothing");
  });

  behaviour(kind, ": a task can block for calls of an executor of its own", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    assertEquals(await executor.submit(sumOfSquares, kind.name, [1, 2, 3]), 14);
    assertEquals(resultSync(executor.submit(sumOfSquares, kind.name, [4, 5])), 41);
  });

  test(`${kind.name}: Ctrl-C ends a program that blocks, and one that has blocked ends by itself`, async () => {
    let output = "";
    const { child, ended } = startProgram("blocking", [kind.name, "forever"], (stdout) => output = stdout);
    await until("the program blocks", () => output.includes("result 42"));
    child.kill("SIGINT");
    assertEquals((await ended).signal, "SIGINT");
    const { stdout, stderr, code } = await startProgram("blocking", [kind.name, "end"]).ended;
    assertEquals([stdout, stderr, code], ["result 42\n", "", 0]);
  });
}

test("what cannot be waited for is refused at the call", async () => {
  await using executor = new THREADS.Executor({ maxWorkers: 1 });
  const future = new Future<number>(), call = executor.submit(square, 1);
  assertThrows(() => resultSync(future), Error, "Cannot wait for a result as no executor settles this Future");
  assertThrows(() => resultSync(future, 10), TimeoutError);
  assertThrows(() => waitSync([future, call]), Error, "Cannot wait for futures as no executor settles this Future");
  future.setResult(3);
  assertEquals(resultSync(future), 3);
  assertThrows(
    () => resultSync(1 as never),
    TypeError,
    "Cannot wait for a result as 'future' must be a Future: received 1",
  );
  assertThrows(() => resultSync(call, NaN), RangeError, "'timeout' must be a number");
  assertThrows(() => exceptionSync(call, "1" as never), TypeError, "Cannot wait for an error as 'timeout'");
  assertThrows(() => waitSync([1] as never), TypeError, "'futures' must hold futures only");
  assertThrows(() => waitSync([call], { signal: 1 } as never), TypeError, "there is no option 'signal'");
  assertThrows(() => waitSync([call], { returnWhen: "ALL" as never }), RangeError, "Invalid return condition");
  for (const wrong of [[1], undefined, (async function* () {})()]) {
    assertThrows(
      () => iterateSync(wrong as never),
      TypeError,
      "must be what map(), stream() or asCompleted() has returned",
    );
  }
  const async = executor.map(square, (async function* () {})());
  assertThrows(() => iterateSync(async), Error, "one of the inputs of map() is an async iterable");
  assertStrictEquals(resultSync(call), 1);
});

test("no wait ends before its time", async () => {
  await using executor = new THREADS.Executor({ maxWorkers: 1 });
  using gate = new Gate();
  const held = executor.submit(hold, gate.folder, 1);
  for (const timeout of [0, 1, 5, 20, 50.5]) {
    const start = performance.now();
    assertThrows(() => resultSync(held, timeout), TimeoutError);
    assert(performance.now() - start >= timeout);
    assertEquals(waitSync([held], { timeout }).done.size, 0);
    assert(performance.now() - start >= 2 * timeout);
  }
  gate.open();
  assertEquals(resultSync(held, Infinity), 1);
});

test("a time limit that a blocking wait fires does not fire again", async () => {
  const future = new Future<number>();
  let late = 0;
  const waiting = future.result(20).catch(() => late++);
  assertThrows(() => resultSync(future, 60), TimeoutError);
  await waiting;
  assert(late === 1);
});

// What tasks report while they run: currentTask().report() and Executor.with({ onReport }).

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Future, TaskTimeoutError, WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import {
  count,
  countSlowly,
  leaveReporting,
  reportAfterwards,
  reportAndBlock,
  reportAndExit,
  reportAndFail,
  reportAround,
  reportAttempt,
  reportForever,
  reportMany,
  reportNothing,
  reportObjects,
  reportUnsendable,
  reportWithoutAwait,
} from "../../fixtures/tasks/report_tasks.ts";
import { assertError } from "../../support/assert_error.ts";
import { until } from "../../support/until.ts";
import { errorOf } from "../../support/futures.ts";

/** A listener that keeps what it hears, and what comes when the Future is done. */
class Listener {
  readonly heard: unknown[] = [];
  readonly late: unknown[] = [];
  readonly futures = new Set<Future<unknown>>();
  readonly onReport = (value: unknown, future: Future<unknown>) => {
    (future.done() ? this.late : this.heard).push(value);
    this.futures.add(future);
  };
  readonly options = { onReport: this.onReport };
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

export function reportCases(kind: Kind): void {
  behaviour(
    kind,
    ".with({ onReport }) gets what a task reports, in order, before its Future is done",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      for (const fn of [count, countSlowly] as (typeof count)[]) {
        for (const to of [0, 1, 40, 3000]) {
          const listener = new Listener();
          const future = executor.with(listener.options).submit(fn, to);
          let heard: unknown;
          future.addDoneCallback(() => heard = [...listener.heard]);
          assertEquals(await future, to);
          assertEquals(heard, upTo(to));
          assertEquals([listener.late, [...listener.futures]], [[], to === 0 ? [] : [future]]);
        }
      }
    },
  );

  behaviour(kind, ".with({ onReport }) gets reports while the task blocks its worker", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const heard: unknown[] = [];
    const values = [...upTo(20), { an: "object" }, "last"];
    const onReport = (value: unknown) => {
      heard.push(value);
      if (value === "last") gate.open();
    };
    await executor.with({ onReport }).submit(reportAndBlock, gate.folder, ...values);
    assertEquals(heard, values);
  });

  behaviour(kind, ".with({ onReport }) gets objects as they were, and moved ones", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const listener = new Listener();
    const left = await executor.with(listener.options).submit(reportObjects);
    assertEquals(listener.heard, [{ n: 0 }, { n: 1 }, { n: 2 }, new Uint8Array(8)]);
    assertEquals(left, kind.sharesMemory ? 0 : 8, "a process copies what a thread moves");
  });

  behaviour(kind, " throws at report() what cannot be sent, and the task goes on", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const listener = new Listener(), clone = "DataCloneError";
    const names = await executor.with(listener.options).submit(reportUnsendable);
    assertEquals(names, ["sent", clone, clone, clone, "RangeError", "sent"]);
    assertEquals(listener.heard, [1, 2]);
    assertEquals(await executor.submit(reportUnsendable), Array(6).fill("sent"), "nobody listens: nothing is sent");
  });

  behaviour(kind, ".with({ onReport }) gives each call of map() a Future", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const heard = new Map<Future<unknown>, unknown[]>(), done: unknown[] = [], cancelled: boolean[] = [];
    const onReport = (value: number, future: Future<number>) => {
      assert(!future.done());
      if (!heard.has(future)) {
        heard.set(future, []);
        cancelled.push(future.cancel());
        future.addDoneCallback(({ outcome }) => done.push(outcome));
      }
      heard.get(future)!.push(value);
    };
    const results: number[] = [];
    for await (const result of executor.with({ onReport }).map(count, [3, 1, 0, 200])) results.push(result);
    assertEquals(results, [3, 1, 0, 200]);
    assertEquals([...heard.values()].map(({ length }) => length).sort((a, b) => a - b), [1, 3, 200]);
    for (const values of heard.values()) assertEquals(values, upTo(values.length));
    assertEquals(done.map((outcome) => (outcome as { value: number }).value).sort((a, b) => a - b), [1, 3, 200]);
    assertEquals(cancelled, [false, false, false]);
  });

  behaviour(kind, ".with({ onReport }) counts no failure of map() twice, and none that was seen", async (Executor) => {
    const unobserved: unknown[] = [];
    const onUnobserved = (report: unknown) => void unobserved.push(report);
    const executor = new Executor({ maxWorkers: 1, onUnobserved });
    const futures = new Set<Future<unknown>>();
    const view = executor.with({ onReport: (_: unknown, future) => futures.add(future) });
    const options = { settled: true } as const;
    for await (const { status } of view.map(reportAndFail, [1, 2], options)) assertEquals(status, "rejected");
    await executor.shutdown();
    assertEquals([unobserved, futures.size], [[], 2]);
    for (const future of futures) assertMatch(String(await future.exception()), /RangeError: failed \d/);
  });

  behaviour(kind, ".with({ onReport }) hears nothing more of a map() that was left", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const listener = new Listener();
    const results = executor.with(listener.options).map(reportAround, [gate.folder], ["first"], ["second"]);
    const next = results.next();
    await until("it has reported", () => listener.heard.length === 1);
    await results.return();
    gate.open();
    assertEquals(await next, { value: undefined, done: true });
    const [future] = listener.futures;
    await future;
    assertEquals([listener.heard, listener.late], [["first"], []]);
  });

  behaviour(
    kind,
    ".with({ onReport }) hears nothing of a call that has ended, though its task goes on",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const first = new Listener(), second = new Listener();
      await executor.with(first.options).submit(leaveReporting);
      for (let n = 0; n < 2; n++) {
        assertEquals(await executor.with(second.options).submit(reportAfterwards), "returned");
      }
      await executor.submit(reportAfterwards);
      assertEquals([first.heard, first.late], [["in time"], []]);
      assertEquals([second.heard, second.late], [["of its own", "of its own"], []]);
    },
  );

  behaviour(kind, ".with({ onReport }) hears only the calls of its view", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const heard = new Map<Future<unknown>, number>();
    const onReport = (_: unknown, future: Future<unknown>) => void heard.set(future, (heard.get(future) ?? 0) + 1);
    const listening = executor.with({ onReport }).with({ priority: 0, onReport: undefined });
    const futures = upTo(300).map((n) => n % 7 === 0 ? listening.submit(count, n) : executor.submit(count, n));
    assertEquals(await Promise.all(futures), upTo(300));
    assertEquals(
      futures.map((future) => heard.get(future) ?? 0),
      upTo(300).map((n) => n % 7 === 0 ? n : 0),
    );
  });

  behaviour(kind, ".with({ onReport }) writes down what its callback throws, and goes on", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    let calls = 0;
    const onReport = (value: number) => {
      calls++;
      if (value === 1) throw new RangeError("of the callback");
      if (value === 2) return Promise.reject(new RangeError("of its promise"));
    };
    const reports = await reportsOf(async (reports) => {
      assertEquals(await executor.with({ onReport }).submit(count, 4), 4);
      await until("both are written", () => reports.length === 2);
    });
    assertEquals(calls, 4);
    assertMatch(String(reports[0]), /Exception calling onReport:.*of the callback/);
    assertMatch(String(reports[1]), /Exception calling onReport:.*of its promise/);
  });

  behaviour(kind, ".with({ onReport, retries }) hears each attempt, in order", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const listener = new Listener();
    const view = executor.with({ onReport: listener.onReport, retries: 2, retryOn: () => true });
    assertEquals(await view.submit(reportAttempt, 3), 3);
    const expected = [1, 2, 3].flatMap((attempt) => [`attempt ${attempt} begins`, { attempt }]);
    assertEquals([listener.heard, listener.late, listener.futures.size], [expected, [], 1]);
  });

  behaviour(kind, ".with({ onReport }) gets what a task has reported before its worker ended", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (const to of [5, 500]) {
      const listener = new Listener();
      const error = await errorOf(executor.with(listener.options).submit(reportAndExit, to));
      assert(error instanceof WorkerLostError);
      assertEquals([listener.heard, listener.late], [upTo(to), []]);
    }
    assertEquals(await executor.submit(square, 3), 9);
  });

  behaviour(kind, ".with({ onReport }) hears nothing after a call was stopped while it reported", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const timed = new Listener();
    const options = { ...timed.options, timeout: 50 };
    await assertRejects(() => executor.with(options).submit(reportForever).result(), TaskTimeoutError);
    const aborted = new Listener(), controller = new AbortController();
    const onReport = (value: unknown, future: Future<unknown>) => {
      aborted.onReport(value, future);
      controller.abort(new Error("enough"));
    };
    const stopped = executor.with({ onReport, signal: controller.signal, grace: 0 }).submit(reportForever);
    assertMatch(String(await errorOf(stopped)), /enough/);
    assertEquals(await executor.submit(square, 3), 9);
    assert(aborted.heard.length > 0);
    for (const { heard, late } of [timed, aborted]) assertEquals([heard, late], [upTo(heard.length), []]);
  });

  for (const how of ["timeout", "signal", "terminateWorkers", "killWorkers"] as const) {
    behaviour(kind, `.with({ onReport }) can stop a task that reports without an await: ${how}`, async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const controller = new AbortController(), listener = new Listener();
      await executor.submit(reportMany, 1); // its module is loaded
      const future = executor.with({
        ...listener.options,
        grace: 10,
        ...(how === "timeout" && { timeout: 200 }),
        ...(how === "signal" && { signal: controller.signal }),
      }).submit(reportWithoutAwait, gate.folder);
      await until("it reports, or was stopped", () => listener.heard.length > 0 || future.done());
      // What stops it comes from a timer of the program, which has to fire meanwhile.
      for (let n = 0; n < 10; n++) await new Promise((resolve) => setTimeout(resolve, 1));
      if (how === "signal") controller.abort(new Error("enough"));
      else if (how !== "timeout") executor[how]();
      const expected = { timeout: /TaskTimeoutError/, signal: /enough/ }[how as string] ?? /WorkerLostError/;
      assertMatch(String(await errorOf(future)), expected);
      await executor.shutdown();
      const expectedReports = listener.heard.map((_, n) => n % 5 === 0 ? n : { n });
      assertEquals([listener.heard, listener.late], [expectedReports, []]);
      assertStrictEquals(executor.stats().abandoned, 0, "its worker has ended");
    });
  }

  behaviour(kind, ".with({ onReport }) loses nothing while the program is busy", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const listener = new Listener(), nothing = new Int32Array(new SharedArrayBuffer(4));
    const onReport = (value: unknown, future: Future<unknown>) => {
      if (listener.heard.length % 1000 === 0) Atomics.wait(nothing, 0, 0, 50); // this thread does nothing else
      listener.onReport(value, future);
    };
    assertEquals(await executor.with({ onReport }).submit(reportMany, 5000), 5000);
    assertEquals([listener.heard, listener.late], [upTo(5000).map((n) => n % 5 === 0 ? n : { n }), []]);
  });

  behaviour(kind, ".with({ onReport }) that is slow lets timers of the program through", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const listener = new Listener(), between: number[] = [];
    const onReport = (value: unknown, future: Future<unknown>) => {
      listener.onReport(value, future);
      for (const end = performance.now() + 0.1; performance.now() < end;);
    };
    const timer = setInterval(() => between.push(listener.heard.length), 1);
    try {
      // They come in messages of 1,024, each of which would take 100 ms.
      assertEquals(await executor.with({ onReport }).submit(count, 4000), 4000);
    } finally {
      clearInterval(timer);
    }
    assertEquals([listener.heard, listener.late], [upTo(4000), []]);
    const most = Math.max(...[...between, 4000].map((heard, i) => heard - (between[i - 1] ?? 0)));
    assert(most < 700, `${most} reports came between two timers`);
  });

  behaviour(kind, ".with({ onReport }) may end the executor in its callback", async (Executor) => {
    for (const end of ["killWorkers", "terminateWorkers"] as const) {
      const executor = new Executor({ maxWorkers: 1 });
      const listener = new Listener();
      const onReport = (value: unknown, future: Future<unknown>) => {
        listener.onReport(value, future);
        executor[end]();
      };
      const future = executor.with({ onReport }).submit(reportForever);
      assert(await errorOf(future) instanceof WorkerLostError);
      await executor.shutdown();
      assertEquals([listener.heard, listener.late], [upTo(listener.heard.length), []]);
    }
  });

  behaviour(kind, ".with({ onReport }) may submit and wait for calls in its callback", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const inner: Promise<number>[] = [];
    const onReport = (n: number) => void inner.push(executor.submit(square, n).result());
    await executor.with({ onReport }).submit(countSlowly, 5);
    assertEquals(await Promise.all(inner), [0, 1, 4, 9, 16]);
  });

  behaviour(kind, ".with({ onReport }) hears nothing of a Future that was settled otherwise", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const listener = new Listener();
    const onReport = (value: unknown, future: Future<unknown>) => {
      listener.onReport(value, future);
      if (value === 2) future.setResult("enough");
    };
    assertStrictEquals(await executor.with({ onReport }).submit(count, 100) as unknown, "enough");
    await executor.submit(square, 1);
    assertEquals([listener.heard, listener.late], [[0, 1, 2], []]);
  });

  behaviour(kind, " ignores what an initializer reports", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, initializer: reportNothing });
    const listener = new Listener();
    assertEquals(await executor.with(listener.options).submit(count, 1), 1);
    assertEquals(listener.heard, [0]);
  });

  behaviour(
    kind,
    ".with({ onReport }) hears nothing of a call that is cancelled before it begins",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const listener = new Listener();
      const first = executor.submit(hold, gate.folder, 1);
      await gate.noted();
      const second = executor.with(listener.options).submit(count, 3);
      assert(second.cancel());
      gate.open();
      await first;
      await executor.submit(square, 1);
      assertEquals([listener.heard, listener.late], [[], []]);
    },
  );

  behaviour(kind, ".with() refuses an onReport that is no function", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (const [bad, shown] of [[1, "1"], ["log", '"log"'], [null, "null"], [{}, "an object"]]) {
      assertError(assertThrows(() => executor.with({ onReport: bad as never })), {
        name: "TypeError",
        message: `Cannot apply options to calls as 'onReport' must be a function: received ${shown}`,
      });
    }
  });
}

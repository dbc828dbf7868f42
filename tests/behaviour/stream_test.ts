// Executor.stream(): what a generator yields in a worker, as it yields it.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { CancelledError, ShutdownError, taskModule, TaskTimeoutError, transfer, WorkerLostError } from "../../mod.ts";
import process from "node:process";
import { behaviour } from "./behaviour.ts";
import { drain } from "./cases/map.ts";
import { KINDS } from "./kinds.ts";
import { hold } from "../fixtures/tasks/gate_tasks.ts";
import * as tasks from "../fixtures/tasks/stream_tasks.ts";
import { assertError } from "../support/assert_error.ts";
import { Gate } from "../support/gate.ts";
import { until } from "../support/until.ts";

const byName = taskModule<typeof tasks>(import.meta.resolve("../fixtures/tasks/stream_tasks.ts"));

/** An async iterable that records what is done with it. */
class Tracked<T> implements AsyncIterable<T> {
  read = 0;
  closed = 0;
  readonly #items: Iterator<T>;

  constructor(items: Iterable<T>) {
    this.#items = items[Symbol.iterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        this.read++;
        return Promise.resolve(this.#items.next());
      },
      return: () => {
        this.closed++;
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }
}

function* naturals(): Generator<number> {
  for (let n = 0;; n++) yield n;
}

const hundred = Array.from({ length: 100 }, (_, n) => n);

for (const kind of KINDS) {
  behaviour(kind, ".stream() gives all that a generator yields, in order", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    for (const buffersize of [undefined, 1, 2, 3, 1000]) {
      const view = executor.with({ buffersize });
      assertEquals(await Array.fromAsync(view.stream(tasks.range, 0, 100)), hundred);
      assertEquals(await Array.fromAsync(view.stream(tasks.slowRange, 0, 100)), hundred);
      assertEquals(await Array.fromAsync(view.stream(byName.range, 0, 100)), hundred);
      assertEquals(
        await Array.fromAsync(view.stream(async function* (to: number) {
          for (let n = 0; n < to; n++) yield { n };
        }, 100)),
        hundred.map((n) => ({ n })),
      );
    }
    assertEquals(await Array.fromAsync(executor.stream(tasks.range, 0, 0)), []);
    assertEquals(executor.stats().failed, 0);
  });

  behaviour(
    kind,
    ".stream() takes whatever returns something to iterate, and awaits what it yields",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      assertEquals(await Array.fromAsync(executor.stream(() => [1, "two", null, undefined, 5n])), [
        1,
        "two",
        null,
        undefined,
        5n,
      ]);
      assertEquals(await Array.fromAsync(executor.stream(() => [Promise.resolve(1), 2])), [1, 2]);
      const error =
        (await drain(executor.stream(() => [Promise.resolve(1), Promise.reject(new RangeError("no"))]))).error;
      assertError(error, new RangeError("no"));
      for (const returned of [3, null, { length: 1 }]) {
        await assertRejects(
          // deno-lint-ignore no-explicit-any
          () => executor.stream((value: any) => value, returned).next(),
          TypeError,
          "Cannot stream a task as it must return an iterable or an async iterable",
        );
      }
      await assertRejects(
        () => executor.stream(() => ({ [Symbol.iterator]: () => ({ next: () => 3 as never }) })).next(),
        TypeError,
        "must give objects",
      );
      assertEquals(executor.stats().lost, 0);
    },
  );

  for (const [name, task] of [["a generator", tasks.noted], ["an async generator", tasks.notedAsync]] as const) {
    behaviour(
      kind,
      `.stream() pauses ${name} that is buffersize values ahead, and ends it when the loop is left`,
      async (Executor) => {
        await using executor = new Executor({ maxWorkers: 1 });
        using gate = new Gate();
        const stream = executor.with({ buffersize: 4 }).stream(task, gate.folder);
        await gate.noted(4);
        for (let n = 0; n < 20; n++) {
          assertEquals(await stream.next(), { value: n, done: false });
          await until("the task is at its yield", () => gate.notes.length >= n + 1);
          assert(gate.notes.length <= n + 1 + 4, `${gate.notes.length} values after ${n + 1} were taken`);
        }
        assertEquals(await stream.return!(), { value: undefined, done: true });
        assertEquals(gate.notes.at(-1), "finally");
        assertEquals(await stream.next(), { value: undefined, done: true });
        assertEquals(await executor.submit((n: number) => n, 1), 1);
        assertEquals([executor.stats().lost, executor.stats().workers], [0, 1]);
      },
    );

    behaviour(kind, `.stream() ends ${name} when a loop over it throws, or a block is left`, async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      await assertRejects(
        async () => {
          for await (const n of executor.stream(task, gate.folder)) if (n === 40) throw new RangeError("enough");
        },
        RangeError,
        "enough",
      );
      assertEquals(gate.notes.at(-1), "finally");
      {
        await using stream = executor.stream(task, gate.folder);
        await stream.next();
      }
      assertEquals(gate.notes.filter((line) => line === "finally").length, 2);
      await assertRejects(
        () => executor.stream(task, gate.folder).throw!(new RangeError("thrown")),
        RangeError,
        "thrown",
      );
    });
  }

  behaviour(kind, ".stream() gives what the task throws after all that it has yielded, once", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (const count of [0, 3, 100]) {
      const stream = executor.stream(tasks.failAfter, count);
      const { values, error } = await drain(stream);
      assertEquals(values, hundred.slice(0, count));
      assertError(error, new RangeError(`failed after ${count}`));
      assertEquals(await stream.next(), { value: undefined, done: true });
    }
    assertEquals(executor.stats().failed, 3);
    const unsendable = await drain(executor.stream(function* () {
      yield* [1, 2];
      yield () => {};
    }));
    assertEquals([unsendable.values, (unsendable.error as Error).name], [[1, 2], "DataCloneError"]);
    assertEquals(executor.stats().lost, 0);
  });

  behaviour(kind, ".stream() answers calls of next() that wait together in their order", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const stream = executor.stream(tasks.failAfter, 3);
    const taken = await Promise.allSettled(Array.from({ length: 6 }, () => stream.next()));
    assertEquals(taken.map((one) => one.status === "fulfilled" ? one.value.value : one.reason.message), [
      0,
      1,
      2,
      "failed after 3",
      undefined,
      undefined,
    ]);
  });

  behaviour(kind, ".stream() says at its place that the worker was lost", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const { values, error } = await drain(executor.stream(tasks.exitAfter, 20));
    assertEquals(values, hundred.slice(0, 20));
    assertEquals([(error as WorkerLostError).name, (error as WorkerLostError).exitCode], ["WorkerLostError", 7]);
    assertEquals(await Array.fromAsync(executor.stream(tasks.range, 0, 3)), [0, 1, 2]);
  });

  behaviour(kind, ".stream() with retries runs again until it has yielded something", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    assertEquals(await Array.fromAsync(executor.with({ retries: 2 }).stream(tasks.lateSuccess, 2)), [1, 2]);
    const { values, error } = await drain(executor.with({ retries: 2 }).stream(tasks.exitAfter, 2));
    assertEquals([values, (error as Error).name], [[0, 1], "WorkerLostError"]);
    assertEquals(executor.stats().lost, 2);
  });

  behaviour(
    kind,
    ".stream() with a signal ends the task, and rejects with the reason at its place",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const reason = new Error("stop"), controller = new AbortController(), { signal } = controller;
      const view = executor.with({ signal, buffersize: 2 });
      const stream = view.stream(tasks.noted, gate.folder);
      await gate.noted(2);
      const queued = view.stream(tasks.noted, gate.folder);
      controller.abort(reason);
      const { values, error } = await drain(stream);
      assertEquals(values, [0, 1]);
      assertStrictEquals(error, reason);
      assertEquals(gate.notes, ["0", "1", "finally"]);
      assertStrictEquals((await drain(queued)).error, reason);
      assertStrictEquals((await drain(view.stream(tasks.range, 0, 1))).error, reason);
      assertEquals(executor.stats().lost, 0);
    },
  );

  behaviour(
    kind,
    ".stream() tells its task by the signal that it was left, and ends the worker of a deaf one",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const listening = executor.stream(tasks.listenInStream, gate.folder);
      assertEquals(await listening.next(), { value: "listening", done: false });
      await gate.noted();
      await listening.return!();
      assertEquals(gate.notes.length, 2);
      const deaf = executor.with({ grace: 10 }).stream(tasks.deafStream);
      await deaf.next();
      const [waiting] = await Promise.all([deaf.next(), deaf.return!()]);
      assertEquals(waiting, { value: undefined, done: true });
      assertEquals(await executor.submit((n: number) => n, 2), 2);
    },
  );

  behaviour(kind, ".stream() with a timeout limits the whole run", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const { values, error } = await drain(executor.with({ timeout: 300 }).stream(tasks.yieldAndHold, gate.folder));
    assertEquals([values, error instanceof TaskTimeoutError], [["first"], true]);
  });

  behaviour(kind, ".stream() leaves before its task has begun", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const running = executor.submit(hold, gate.folder, 1);
    await gate.noted();
    const stream = executor.stream(tasks.noted, gate.folder), next = stream.next();
    await stream.return!();
    assertEquals(await next, { value: undefined, done: true });
    const cancelled = executor.stream(tasks.noted, gate.folder);
    const closed = executor.shutdown({ cancelFutures: true });
    await assertRejects(() => cancelled.next(), CancelledError);
    gate.open();
    await running;
    await closed;
    assertEquals(gate.notes, ["1"]);
    assertThrows(() => executor.stream(tasks.range, 0, 1), ShutdownError);
  });

  behaviour(kind, ".stream() rejects when its workers are killed, and what has come is there", async (Executor) => {
    const executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const stream = executor.stream(tasks.yieldAndHold, gate.folder);
    assertEquals(await stream.next(), { value: "first", done: false });
    const next = stream.next();
    executor.killWorkers();
    await assertRejects(() => next, WorkerLostError);
    assertEquals(await stream.next(), { value: undefined, done: true });
    await executor.shutdown();
  });

  behaviour(kind, ".stream() moves what transfer() marks among the values", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const [first, second, ...left] = await Array.fromAsync(executor.stream(tasks.moved));
    assertEquals([first, second], [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)]);
    assertEquals(left, kind.name === "ThreadPoolExecutor" ? [0, 0] : [8, 8]);
  });

  behaviour(
    kind,
    ".stream() copies a value when it is yielded, whatever the task does with it then",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const stream = executor.stream(function* () {
        const counter = { n: 0 };
        for (; counter.n < 5; counter.n++) yield counter;
      });
      assertEquals((await Array.fromAsync(stream)).map(({ n }) => n), [0, 1, 2, 3, 4]);
    },
  );

  behaviour(kind, ".stream() lets messages through to a generator that never pauses", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const view = executor.with({ buffersize: 2 ** 40, grace: 20_000 });
    for (const task of [tasks.noted, tasks.notedAsync]) {
      const stream = view.stream(task, gate.folder);
      assertEquals(await stream.next(), { value: 0, done: false });
      await stream.return!();
      assertEquals(gate.notes.at(-1), "finally");
    }
    assertEquals(executor.stats().lost, 0);
  });

  behaviour(kind, ".stream() pulls an async iterable among its arguments", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const words = hundred.map((n) => `word ${n}`);
    for (const buffersize of [1, 3, 16, 1000]) {
      const lines = new Tracked(words);
      const stream = executor.with({ buffersize }).stream(tasks.upper, gate.folder, lines);
      assertEquals(await Array.fromAsync(stream), words.map((word) => word.toUpperCase()));
      assertEquals([lines.read, lines.closed], [101, 0]);
    }
    const objects = words.map((text) => ({ text }));
    const both = executor.stream(tasks.catching, new Tracked(objects));
    assertEquals(await Array.fromAsync(both), objects);
    const left = new Tracked(hundred), right = new Tracked([5, 6]);
    assertEquals(await Array.fromAsync(executor.stream(tasks.pairs, left, right)), [[0, 5], [1, 6]]);
    assertEquals([left.closed, right.closed], [1, 0]);
  });

  behaviour(kind, ".stream() reads an input no more than buffersize items ahead, and closes it", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const words = new Tracked(naturals());
    const stream = executor.with({ buffersize: 2 }).stream(async function* (numbers: AsyncIterable<number>) {
      for await (const n of numbers) yield n;
    }, words);
    assertEquals(await stream.next(), { value: 0, done: false });
    await until("everything is full", () => words.read >= 5);
    // One was taken, two wait for the reader, two for the task, which may hold one at its yield.
    assert(words.read <= 6, `${words.read} items were read`);
    await stream.return!();
    assertEquals(words.closed, 1);
    const left = new Tracked(naturals());
    const goesOn = executor.stream(async function* (numbers: AsyncIterable<number>) {
      for await (const n of numbers) {
        yield n;
        break;
      }
      for (;;) yield -1;
    }, left);
    assertEquals([(await goesOn.next()).value, (await goesOn.next()).value], [0, -1]);
    await until("it is closed while its task goes on", () => left.closed === 1);
    await goesOn.return!();
    assertEquals(left.closed, 1);
    const unread = new Tracked(naturals());
    assertEquals(await Array.fromAsync(executor.stream((_: AsyncIterable<number>) => [1], unread)), [1]);
    assertEquals([unread.read, unread.closed], [0, 0]);
  });

  behaviour(kind, ".stream() leaves a task that waits for an input", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    let asked = false, closed = false;
    const never: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next() {
          asked = true;
          return new Promise(() => {});
        },
        return: () => {
          closed = true;
          return new Promise(() => {});
        },
      }),
    };
    const stream = executor.with({ grace: 20_000 }).stream(tasks.upper, gate.folder, never);
    const next = stream.next();
    await until("the task waits", () => asked);
    await stream.return!();
    assertEquals([await next, closed], [{ value: undefined, done: true }, true]);
    assertEquals(executor.stats().lost, 0);
  });

  behaviour(kind, ".stream() tells its task what an input throws, or that an item cannot be sent", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    async function* failing(): AsyncGenerator<string> {
      yield "one";
      throw new RangeError("input");
    }
    assertEquals(await Array.fromAsync(executor.stream(tasks.catching, failing())), ["one", "caught RangeError"]);
    const { values, error } = await drain(executor.stream(tasks.upper, gate.folder, failing()));
    assertEquals([values, gate.notes], [["ONE"], ["finally"]]);
    assertError(error, new RangeError("input"));
    const unsendable = new Tracked(["two", () => {}]);
    assertEquals(await Array.fromAsync(executor.stream(tasks.catching, unsendable)), ["two", "caught DataCloneError"]);
    assertEquals(unsendable.closed, 1);
  });

  behaviour(kind, ".stream() refuses what it cannot run", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    // deno-lint-ignore no-explicit-any
    assertThrows(() => executor.stream(3 as any), TypeError, "Cannot stream a task as it must be a function");
    for (const buffersize of [0, 1.5, Infinity]) {
      assertThrows(() => executor.with({ buffersize }), RangeError, "buffersize");
    }
    assertThrows(() => executor.with({ buffersize: "1" as never }), TypeError, "buffersize");
    for (const fn of [tasks.range, tasks.slowRange, function* () {}, async function* () {}]) {
      // deno-lint-ignore no-explicit-any
      const any = fn as any;
      assertThrows(() => executor.submit(any), TypeError, "a generator function has many results");
      assertThrows(() => executor.map(any, [1]), TypeError, "Use stream()");
      assertThrows(() => executor.with({ timeout: 1 }).submit(any), TypeError, "Use stream()");
    }
    assertEquals(executor.stats().workers, 0);
    // deno-lint-ignore no-explicit-any
    await assertRejects(() => executor.submit(byName.range as any, 0, 1), TypeError, "use stream()");
    assertEquals(await Array.fromAsync(executor.stream(byName.range, 0, 1)), [0]);
    // deno-lint-ignore no-explicit-any
    await assertRejects(() => executor.submit(byName.range as any, 0, 1), TypeError, "use stream()");
    const unsendable = executor.stream((_: unknown) => [1], () => {});
    assertEquals(((await drain(unsendable)).error as Error).name, "DataCloneError");
  });

  behaviour(kind, ".stream() that fails and that nobody reads is reported", async (Executor) => {
    const reports: unknown[] = [];
    const onUnobserved = (report: unknown) => reports.push(report);
    const executor = new Executor({ maxWorkers: 1, onUnobserved });
    executor.stream(tasks.failAfter, 1);
    const left = executor.stream(tasks.failAfter, 1);
    await until("it has failed", () => executor.stats().failed === 2);
    await left.return!();
    assertError((await drain(executor.stream(tasks.failAfter, 1))).error, new RangeError("failed after 1"));
    await executor.shutdown();
    assertEquals(reports.length, 1);
    assertEquals((reports[0] as { count: number }).count, 1);
  });

  behaviour(kind, ".stream() gives a task transferred inputs as they are", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const chunks = [new Uint8Array(4).fill(1), new Uint8Array(4).fill(2)];
    const inputs = new Tracked(chunks.map((chunk) => transfer(chunk, [chunk.buffer])));
    const copies = [new Uint8Array(4).fill(1), new Uint8Array(4).fill(2)];
    assertEquals(await Array.fromAsync(executor.stream(tasks.catching, inputs)), copies);
    assertEquals(chunks.map(({ length }) => length), kind.name === "ThreadPoolExecutor" ? [0, 0] : [4, 4]);
  });
}

for (const kind of KINDS) {
  behaviour(kind, ".stream() in a group ends when the block is left, and who reads on is told", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    using gate = new Gate();
    const [stream, queued] = await executor.group(async (group) => {
      const view = group.with({ buffersize: 2 });
      const both = [view.stream(tasks.noted, gate.folder), view.stream(tasks.noted, gate.folder)] as const;
      assertEquals(await both[0].next(), { value: 0, done: false });
      await gate.noted(2);
      return both;
    });
    assertEquals(gate.notes.at(-1), "finally", "the group has waited for its end");
    const { values, error } = await drain(stream);
    assertEquals(values, [1, 2].slice(0, values.length));
    assertError(error, { name: "CancelledError", message: "The block of the group of this stream() was left" });
    assert((await drain(queued)).error instanceof CancelledError);
    assertEquals(gate.notes.filter((line) => line === "0").length, 1, "what had not begun has not run");
    const { lost, failed, cancelled } = executor.stats();
    assertEquals([lost, failed, cancelled <= 1], [0, 0, true]);
    assertEquals(await executor.group((group) => Array.fromAsync(group.stream(tasks.range, 0, 3))), [0, 1, 2]);
  });

  behaviour(
    kind,
    ".stream() in a group: its reader gets its error, and the group what nobody has read",
    async (Executor) => {
      const reports: unknown[] = [];
      const executor = new Executor({ maxWorkers: 1, onUnobserved: (report) => reports.push(report) });
      await executor.group(async (group) => {
        assertError((await drain(group.stream(tasks.failAfter, 2))).error, new RangeError("failed after 2"));
      });
      let unread: AsyncIterableIterator<number>;
      const error = await assertRejects(() =>
        executor.group(async (group) => {
          unread = group.stream(tasks.failAfter, 0);
          await until("it has failed", () => executor.stats().failed === 2);
        }), RangeError);
      assertError(error, { message: "failed after 0" });
      assertStrictEquals((await drain(unread!)).error, error);
      await executor.shutdown();
      assertEquals(reports, []);
    },
  );

  behaviour(kind, ".stream() in a group inside ends with the block outside, unless its own runs", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    using gate = new Gate();
    let open: AsyncIterableIterator<number>;
    let inside: Promise<number[]> | undefined;
    const left = executor.group(async (group) => {
      open = group.group().stream(tasks.noted, gate.folder);
      inside = group.group((inner) => Array.fromAsync(inner.stream(tasks.slowRange, 0, 100)));
      await gate.noted();
    });
    await left;
    assertEquals(await inside, hundred);
    assert((await drain(open!)).error instanceof CancelledError);
    assertEquals(gate.notes.at(-1), "finally");
  });

  behaviour(kind, ".stream() begins in no group whose block was left", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    let error: unknown;
    await executor.group((group) => {
      group.submit((n: number) => n, 1).addDoneCallback(() => {
        error = assertThrows(() => group.stream(tasks.range, 0, 1), ShutdownError);
      });
    });
    assertError(error, { message: "Cannot stream a task as the block of its group was left" });
  });
}

/** How a worker ends. */
const ENDS = ["exits", "is killed", "times out", "is terminated by the executor", "is killed by the executor"] as const;

/** What the task does then. */
const PHASES = [
  "runs before its first value",
  "is paused at its yield",
  "waits for an input",
  "runs between two values",
] as const;

for (const kind of KINDS) {
  for (const phase of PHASES) {
    for (const end of ENDS) {
      if (end === "is killed" && kind.name === "ThreadPoolExecutor") continue; // it is the program's own process
      // A task that is paused does nothing by itself.
      if (end === "exits" && phase !== "runs before its first value" && phase !== "runs between two values") continue;
      behaviour(
        kind,
        `.stream() gives what has come, then an error, when its worker ${end} while it ${phase}`,
        async (Executor) => {
          const executor = new Executor({ maxWorkers: 1, onUnobserved() {} });
          let asked = false, closed = 0;
          const input: AsyncIterable<number> = {
            [Symbol.asyncIterator]: () => ({
              next() {
                asked = true;
                return new Promise<never>(() => {});
              },
              return() {
                closed++;
                return Promise.resolve({ value: undefined, done: true });
              },
            }),
          };
          const timeout = end === "times out" ? 600 : Infinity; // after the task is there, also beside other work
          const reports: unknown[] = [];
          const onReport = (value: unknown) => void reports.push(value);
          const buffersize = phase === "is paused at its yield" ? 2 : 3;
          const stream = executor.with({ buffersize, timeout, onReport }).stream(
            tasks.stage,
            phase,
            end === "exits",
            input,
          );
          const before = phase === "runs before its first value" ? 0 : 2;
          // Its process, and that it is there: what it has yielded before has come before.
          await until("the task is there", () => reports.length === 2);
          if (phase === "waits for an input") await until("the input is asked", () => asked);
          const [pid] = reports;
          if (end === "is killed") process.kill(Number(pid), "SIGKILL");
          if (end === "is terminated by the executor") executor.terminateWorkers();
          if (end === "is killed by the executor") executor.killWorkers();
          await until("the stream has ended", () => executor.stats().failed === 1);
          const { values, error } = await drain(stream);
          assertEquals(values, [0, 1].slice(0, before));
          assertEquals((error as Error).name, end === "times out" ? "TaskTimeoutError" : "WorkerLostError");
          assertEquals(await stream.next(), { value: undefined, done: true });
          assertEquals(closed, phase === "waits for an input" ? 1 : 0);
          if (!end.endsWith("by the executor")) {
            assertEquals(await Array.fromAsync(executor.stream(tasks.range, 0, 2)), [0, 1]);
          }
          await executor.shutdown();
        },
      );
    }
  }
}

// All behaviours without workers, and those that only an executor without workers has.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { currentTask, InlineExecutor, isWorker, TaskTimeoutError, ThreadPoolExecutor, transfer } from "../../mod.ts";
import { WorkerLostError } from "../../mod.ts";
import { behaviour, type Kind } from "./behaviour.ts";
import { executorCases } from "./executor_cases.ts";
import { INLINE } from "./kinds.ts";
import { assertError } from "../support/assert_error.ts";
import { Gate } from "../support/gate.ts";
import { runProgram } from "../support/run_program.ts";
import { getState, setState, workerName } from "../fixtures/tasks/worker_tasks.ts";
import { hold, note } from "../fixtures/tasks/gate_tasks.ts";
import { atHand, namesAround, spin } from "../fixtures/tasks/inline_tasks.ts";
import { until } from "../support/until.ts";

executorCases(INLINE, inlineCases);

function inlineCases(kind: Kind): void {
  behaviour(kind, ".submit() runs the very functions of this program, exported or not", async (Executor) => {
    await using executor = new Executor();
    setState("of the program");
    assertEquals(await executor.submit(getState), "of the program");
    await executor.submit(setState, "as", "loaded");
    assertEquals(getState(), "as loaded");
    assertEquals(await executor.submit(atHand), 7);
  });

  behaviour(kind, ".submit() runs tasks of a program that awaits them at its top level", async () => {
    const { stdout, stderr, code } = await runProgram("inline_top_level");
    assertEquals([stdout, stderr, code], ["49 false\n", "", 0]);
  });

  behaviour(kind, " gives the event loop its turns between calls, however many there are", async (Executor) => {
    await using executor = new Executor();
    let turns = 0, over = false;
    const count = () => {
      turns++;
      if (!over) setTimeout(count);
    };
    setTimeout(count);
    await Promise.all(Array.from({ length: 100 }, () => executor.submit(spin, 2)));
    over = true;
    assert(turns > 5, `${turns} turns`);
  });

  behaviour(
    kind,
    " begins no call in the turn that submits it, nor settles it in the turn that runs it",
    async (Executor) => {
      await using executor = new Executor();
      using gate = new Gate();
      const future = executor.submit(note, gate.folder, "runs");
      await Promise.resolve();
      assertEquals(gate.notes, []);
      assertEquals(future.done(), false);
      await future;
      assertEquals(gate.notes, ["runs"]);
    },
  );

  behaviour(kind, ": currentTask() is right in each task, and outside of tasks there is none", async (Executor) => {
    await using one = new Executor({ name: "one" });
    await using two = new Executor({ name: "two" });
    using gate = new Gate();
    const futures = [one.submit(namesAround, gate.folder), two.submit(namesAround, gate.folder)];
    await gate.noted(2);
    assertThrows(currentTask, Error, "none runs here");
    const inCallbacks: unknown[] = [];
    for (const future of futures) {
      future.addDoneCallback(() => {
        try {
          inCallbacks.push(currentTask());
        } catch (error) {
          inCallbacks.push((error as Error).message);
        }
      });
    }
    gate.open();
    assertEquals(await Promise.all(futures), [Array(3).fill("one_0"), Array(3).fill("two_0")]);
    assertEquals(inCallbacks.map((seen) => /none runs here/.test(String(seen))), [true, true]);
    assertEquals(isWorker, false);
  });

  behaviour(kind, " works inside a worker's task, and leaves that the current one there", async () => {
    await using threads = new ThreadPoolExecutor({ maxWorkers: 1, name: "threads" });
    const modules = [
      new URL("../../mod.ts", import.meta.url).href,
      new URL("../fixtures/tasks/worker_tasks.ts", import.meta.url).href,
    ];
    const names = await threads.submit(async (mod: string, tasks: string) => {
      const { InlineExecutor, currentTask } = await import(mod);
      const { workerName } = await import(tasks);
      const executor = new InlineExecutor({ name: "inline" });
      const inner = executor.submit(workerName);
      const names = [currentTask().workerName, await inner, currentTask().workerName];
      await executor.shutdown();
      return names;
    }, ...modules as [string, string]);
    assertEquals(names, ["threads_0", "inline_0", "threads_0"]);
  });

  behaviour(kind, ".submit() copies values and moves what transfer() marks, as to a thread", async (Executor) => {
    await using executor = new Executor();
    const list = [1, 2, 3];
    const copy = await executor.submit((list: number[]) => list, list);
    assertEquals(copy, list);
    assert(copy !== list);
    const bytes = new Uint8Array([1, 2, 3]);
    assertEquals(await executor.submit((bytes: Uint8Array) => bytes.length, transfer(bytes, [bytes.buffer])), 3);
    assertEquals(bytes.length, 0);
    const shared = new Int32Array(new SharedArrayBuffer(4));
    await executor.submit((shared: Int32Array) => void Atomics.add(shared, 0, 7), shared);
    assertEquals(shared[0], 7);
  });

  for (const method of ["terminateWorkers", "killWorkers"] as const) {
    behaviour(
      kind,
      `.${method}() leaves a task that awaits something alone: it goes on, for nobody`,
      async (Executor) => {
        const executor = new Executor();
        using gate = new Gate();
        const running = executor.submit(holdThenNote, gate.folder, GATE_TASKS);
        await gate.noted();
        executor[method]();
        assert(await running.exception() instanceof WorkerLostError);
        await executor.shutdown();
        assertEquals([executor.stats().abandoned, executor.stats().lost], [1, 0]);
        gate.open();
        await gate.noted(2);
      },
    );
  }

  behaviour(kind, ".with({ timeout }) ends the waiting for a task, and other calls run", async (Executor) => {
    await using executor = new Executor();
    using gate = new Gate();
    const late = executor.with({ timeout: 10 }).submit(hold, gate.folder, 0);
    const next = executor.submit(workerName);
    assert(await late.exception() instanceof TaskTimeoutError);
    assertMatch(await next, /_1$/);
    assertEquals(await executor.with({ timeout: 1 }).submit(spin, 20), 20, "nothing interrupts a synchronous task");
  });

  behaviour(kind, ".killWorkers() may be called by the task that it ends", async () => {
    const executor = new InlineExecutor();
    Object.assign(globalThis, { endIt: () => executor.killWorkers() });
    // deno-lint-ignore no-explicit-any
    const running = executor.submit(() => (globalThis as any).endIt());
    const behind = executor.submit(workerName);
    assert(await running.exception() instanceof WorkerLostError);
    assertEquals(behind.cancelled(), true);
    await executor.shutdown();
  });

  behaviour(kind, " says that a place without eval() runs tasks of modules alone", async (Executor) => {
    await using executor = new Executor();
    const { eval: original } = globalThis;
    try {
      globalThis.eval = () => {
        throw new EvalError("Code generation from strings disallowed for this context");
      };
      assertError(await assertRejects(() => executor.submit(() => 1)), {
        name: "EvalError",
        message: /may not run code from text.*use task\(\)$/,
      });
      assertEquals(await executor.submit(atHand), 7);
    } finally {
      globalThis.eval = original;
    }
  });

  behaviour(kind, " refuses options that mean nothing without workers, and says why", () => {
    const meaningless = { memoryLimit: 64, permissions: "none", worker() {}, env: {}, cwd: "/", execArgv: [] };
    for (const [name, value] of Object.entries({ ...meaningless, entry: new URL("file:///entry.ts") })) {
      assertError(assertThrows(() => new InlineExecutor({ [name]: value }), name), {
        name: "TypeError",
        message: new RegExp(`^Cannot create InlineExecutor as the option '${name}' means nothing without workers: `),
      });
    }
    // @ts-expect-error: it means nothing
    assertThrows(() => new InlineExecutor({ memoryLimit: 64 }), TypeError);
    assertStrictEquals(new InlineExecutor({ memoryLimit: undefined } as never).stats().workers, 0);
  });

  behaviour(kind, " has one loop, whatever maxWorkers says", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 4 });
    const names = await Promise.all([1, 2, 3].map(() => executor.submit(workerName)));
    assertEquals([new Set(names).size, executor.stats().workers, executor.maxWorkers], [1, 1, 1]);
  });

  behaviour(
    kind,
    " starts anew after maxTasksPerWorker and idleTimeout, and runs the initializer again",
    async (Executor) => {
      using gate = new Gate();
      await using executor = new Executor({
        maxTasksPerWorker: 2,
        idleTimeout: 1,
        initializer: note,
        initargs: [gate.folder, "initialized"],
      });
      await Promise.all([1, 2, 3].map(() => executor.submit(workerName)));
      await until("it is gone", () => executor.stats().workers === 0);
      assertEquals(gate.notes, Array(2).fill("initialized"));
      await executor.submit(workerName);
      assertEquals(gate.notes, Array(3).fill("initialized"));
    },
  );

  for (const [how, expected] of [["exit", 3], ["uncaught", 1]] as const) {
    behaviour(kind, `: a task that ends with ${how} ends the program`, async () => {
      const { stdout, code } = await runProgram("inline_ends", how);
      assertEquals([stdout, code], ["", expected]);
    });
  }

  behaviour(kind, " keeps the program alive while a call is not done, and no longer", async () => {
    const { stdout, code } = await runProgram("inline_alive");
    assertEquals([stdout, code], ["done by a timer that keeps nothing alive\n", 0]);
  });
}

const GATE_TASKS = new URL("../fixtures/tasks/gate_tasks.ts", import.meta.url).href;

async function holdThenNote(folder: string, url: string): Promise<void> {
  const { hold, note } = await import(url);
  await hold(folder, 0);
  note(folder, "goes on");
}

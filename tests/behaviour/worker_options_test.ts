// The options of workers: memoryLimit, inlineTasks, env, cwd and execArgv.

import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ProcessPoolExecutor, taskModule, WorkerLostError } from "../../mod.ts";
import type { WorkerOptions } from "../../src/pool/backend.ts";
import { processBackend } from "../../src/process/process_backend.ts";
import { runtime } from "../support/runtime.ts";
import { threadBackend } from "../../src/thread/thread_backend.ts";
import { type Failure, fromFailure } from "../../src/wire/failure.ts";
import type { FromWorker } from "../../src/wire/messages.ts";
import { behaviour } from "./behaviour.ts";
import { KINDS, PROCESSES } from "./kinds.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { keepMemory } from "../fixtures/tasks/limit_tasks.ts";
import { workerId } from "../fixtures/tasks/worker_tasks.ts";
import { within } from "../support/until.ts";
import { assertError } from "../support/assert_error.ts";

/** In MiB. More than an idle worker uses, which is about 100 for a process. */
const LIMIT = 256;

for (const kind of KINDS) {
  behaviour(
    kind,
    " replaces a worker that has outgrown memoryLimit between calls: nothing is lost",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, memoryLimit: LIMIT } as object);
      const first = await executor.submit(workerId);
      const counts: number[] = [];
      // A tenth at a time, as a call that takes all at once would meet the limit of the heap, where there is one.
      while (counts.length < 30 && (counts.length < 2 || counts.at(-1)! > 1)) {
        counts.push(await executor.submit(keepMemory, LIMIT / 10));
      }
      assertEquals(counts.at(-1), 1, `another worker has begun anew: ${counts}`);
      assert(counts.length > 3, `not before it was necessary: ${counts}`);
      assertNotStrictEquals(await executor.submit(workerId), first);
      assertEquals([executor.stats().lost, executor.stats().failed], [0, 0]);
    },
  );

  behaviour(kind, " evaluates no source with inlineTasks: false", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1, inlineTasks: false } as object);
    const refused = { name: "TypeError", message: /inline/ };
    assertError(assertThrows(() => executor.submit(() => 1)), refused);
    assertError(assertThrows(() => executor.map((n: number) => n, [1])), refused);
    assertError(assertThrows(() => new Executor({ inlineTasks: false, initializer: () => {} } as object)), refused);
    assertEquals(executor.stats().workers, 0);
    const { fn } = taskModule<{ fn(): void }>("data:text/javascript,export const fn = () => 1");
    assertError(assertThrows(() => executor.submit(fn)), {
      name: "TypeError",
      message: /a module whose URL is its source/,
    });
    assertEquals(await executor.submit(square, 3), 9);
  });
}

for (const backend of [threadBackend, processBackend]) {
  test(`A worker of ${backend.name} with inlineTasks: false evaluates no source that it is sent`, async () => {
    const limits = {
      memoryLimit: undefined,
      permissions: "inherit",
      env: undefined,
      cwd: undefined,
      execArgv: undefined,
    };
    const said: FromWorker[] = [];
    let told = () => {};
    const closed = new Promise<void>((resolve) => {
      const events = { onMessage: (message: FromWorker) => (said.push(message), told()), onClose: () => resolve() };
      const channel = backend.start("worker", limits as WorkerOptions, events);
      const claims = channel.claims?.shared;
      channel.send({
        kind: "init",
        index: 0,
        name: "worker",
        claims,
        memoryLimit: undefined,
        inlineTasks: false,
        initializer: undefined,
      });
      const module = "data:text/javascript,export const fn = () => 'evaluated'";
      const tasks = [
        [0, { kind: "source", source: "() => 'evaluated'" }],
        [1, { kind: "export", module, name: "fn" }],
      ] as const;
      const calls = [0, 0, 1, 1, 0, 1];
      channel.send({ kind: "run", tasks, calls, exact: true, attempt: undefined });
      told = () => {
        if (said.filter(({ kind }) => kind === "done").length === 2) channel.kill();
      };
    });
    await within("the worker", closed);
    const done = said.filter((message) => message.kind === "done");
    for (const { failures } of done) {
      assertMatch(
        String(fromFailure(failures![1] as Failure, new Map())),
        /TypeError: .*inline tasks are switched off/,
      );
    }
  });
}

// Bun (1.4) has no limit of the heap, and a thread of Deno (2.9) that meets its limit ends the whole program.
for (const kind of { node: KINDS, deno: [PROCESSES], bun: [] }[runtime]) {
  behaviour(
    kind,
    " ends a worker that takes more memory in one call than memoryLimit, and only it",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, memoryLimit: 128 } as object);
      const error = await executor.submit(keepMemory, 1000).exception();
      assert(error instanceof WorkerLostError, String(error));
      assertEquals(await executor.submit(square, 3), 9);
    },
  );
}

behaviour(PROCESSES, " gives its workers env, and nothing of the program's own", async () => {
  process.env.FUTURES_OWN = "own";
  try {
    const task = async (name: string) => (await import("node:process")).default.env[name];
    await using inheriting = new ProcessPoolExecutor({ maxWorkers: 1 });
    assertEquals(await inheriting.submit(task, "FUTURES_OWN"), "own");
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, FUTURES_GIVEN: "given" };
    await using given = new ProcessPoolExecutor({ maxWorkers: 1, env });
    assertEquals(await given.submit(task, "FUTURES_GIVEN"), "given");
    assertEquals(await given.submit(task, "FUTURES_OWN"), undefined);
  } finally {
    delete process.env.FUTURES_OWN;
  }
});

behaviour(PROCESSES, " starts its workers in cwd, a path or a URL", async () => {
  const folder = realpathSync(tmpdir());
  for (const cwd of [folder, pathToFileURL(folder)]) {
    await using executor = new ProcessPoolExecutor({ maxWorkers: 1, cwd });
    assertStrictEquals(await executor.submit(async () => (await import("node:process")).default.cwd()), folder);
    assertEquals(await executor.submit(square, 3), 9, "modules are found all the same");
  }
});

behaviour(PROCESSES, " starts its workers with execArgv", async () => {
  const module = new URL("../fixtures/tasks/preloaded.ts", import.meta.url);
  const execArgv = {
    deno: ["--preload", module.href],
    bun: ["--preload", fileURLToPath(module)],
    node: ["--import", module.href],
  }[runtime];
  await using executor = new ProcessPoolExecutor({ maxWorkers: 1, execArgv });
  assertEquals(await executor.submit(() => (globalThis as { preloaded?: boolean }).preloaded), true);
});

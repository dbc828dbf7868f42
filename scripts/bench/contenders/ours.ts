// On Deno the source, on Bun and Node the npm package: what the users of each run.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Future, Task } from "../../../mod.ts";
import type { Contender, TaskName } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads", "processes"];

const isDeno = "Deno" in globalThis;

type AnyTask = Task<[arg: unknown], unknown>;

/** Loaded when first asked for, and then only once, as by a program's own import. */
let loading: Promise<typeof import("../../../mod.ts")> | undefined;

export const open: Contender["open"] = async ({ workers, kind, maxTasksPerWorker, blocks }) => {
  loading ??= load(isDeno ? "../../../mod.ts" : "@concurrent/futures");
  const sync = blocks ? await loadSync() : undefined;
  const { asCompleted, ProcessPoolExecutor, taskModule, ThreadPoolExecutor, transfer, wait } = await loading;
  const Executor = kind === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor;
  const executor = new Executor({ maxWorkers: workers, maxTasksPerWorker });
  // The workers import the module of the tasks, as those of the other pools do.
  const tasks = taskModule<typeof import("./tasks.js")>(here("tasks.js")) as unknown as Record<TaskName, AnyTask>;
  const moving = taskModule<typeof import("./workers/ours.ts")>(
    here(isDeno ? "workers/ours.ts" : "workers/ours_npm.js"),
  );
  return {
    submit: (task, arg) => executor.submit(tasks[task], arg),
    async map(task, items, buffersize) {
      let last: unknown;
      const results = buffersize === undefined
        ? executor.map(tasks[task], items)
        : executor.map(tasks[task], items, { buffersize });
      for await (const result of results) last = result;
      return last;
    },
    async stream(task, arg, buffersize) {
      let last: unknown;
      for await (const value of executor.with({ buffersize }).stream(tasks[task] as never, arg as never)) last = value;
      return last;
    },
    wait: (calls) => wait(calls as Future<unknown>[]),
    asCompleted: (calls) => asCompleted(calls as Future<unknown>[]),
    ...(sync && {
      submitSync: (task: TaskName, arg: unknown) => sync.resultSync(executor.submit(tasks[task], arg)),
      waitSync: (calls: readonly PromiseLike<unknown>[]) => sync.waitSync(calls as Future<unknown>[]).done.size,
    }),
    incrementOfModule: async (n) => executor.submit((await loadMarked()).increment, n),
    ...(kind === "threads" && {
      move: (bytes: Uint8Array) => executor.submit(moving.giveBack, transfer(bytes, [bytes.buffer as ArrayBuffer])),
    }),
    close: () => executor.shutdown(),
  };
};

/** Before any worker starts. */
function loadSync(): Promise<typeof import("../../../src/sync/mod.ts")> {
  return load(isDeno ? "../../../src/sync/mod.ts" : "@concurrent/futures/sync");
}

/** Not with the first pool, which does not need it. */
function loadMarked(): Promise<typeof import("./workers/ours_task.ts")> {
  return load(here(isDeno ? "workers/ours_task.ts" : "workers/ours_task_npm.js").href);
}

/** Installs the built npm package beside the others, where a user would have it. */
export function installNpm(npm: string): void {
  const folder = join(import.meta.dirname!, "node_modules/@concurrent/futures");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["esm", "package.json"]) cpSync(join(npm, name), join(folder, name), { recursive: true });
}

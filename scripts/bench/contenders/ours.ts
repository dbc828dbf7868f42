// On Deno the source, on Bun and Node the npm package: what the users of each run.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";
import * as tasks from "./tasks.js";

export const kinds: Contender["kinds"] = ["threads", "processes"];

const isDeno = "Deno" in globalThis;

/** Loaded when first asked for, and then only once, as by a program's own import. */
let loading: Promise<typeof import("../../../mod.ts")> | undefined;

export const open: Contender["open"] = async ({ workers, kind }) => {
  loading ??= load(isDeno ? "../../../mod.ts" : "@concurrent/futures");
  const { ProcessPoolExecutor, taskModule, ThreadPoolExecutor, transfer } = await loading;
  const Executor = kind === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor;
  const executor = new Executor({ maxWorkers: workers });
  const moving = taskModule<typeof import("./workers/ours.ts")>(
    here(isDeno ? "workers/ours.ts" : "workers/ours_npm.js"),
  );
  return {
    submit: (task, arg) => executor.submit(tasks[task] as (arg: unknown) => unknown, arg),
    async map(task, items) {
      let last: unknown;
      for await (const result of executor.map(tasks[task] as (arg: unknown) => unknown, items)) last = result;
      return last;
    },
    incrementOfModule: async (n) => executor.submit((await loadMarked()).increment, n),
    ...(kind === "threads" && {
      move: (bytes: Uint8Array) => executor.submit(moving.giveBack, transfer(bytes, [bytes.buffer as ArrayBuffer])),
    }),
    close: () => executor.shutdown(),
  };
};

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

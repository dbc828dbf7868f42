// On Node the npm package, on Deno and Bun the source: what the users of each run.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";
import * as tasks from "./tasks.js";

export const kinds: Contender["kinds"] = ["threads", "processes"];

const isNode = !("Deno" in globalThis || "Bun" in globalThis);

export const open: Contender["open"] = async ({ workers, kind }) => {
  const futures: typeof import("../../../mod.ts") = await load(isNode ? "@concurrent/futures" : "../../../mod.ts");
  const { ProcessPoolExecutor, taskModule, ThreadPoolExecutor, transfer } = futures;
  const Executor = kind === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor;
  const executor = new Executor({ maxWorkers: workers });
  const moving = taskModule<typeof import("./workers/ours.ts")>(
    here(isNode ? "workers/ours_npm.js" : "workers/ours.ts"),
  );
  return {
    submit: (task, arg) => executor.submit(tasks[task] as (arg: unknown) => unknown, arg),
    async map(task, items) {
      let last: unknown;
      for await (const result of executor.map(tasks[task] as (arg: unknown) => unknown, items)) last = result;
      return last;
    },
    ...(kind === "threads" && {
      move: (bytes: Uint8Array) => executor.submit(moving.giveBack, transfer(bytes, [bytes.buffer as ArrayBuffer])),
    }),
    close: () => executor.shutdown(),
  };
};

/** Installs the built npm package beside the others, where a user would have it. */
export function installNpm(npm: string): void {
  const folder = join(import.meta.dirname!, "node_modules/@concurrent/futures");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["esm", "package.json"]) cpSync(join(npm, name), join(folder, name), { recursive: true });
}

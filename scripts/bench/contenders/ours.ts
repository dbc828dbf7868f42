import { ProcessPoolExecutor, taskModule, ThreadPoolExecutor, transfer } from "../../../mod.ts";
import type { Contender } from "../contender.ts";
import { here } from "./load.ts";
import * as tasks from "./tasks.js";

export const kinds: Contender["kinds"] = ["threads", "processes"];

const moving = taskModule<typeof import("./workers/ours.ts")>(here("workers/ours.ts"));

export const open: Contender["open"] = ({ workers, kind }) => {
  const Executor = kind === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor;
  const executor = new Executor({ maxWorkers: workers });
  return Promise.resolve({
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
  });
};

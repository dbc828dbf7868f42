import { fileURLToPath } from "node:url";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads", "processes"];

export const open: Contender["open"] = async ({ workers, kind }) => {
  const { default: workerpool } = await load("workerpool");
  const pool = workerpool.pool(fileURLToPath(here("workers/workerpool.js")), {
    minWorkers: workers,
    maxWorkers: workers,
    workerType: kind === "threads" ? "thread" : "process",
  });
  return {
    submit: (task, arg) => pool.exec(task, [arg]),
    ...(kind === "threads" && {
      move: (bytes: Uint8Array) => pool.exec("giveBack", [bytes], { transfer: [bytes.buffer] }),
    }),
    close: () => pool.terminate(),
  };
};

import { fileURLToPath } from "node:url";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";
import * as tasks from "./tasks.js";

export const kinds: Contender["kinds"] = ["threads", "processes"];

export const open: Contender["open"] = async ({ workers, kind }) => {
  const { Worker } = await load("jest-worker");
  const pool = new Worker(fileURLToPath(here("tasks.js")), {
    numWorkers: workers,
    enableWorkerThreads: kind === "threads",
    exposedMethods: Object.keys(tasks),
  });
  return {
    submit: (task, arg) => pool[task](arg),
    close: () => pool.end(),
  };
};

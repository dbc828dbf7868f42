import { fileURLToPath } from "node:url";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads", "processes"];

export const open: Contender["open"] = async ({ workers, kind }) => {
  const { FixedClusterPool, FixedThreadPool } = await load("poolifier");
  const pool = kind === "threads"
    ? new FixedThreadPool(workers, fileURLToPath(here("workers/poolifier_thread.js")))
    : new FixedClusterPool(workers, fileURLToPath(here("workers/poolifier_process.js")));
  return {
    submit: (task, arg) => pool.execute(arg, task),
    close: () => pool.destroy(),
  };
};

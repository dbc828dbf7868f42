import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads", "processes"];

export const open: Contender["open"] = async ({ workers, kind }) => {
  const { Tinypool } = await load("tinypool");
  const pool = new Tinypool({
    filename: here("tasks.js").href,
    runtime: kind === "threads" ? "worker_threads" : "child_process",
    minThreads: workers,
    maxThreads: workers,
  });
  return {
    submit: (task, arg) => pool.run(arg, { name: task }),
    close: () => pool.destroy(),
  };
};

import type { Contender } from "../contender.ts";
import { load } from "./load.ts";
import * as tasks from "./tasks.js";

export const kinds: Contender["kinds"] = ["threads"];

export const open: Contender["open"] = async ({ workers }) => {
  const { initRuntime, move, shutdown, spawn } = await load("multithreading");
  initRuntime({ maxWorkers: workers });
  const run = async (fn: unknown, arg: unknown) => {
    const { ok, value, error } = await spawn(move(arg), fn).join();
    if (!ok) throw error;
    return value;
  };
  // A function must not be called again on a worker that is still loading it: version 0.3.52 fails then.
  for (const fn of [tasks.increment, tasks.work, tasks.brief]) {
    await Promise.all(Array.from({ length: workers }, () => run(fn, 0)));
  }
  return {
    submit: (task, arg) => run(tasks[task], arg),
    close: () => shutdown(),
  };
};

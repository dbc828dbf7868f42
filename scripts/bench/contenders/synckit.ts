// A function that blocks until a worker has called another one: it is no pool, and has one worker for each function.

import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads"];

export const cases: Contender["cases"] = ["blocking"];

export const open: Contender["open"] = async () => {
  const { createSyncFn } = await load("synckit");
  const call = createSyncFn(here("workers/synckit.js"));
  const submitSync = (task: string, arg: unknown) => call(task, arg);
  return { submitSync, submit: async (task, arg) => await submitSync(task, arg), close() {} };
};

// How a thread of Node is started: with the flags of the program, but for what would start it wrongly.

import process from "node:process";
import type { Worker, WorkerOptions } from "node:worker_threads";
import { type Flag, joinFlags, type ThreadFlags, threadFlags } from "../flags.ts";

/**
 * Starts a thread.
 *
 * @param options How it is started.
 * @param start Starts it.
 * @returns The thread. Throws when there can be none, and says what to do.
 */
export function startWithFlags(options: WorkerOptions, start: (options: WorkerOptions) => Worker): Worker {
  try {
    return startWith(threadFlags());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_ACCESS_DENIED") throw error;
    throw new Error("Node is not allowed to start a thread: add --allow-worker to --permission", { cause: error });
  }

  function startWith(flags: ThreadFlags | undefined): Worker {
    if (!flags) return start(options);
    const [execArgv, nodeOptions] = flags;
    try {
      const env = { ...process.env, NODE_OPTIONS: joinFlags(nodeOptions) };
      return start({ ...options, execArgv: execArgv.flat(), env });
    } catch (error) {
      // Node (20, 24) refuses those that a whole process has, and all its threads with it.
      const refused = /^Initiated Worker with invalid .*?: (.*)$/.exec((error as Error).message)?.[1]?.split(", ");
      const isTaken = ([name]: Flag) => !refused?.includes(name!);
      const rest = [execArgv.filter(isTaken), nodeOptions.filter(isTaken)] as const;
      if (String(rest) === String(flags)) throw error;
      return startWith(rest);
    }
  }
}

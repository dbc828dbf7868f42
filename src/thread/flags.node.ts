// Starts threads of Node with the flags of the program, except for those with which a thread would start wrongly.

import type { Worker, WorkerOptions } from "node:worker_threads";
import { type Flag, joinFlags, type ThreadFlags, threadFlags } from "../flags.ts";
import { process } from "../runtime.ts";

/**
 * Starts a thread.
 *
 * @param options Its options, without flags.
 * @param start Starts it with the options it is given.
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
      // Node (20, 24) refuses flags that apply to a whole process, threads included: it starts without them.
      const refused = /^Initiated Worker with invalid .*?: (.*)$/.exec((error as Error).message)?.[1]?.split(", ");
      const isTaken = ([name]: Flag) => !refused?.includes(name!);
      const rest = [execArgv.filter(isTaken), nodeOptions.filter(isTaken)] as const;
      if (String(rest) === String(flags)) throw error;
      return startWith(rest);
    }
  }
}

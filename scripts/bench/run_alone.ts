// Runs what is measured: when it is over, or takes too long, none of it is left. Contenders leave workers behind when they
// hang, which would disturb what is measured next.

import process from "node:process";
import { run, type RunResult } from "../run.ts";

/** Runs a program, and all that it starts, for `limit` milliseconds at most. */
export function runAlone(command: string, args: readonly string[], limit: number): Promise<RunResult> {
  return run(command, args, { env: { ...process.env, NO_COLOR: "1" }, timeout: limit, group: true });
}

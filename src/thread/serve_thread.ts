// What both entries of a thread do.

import process from "node:process";
import type { Open } from "../wire/channel.ts";
import { serve } from "../worker/main.ts";

/**
 * Serves the parent from a thread.
 *
 * @param open Opens the line to it.
 * @param beforeEnd Calls a function when the thread is about to end by its own will.
 */
export function serveThread(open: Open, beforeEnd: (fn: (exitCode: number) => void) => void): void {
  const { end } = serve({ open, clone: structuredClone, memory: () => process.memoryUsage().heapUsed });
  beforeEnd(end);
}

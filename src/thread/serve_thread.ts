// What both entries of a thread do.

import type { Open } from "../wire/channel.ts";
import { serve } from "../worker/main.ts";

/**
 * Serves the parent from a thread.
 *
 * @param open Opens the line to it.
 * @param beforeEnd Calls a function when the thread is about to end by its own will.
 */
export function serveThread(open: Open, beforeEnd: (fn: (exitCode: number) => void) => void): void {
  const { end } = serve({ open, clone: structuredClone, memory: heapUsed });
  beforeEnd(end);
}

interface Realm {
  readonly Deno?: { memoryUsage(): { heapUsed: number } };
  readonly process: { memoryUsage(): { heapUsed: number } };
}

/** Asked of globals, and not before somebody wants to know: importing `node:process` doubles a thread's start on Deno. */
function heapUsed(): number {
  const realm = globalThis as unknown as Realm;
  return (realm.Deno ?? realm.process).memoryUsage().heapUsed;
}

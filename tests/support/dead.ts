// The end of a process. The system acts on a signal some 0.1 ms after it was sent (Linux, seen from Node 24 and Deno 2.9).

import { readFileSync } from "node:fs";
import process from "node:process";

/** Blocks until a process that was sent a deadly signal does nothing any more. On Linux only: nothing else tells at once. */
export function blockUntilDead(pid: number): void {
  while (process.platform === "linux" && isRunning(pid));
}

/** Whether a process has not ended. One that has is a zombie until its parent looks. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

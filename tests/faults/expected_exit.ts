// The exit code and the signal that a WorkerLostError must name.

import { runtime } from "../support/runtime.ts";
import type { Kind } from "../behaviour/behaviour.ts";
import type { Fault } from "./table.ts";

/** How a worker ends by a fault. */
export function expectedExit(
  { way, end }: Fault,
  kind: Kind,
): { exitCode: number | undefined; signal: string | undefined } {
  const code = (exitCode?: number) => ({ exitCode, signal: undefined });
  const signal = (signal: string) => ({ exitCode: undefined, signal });
  switch (way === "loop" ? end : way) {
    case "exit":
    case "Deno.exit":
      return code(7);
    case "close":
      return code(0);
    case "timer":
    case "rejection":
      return code(1);
    case "memory":
      return kind.sharesMemory ? code(1) : signal(runtime === "deno" ? "SIGTRAP" : "SIGABRT");
    case "abort":
    case "SIGABRT":
      return signal("SIGABRT");
    case "SIGTERM":
      return signal("SIGTERM");
    case "SIGKILL":
      return signal("SIGKILL");
    case "terminateWorkers":
    case "killWorkers":
      if (!kind.sharesMemory) return signal(end === "killWorkers" ? "SIGKILL" : "SIGTERM");
      // Deno (2.9) cannot stop a thread that does not listen, and knows no exit code.
      return code({ deno: undefined, bun: 0, node: 1 }[runtime]);
  }
  throw new Error(`Nobody loses a worker by ${way}`);
}

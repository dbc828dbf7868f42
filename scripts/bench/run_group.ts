// Runs a program together with all that it starts: when it is over, or takes too long, none of it is left. Contenders
// leave workers behind when they hang, which would disturb what is measured next.

import { spawn } from "node:child_process";
import process from "node:process";

/** How a program ended. */
export interface GroupResult {
  /** `undefined` when it was ended as it took too long. */
  readonly code: number | undefined;
  /** What it printed. */
  readonly output: string;
}

/** Runs a program for `limit` milliseconds at most. */
export function runGroup(command: string, args: readonly string[], limit: number): Promise<GroupResult> {
  // Its process group has its own number: the group is ended by that. Windows has no such groups.
  const isGroup = process.platform !== "win32";
  const child = spawn(command, args, {
    detached: isGroup,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  return new Promise((resolve) => {
    let late = false;
    const end = () => {
      try {
        if (isGroup) process.kill(-child.pid!, "SIGKILL");
        else child.kill("SIGKILL");
      } catch {
        // Nothing of it is left.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limit);
    child.on("exit", end);
    child.on("error", (error) => output += error.message);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? undefined : code ?? 1, output });
    });
  });
}

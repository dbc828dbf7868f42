// Runs a program to its end and returns what it printed: every script here starts programs through this.

import { spawn } from "node:child_process";
import process from "node:process";

/** How {@linkcode run} starts a program. */
export interface RunOptions {
  /** Its working folder. */
  cwd?: string;
  /** Its whole environment (default: this one's). */
  env?: Record<string, string | undefined>;
  /** It is killed after so many milliseconds, and has failed then. */
  timeout?: number;
  /** Called with each piece of what it prints. */
  onOutput?: (text: string) => void;
}

/** How a program ended. */
export interface RunResult {
  /** The exit code: 0 is success, a program ended by a signal has 1. */
  code: number;
  /** stdout and stderr, in the order in which they arrived. */
  output: string;
}

/** Runs `command` and resolves when it has ended, whichever way. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd, env = process.env, timeout, onOutput } = options;
  return new Promise((resolve) => {
    // On Windows npm is a .cmd file, which only a shell can start.
    const shell = process.platform === "win32" && command === "npm";
    const child = spawn(command, args, { cwd, env, shell, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        onOutput?.(text);
      });
    }
    const timer = timeout && setTimeout(() => {
      output += `\nKilled as it had not ended after ${timeout / 1000} s\n`;
      child.kill("SIGKILL");
    }, timeout);
    const end = (code: number) => {
      clearTimeout(timer);
      resolve({ code, output });
    };
    child.on("error", (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.on("close", (code) => end(code ?? 1));
    // A process which it left behind keeps the pipes open, so that "close" would not come.
    child.on("exit", (code) => setTimeout(end, 2_000, code ?? 1));
  });
}

/** Runs `command` and returns what it printed. Throws with that text when it fails. */
export async function mustRun(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, output } = await run(command, args, options);
  if (code !== 0) {
    throw new Error(`Cannot go on as this failed with exit code ${code}: ${command} ${args.join(" ")}\n${output}`);
  }
  return output;
}

// Runs programs: every script and test that starts a program starts it through this.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/** How a program is started. */
export interface RunOptions {
  /** Its working folder. */
  readonly cwd?: string;
  /** Its whole environment (default: this one's). */
  readonly env?: Record<string, string | undefined>;
  /** Kills it after this many milliseconds; the run has failed then. */
  readonly timeout?: number;
  /**
   * Gives it a process group of its own, and kills the whole group when the program has ended: nothing that it started
   * stays behind. Windows has no process groups; there, only the program itself is killed, on a timeout.
   */
  readonly group?: boolean;
  /** Is called with each piece of what it prints, in the order of arrival. */
  readonly onOutput?: (text: string, stream: "stdout" | "stderr") => void;
}

/** How a program ended, and what it printed. */
export interface RunResult {
  /** The exit code: 0 is success, 127 a program that could not be started, `null` one that a signal ended. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it was killed for its `timeout`. */
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout and stderr, in the order of arrival. */
  readonly output: string;
}

/** A program that runs. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Resolves when the program has ended, whichever way. */
  readonly ended: Promise<RunResult>;
}

/**
 * How long its output may stay open after a program has ended, in milliseconds: a process that it left behind can hold
 * the pipes open for ever.
 */
const PIPES_LIMIT = 2_000;

/** Starts `command`. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): RunningProgram {
  const { cwd, env = process.env, timeout, onOutput } = options;
  const group = options.group === true && process.platform !== "win32";
  // On Windows npm is a .cmd file, which only a shell can start.
  const shell = process.platform === "win32" && command === "npm";
  const child = spawn(command, args, { cwd, env, shell, detached: group, stdio: ["ignore", "pipe", "pipe"] });
  const printed = { stdout: "", stderr: "", output: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      printed[name] += text;
      printed.output += text;
      onOutput?.(text, name);
    });
  }
  const kill = () => {
    if (!group) return child.kill("SIGKILL");
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // Nothing of the group is left.
    }
  };
  const ended = new Promise<RunResult>((resolve) => {
    let timedOut = false, pipes: ReturnType<typeof setTimeout> | undefined;
    const timer = timeout === undefined ? undefined : setTimeout(() => {
      timedOut = true;
      printed.output += `\nKilled as it had not ended after ${timeout / 1000} s\n`;
      kill();
    }, timeout);
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      clearTimeout(pipes);
      resolve({ code, signal, timedOut, ...printed });
    };
    child.on("error", (error) => {
      printed.output += `${error.message}\n`;
      end(127, null);
    });
    child.on("close", end);
    child.on("exit", (code, signal) => {
      if (group) kill();
      pipes = setTimeout(end, PIPES_LIMIT, code, signal);
    });
  });
  return { child, ended };
}

/** Runs `command` and resolves when it has ended, whichever way. */
export function run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return start(command, args, options).ended;
}

/** Runs `command` and returns what it printed. Throws with that text when it fails. */
export async function mustRun(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`Cannot go on as this ${describeEnd(result)}: ${command} ${args.join(" ")}\n${result.output}`);
  }
  return result.output;
}

/** How a program ended, in words: "failed with exit code 1". */
export function describeEnd({ code, signal, timedOut }: RunResult): string {
  if (timedOut) return "did not end in time";
  if (code === null) return `was ended by ${signal ?? "a signal"}`;
  return code === 0 ? "ended with exit code 0" : `failed with exit code ${code}`;
}

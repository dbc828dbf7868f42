// Runs a program of tests/fixtures/programs/ with this runtime, to its end.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { within } from "./until.ts";

/** A program that runs. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Resolves when it has ended by itself; a program that does not is killed, and this fails. */
  readonly ended: Promise<Ended>;
}

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/** How a program is started. */
export interface ProgramOptions {
  /** What Deno is to be given; everything, by default. */
  readonly flags?: readonly string[];
  /** Whether it has a process group of its own, as a program that is started from a terminal. */
  readonly detached?: boolean;
}

/** Starts a program. `onOutput` is called with what it has written so far. */
export function startProgram(
  name: string,
  args: readonly string[],
  onOutput?: (stdout: string) => void,
  { flags: given = ["-A"], detached = false }: ProgramOptions = {},
): RunningProgram {
  const flags = "Deno" in globalThis ? ["run", ...given] : [];
  const file = fileURLToPath(new URL(`../fixtures/programs/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [...flags, file, ...args], { stdio: ["ignore", "pipe", "pipe"], detached });
  let stdout = "", stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => onOutput?.(stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  const closed = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ stdout, stderr, code, signal }));
  });
  const ended = within(`The program ${name} ${args.join(" ")}`, closed).finally(() => child.kill("SIGKILL"));
  return { child, ended };
}

/** Runs a program to its end. */
export function runProgram(name: string, ...args: readonly string[]): Promise<Ended> {
  return startProgram(name, args, () => {}).ended;
}

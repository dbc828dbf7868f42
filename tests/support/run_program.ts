// Runs a program of tests/fixtures/programs/ with this runtime, to its end.

import process from "node:process";
import { fileURLToPath } from "node:url";
import { type RunningProgram, type RunResult, start } from "../../scripts/run.ts";
import { within } from "./until.ts";

/** How a program is started. */
export interface ProgramOptions {
  /** What Deno is to be given; everything, by default. */
  readonly flags?: readonly string[];
  /** Whether it has a process group of its own, as a program that is started from a terminal. */
  readonly group?: boolean;
}

/**
 * Starts a program. `onOutput` is called with what it has written so far. `ended` resolves when it has ended by itself; a
 * program that does not is killed, and `ended` rejects.
 */
export function startProgram(
  name: string,
  args: readonly string[],
  onOutput?: (stdout: string) => void,
  { flags: given = ["-A"], group = false }: ProgramOptions = {},
): RunningProgram {
  const flags = "Deno" in globalThis ? ["run", ...given] : [];
  const file = fileURLToPath(new URL(`../fixtures/programs/${name}.ts`, import.meta.url));
  let stdout = "";
  const { child, ended } = start(process.execPath, [...flags, file, ...args], {
    group,
    onOutput: (text, stream) => stream === "stdout" && onOutput?.(stdout += text),
  });
  const what = `The program ${name} ${args.join(" ")}`;
  return { child, ended: within(what, ended).finally(() => child.kill("SIGKILL")) };
}

/** Runs a program to its end. */
export function runProgram(name: string, ...args: readonly string[]): Promise<RunResult> {
  return startProgram(name, args).ended;
}

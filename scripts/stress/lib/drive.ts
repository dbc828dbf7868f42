// Runs a program on a target and reads what it says: lines of JSON, among whatever its workers print.

import process from "node:process";
import { ROOT } from "../../install.ts";
import { describeEnd, run, type RunResult } from "../../run.ts";
import { commandOf, type Target } from "./target.ts";

/** How much of what it printed besides is shown, in characters, when it fails. */
const SHOWN = 8_000;

/**
 * Runs a program to its end.
 *
 * @param target The runtime.
 * @param args The program's file and its arguments.
 * @param limit It is killed after this many milliseconds.
 * @param onLine Is given each line of JSON that it says.
 */
export async function drive(
  target: Pick<Target, "runtime">,
  args: readonly string[],
  limit: number,
  onLine: (line: unknown) => void,
): Promise<RunResult> {
  const [command, ...flags] = await commandOf(target);
  let rest = "";
  return await run(command!, [...flags, ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
    timeout: limit,
    onOutput(text, stream) {
      if (stream === "stderr") return;
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (isSaid(line)) onLine(JSON.parse(line));
    },
  });
}

/** How a program ended, and what it printed besides: for a program that did not say what it should have. */
export function describeEnding(result: RunResult): string {
  const besides = result.output.split("\n").filter((line) => line !== "" && !isSaid(line));
  return `the program ${describeEnd(result)}\n${besides.join("\n").slice(-SHOWN)}`;
}

function isSaid(line: string): boolean {
  return line.startsWith("{");
}

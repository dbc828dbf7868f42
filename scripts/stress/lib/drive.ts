// Runs a program on a target and reads what it says: lines of JSON, among whatever its workers print.

import { spawn } from "node:child_process";
import process from "node:process";
import { ROOT } from "../../install.ts";
import { commandOf, type Target } from "./target.ts";

/** How much of what it printed besides is kept, for the case that it fails. */
const REMEMBERED = 8_000;

/** How a program ended. */
export interface Ending {
  /** `undefined`: it took too long and was ended. */
  readonly code: number | undefined;
  /** The end of what it printed besides. */
  readonly noise: string;
}

/** In words: for a program that did not say what it should have. */
export function describeEnding({ code, noise }: Ending): string {
  return `the program ${code === undefined ? "did not end" : `ended with exit code ${code}`}\n${noise}`;
}

/**
 * Runs a program to its end.
 *
 * @param target The runtime.
 * @param args The program's file and its arguments.
 * @param limit It is ended after so many milliseconds.
 * @param onLine Is given each line of JSON that it says.
 */
export async function drive(
  target: Pick<Target, "runtime">,
  args: readonly string[],
  limit: number,
  onLine: (line: unknown) => void,
): Promise<Ending> {
  const [command, ...flags] = await commandOf(target);
  const child = spawn(command!, [...flags, ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let noise = "", rest = "";
  const keep = (text: string) => noise = (noise + text).slice(-REMEMBERED);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("{")) onLine(JSON.parse(line));
      else if (line !== "") keep(`${line}\n`);
    }
  });
  child.stderr.setEncoding("utf8").on("data", keep);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, limit);
    child.on("error", (error) => keep(error.message));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? undefined : code ?? 1, noise });
    });
  });
}

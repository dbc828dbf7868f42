// Commands for programs on another runtime than the test's, such as a host on Bun for a submitter on Deno.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Runtime, runtime } from "./runtime.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node"];

/** The two other runtimes. */
export const otherRuntimes: readonly Runtime[] = RUNTIMES.filter((name) => name !== runtime);

/** The command that runs a TypeScript program. `deno task test` names the runtimes; otherwise they are looked for. */
export function runtimeCommand(name: Runtime): string[] {
  const flags = name === "deno" ? ["run", "--quiet", "--allow-all", "--no-check"] : [];
  return [name === runtime ? process.execPath : find(name), ...flags];
}

function find(name: Runtime): string {
  const given = process.env[`FUTURES_${name.toUpperCase()}`];
  if (given) return given;
  const installed = name === "deno" ? [] : [name === "bun" ? "bun/bin/bun" : "node24/bin/node"]
    .map((path) => fileURLToPath(new URL(`../../.runtimes/node_modules/${path}`, import.meta.url)));
  const found = [...installed.filter((path) => existsSync(path)), name].find((command) => answers(command));
  if (!found) throw new Error(`Cannot run this test as ${name} is not there: deno task test knows where it is`);
  return found;
}

function answers(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

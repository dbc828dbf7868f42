// What the chaos run and the soak are run on: each runtime with each backend.

import type { parseArgs } from "node:util";
import { runtimes } from "../../runtimes.ts";

export const RUNTIMES = ["deno", "bun", "node"] as const;
export const BACKENDS = ["threads", "processes"] as const;
export type Backend = typeof BACKENDS[number];

/** A runtime with a backend. */
export interface Target {
  readonly runtime: typeof RUNTIMES[number];
  readonly backend: Backend;
}

/** The options of the command line which choose targets. */
export const TARGET_OPTIONS = {
  runtime: { type: "string", multiple: true },
  backend: { type: "string", multiple: true },
} as const satisfies NonNullable<Parameters<typeof parseArgs>[0]>["options"];

/** The targets that were asked for; all when none was. */
export function chooseTargets(asked: { runtime?: string[]; backend?: string[] }): Target[] {
  const chosen = chooseRuntimes(asked.runtime);
  const backends = choose("backend", BACKENDS, asked.backend);
  return chosen.flatMap((runtime) => backends.map((backend) => ({ runtime, backend })));
}

/** The runtimes that were asked for; all when none was. */
export function chooseRuntimes(asked?: string[]): Target["runtime"][] {
  return choose("runtime", RUNTIMES, asked);
}

/** The command that runs a program on a runtime, with a garbage collector that it can call. */
export async function commandOf({ runtime }: Pick<Target, "runtime">): Promise<string[]> {
  const { deno, bun, node24 } = await runtimes();
  return {
    deno: [deno, "run", "--quiet", "--allow-all", "--no-check", "--v8-flags=--expose-gc"],
    bun: [bun],
    node: [node24, "--expose-gc"],
  }[runtime];
}

/** A number of the command line. */
export function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0)) throw new Error(`--${name} wants a number: ${text}`);
  return number;
}

function choose<T extends string>(what: string, all: readonly T[], asked: readonly string[] | undefined): T[] {
  const wanted = asked?.flatMap((names) => names.split(","));
  const unknown = wanted?.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`There is no ${what} '${unknown}': ${all.join(", ")}`);
  return all.filter((name) => wanted?.includes(name) ?? true);
}

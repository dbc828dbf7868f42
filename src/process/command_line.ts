// What a worker process is started with: the program's own flags and, on Deno, its permissions and never more.
// `child_process.fork()` of Deno (2.9) would give it all.

import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WorkerLimits } from "../executor/backend.ts";
import { runtime } from "../runtime.ts";
import { WORKER_ARGUMENT } from "../wire/place.ts";
import { permissionFlags } from "./permissions.ts";

interface DenoNamespace {
  readonly mainModule: string | undefined;
  readonly permissions: { querySync(descriptor: { name: string }): { readonly state: string } };
}

/** Flags that are about the program's own start, and would start a worker wrongly. */
const NOT_INHERITED =
  /^(-[ep]|-pe|--eval|--print|--input-type|--test.*|--watch.*|--inspect.*|--check|-c|-i|--interactive)(=|$)/;

/**
 * The arguments of the runtime that start a worker process.
 *
 * @param limits What it may use.
 * @returns The arguments. Throws when the worker would be given what this program does not have.
 */
export function commandLine({ memoryLimit, execArgv = [], permissions }: WorkerLimits): string[] {
  const entry = new URL("./entry.js", import.meta.url);
  if (runtime === "deno") {
    const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
    const heap = memoryLimit === undefined ? [] : [`--v8-flags=--max-old-space-size=${memoryLimit}`];
    const flags = [...permissionFlags("start a worker", permissions), ...configFlags(Deno), ...heap, ...execArgv];
    return ["run", "--quiet", "--no-prompt", ...flags, entry.href]; // the worker knows itself by its main module
  }
  // Bun (1.4) has no flag for the heap.
  const heap = memoryLimit === undefined || runtime === "bun" ? [] : [`--max-old-space-size=${memoryLimit}`];
  return [...inherited(process.execArgv), ...heap, ...execArgv, fileURLToPath(entry), WORKER_ARGUMENT];
}

function inherited(flags: readonly string[]): string[] {
  return flags.filter((flag, index) =>
    !NOT_INHERITED.test(flag) && !/^(-[ep]|-pe|--eval|--print)$/.test(flags[index - 1] ?? "")
  );
}

/** The program's own configuration: Deno looks for one beside the worker's entry, which is in this package. */
function configFlags({ mainModule, permissions }: DenoNamespace): string[] {
  if (permissions.querySync({ name: "read" }).state !== "granted") return [];
  // A thread has no main module, and a program may come from elsewhere.
  const start = mainModule?.startsWith("file:") ? mainModule : pathToFileURL(`${process.cwd()}/`);
  for (let folder = new URL(".", start);; folder = new URL("..", folder)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = fileURLToPath(new URL(name, folder));
      if (existsSync(config)) return ["--config", config];
    }
    if (folder.href === new URL("..", folder).href) return [];
  }
}

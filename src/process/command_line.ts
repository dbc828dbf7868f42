// What a worker process is started with: the program's own flags and, on Deno, its permissions and never more.
// `child_process.fork()` of Deno (2.9) would give it all.

import { parse, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WorkerOptions } from "../pool/backend.ts";
import { folderIsGone, inheritedFlags, ownFlags, workingFolder } from "../flags.ts";
import { loadBuiltin, runtime } from "../runtime.ts";
import { WORKER_ARGUMENT } from "../wire/place.ts";
import { permissionFlags } from "./permissions.ts";

interface DenoNamespace {
  readonly mainModule: string | undefined;
  readonly permissions: { querySync(descriptor: { name: string }): { readonly state: string } };
}

/**
 * The folder that a worker process is started in.
 *
 * @param cwd The one that is wanted.
 * @returns Its path; `undefined` when it is the program's own.
 */
export function startFolder(cwd: WorkerOptions["cwd"]): string | undefined {
  if (cwd !== undefined) return typeof cwd === "string" ? resolve(cwd) : fileURLToPath(cwd);
  return runtime === "deno" && folderIsGone() ? parse(process.execPath).root : undefined; // Deno (2.9) does not start there
}

/**
 * The arguments of the runtime that start a worker process.
 *
 * @param options What it may use.
 * @param folder Where it runs; by default, where the program does.
 * @returns The arguments. Throws when the worker would be given what this program does not have.
 */
export function commandLine(options: WorkerOptions, folder: string | undefined = workingFolder()): string[] {
  const { memoryLimit, permissions } = options;
  const execArgv = ownFlags(options.execArgv ?? [], folder);
  const entry = new URL("./entry.js", import.meta.url);
  if (runtime === "deno") {
    const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
    const heap = memoryLimit === undefined ? [] : [`--v8-flags=--max-old-space-size=${memoryLimit}`];
    const flags = [...permissionFlags("start a worker", permissions), ...configFlags(Deno), ...heap, ...execArgv];
    return ["run", "--quiet", "--no-prompt", ...flags, entry.href]; // the worker knows itself by its main module
  }
  // Bun (1.4) has no flag for the heap.
  const heap = memoryLimit === undefined || runtime === "bun" ? [] : [`--max-old-space-size=${memoryLimit}`];
  return [...inheritedFlags(folder), ...heap, ...execArgv, fileURLToPath(entry), WORKER_ARGUMENT];
}

/** The program's own configuration: Deno looks for one beside the worker's entry, which is in this package. */
function configFlags({ mainModule, permissions }: DenoNamespace): string[] {
  if (permissions.querySync({ name: "read" }).state !== "granted") return [];
  // A thread has no main module, and a program may come from elsewhere.
  const here = workingFolder();
  const start = mainModule?.startsWith("file:") ? mainModule : here && pathToFileURL(`${here}/`);
  if (!start) return [];
  const { existsSync } = loadBuiltin<typeof import("node:fs")>("node:fs");
  for (let folder = new URL(".", start);; folder = new URL("..", folder)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = fileURLToPath(new URL(name, folder));
      if (existsSync(config)) return ["--config", config];
    }
    if (folder.href === new URL("..", folder).href) return [];
  }
}

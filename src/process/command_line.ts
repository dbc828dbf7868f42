// The command line of a worker process: the program's own flags and, on Deno, at most its permissions.
// `child_process.fork()` of Deno (2.9) would grant all of them.

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
  readonly permissions: { querySync(descriptor: { name: string; path: string }): { readonly state: string } };
}

/**
 * The folder in which a worker process starts.
 *
 * @param cwd The option of the executor.
 * @returns Its path; `undefined` for the program's own folder.
 */
export function startFolder(cwd: WorkerOptions["cwd"]): string | undefined {
  if (cwd !== undefined) return typeof cwd === "string" ? resolve(cwd) : fileURLToPath(cwd);
  // Deno (2.9) starts nothing in a folder that is gone.
  return runtime === "deno" && folderIsGone() ? parse(process.execPath).root : undefined;
}

/**
 * The arguments with which the runtime starts a worker process.
 *
 * @param options What the worker may use.
 * @param folder Where it runs; by default, in the program's own folder.
 * @returns The arguments. Throws when the worker would get a permission that this program does not have.
 */
export function commandLine(options: WorkerOptions, folder: string | undefined = workingFolder()): string[] {
  const { memoryLimit, permissions } = options;
  const execArgv = ownFlags(options.execArgv ?? [], folder);
  const entry = new URL("../process/entry.js", import.meta.url);
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

/** Flags for the program's own configuration: Deno would look for one beside the worker's entry, in this package. */
function configFlags({ mainModule, permissions }: DenoNamespace): string[] {
  // A thread has no main module, and that of a program may be no file.
  const here = workingFolder();
  const start = mainModule?.startsWith("file:") ? mainModule : here && pathToFileURL(`${here}/`);
  if (!start) return [];
  const { existsSync } = loadBuiltin<typeof import("node:fs")>("node:fs");
  for (let folder = new URL(".", start);; folder = new URL("..", folder)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = fileURLToPath(new URL(name, folder));
      if (permissions.querySync({ name: "read", path: config }).state !== "granted") return [];
      if (existsSync(config)) return ["--config", config];
    }
    if (folder.href === new URL("..", folder).href) return [];
  }
}

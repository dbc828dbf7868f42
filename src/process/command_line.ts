// The command line of a worker process: the program's own flags and, on Deno, at most its permissions.
// `child_process.fork()` of Deno (2.9) would grant all of them.

import type { WorkerOptions } from "../pool/backend.ts";
import { findCompiled, findEntry, firstLines } from "../entry.ts";
import { folderIsGone, inheritedFlags, ownFlags, workingFolder } from "../flags.ts";
import { loadBuiltin, nodePath, nodeUrl, process, runtime } from "../runtime.ts";
import { OWN_WORKER_ARGUMENT, WORKER_ARGUMENT } from "../wire/place.ts";
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
  if (cwd !== undefined) return typeof cwd === "string" ? nodePath().resolve(cwd) : nodeUrl().fileURLToPath(cwd);
  // Deno (2.9) starts nothing in a folder that is gone.
  return runtime === "deno" && folderIsGone() ? nodePath().parse(process.execPath).root : undefined;
}

/**
 * Finds the file that a worker process runs.
 *
 * @param own The user's own.
 * @returns Its URL; `undefined` when there is none, and the worker has to be sent a text.
 * @throws {Error} when the user's own is not there.
 */
export function processEntry(own: URL | undefined): URL | undefined {
  if (own) {
    const file = findCompiled(own);
    if (file) return file;
    throw new Error(`Cannot start a worker process as there is no file ${own.href}, which is the 'entry'`);
  }
  return findEntry("../process/entry.js", () => new URL("../process/entry.js", import.meta.url), import.meta.url);
}

/**
 * The arguments with which the runtime starts a worker process.
 *
 * @param options What the worker may use.
 * @param entry The file that it runs, if there is one.
 * @param folder Where it runs; by default, in the program's own folder.
 * @returns The arguments. Throws when the worker would get a permission that this program does not have.
 */
export function commandLine(
  options: WorkerOptions,
  entry: URL | undefined,
  folder: string | undefined = workingFolder(),
): string[] {
  const { memoryLimit, permissions } = options;
  const execArgv = ownFlags(options.execArgv ?? [], folder);
  if (runtime === "deno") {
    const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
    const heap = memoryLimit === undefined ? [] : [`--v8-flags=--max-old-space-size=${memoryLimit}`];
    const flags = [...permissionFlags("start a worker", permissions), ...configFlags(Deno), ...heap, ...execArgv];
    const lines = `import process from "node:process";\n${firstLines("process")}`;
    const main = entry?.href ?? `data:text/javascript,${encodeURIComponent(lines)}`;
    // The worker knows itself by its main module, unless that is the user's own.
    return ["run", "--quiet", "--no-prompt", ...flags, main, ...(options.entry ? [OWN_WORKER_ARGUMENT] : [])];
  }
  // Bun (1.4) has no flag for the heap.
  const heap = memoryLimit === undefined || runtime === "bun" ? [] : [`--max-old-space-size=${memoryLimit}`];
  const main = entry
    ? [nodeUrl().fileURLToPath(entry)]
    : ["-e", firstLines("process"), ...(runtime === "node" ? ["--"] : [])];
  return [
    ...inheritedFlags(folder),
    ...heap,
    ...execArgv,
    ...main,
    options.entry ? OWN_WORKER_ARGUMENT : WORKER_ARGUMENT,
  ];
}

/** Flags for the program's own configuration: Deno would look for one beside the worker's entry, in this package. */
function configFlags({ mainModule, permissions }: DenoNamespace): string[] {
  // A thread has no main module, and that of a program may be no file.
  const here = workingFolder();
  const start = mainModule?.startsWith("file:") ? mainModule : here && nodeUrl().pathToFileURL(`${here}/`);
  if (!start) return [];
  const { existsSync } = loadBuiltin<typeof import("node:fs")>("node:fs");
  for (let folder = new URL(".", start);; folder = new URL("..", folder)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = nodeUrl().fileURLToPath(new URL(name, folder));
      if (permissions.querySync({ name: "read", path: config }).state !== "granted") return [];
      if (existsSync(config)) return ["--config", config];
    }
    if (folder.href === new URL("..", folder).href) return [];
  }
}

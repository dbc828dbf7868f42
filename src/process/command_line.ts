// What a worker process is started with: the program's own flags and, on Deno, its permissions and never more.
// `child_process.fork()` of Deno (2.9) would give it all.

import { existsSync } from "node:fs";
import { parse, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WorkerLimits, WorkerPermissions } from "../executor/backend.ts";
import { folderIsGone, inheritedFlags, ownFlags, workingFolder } from "../flags.ts";
import { runtime } from "../runtime.ts";

interface DenoNamespace {
  readonly mainModule: string | undefined;
  readonly build: { readonly standalone?: boolean };
  readonly permissions: {
    querySync(descriptor: Record<string, string>): { readonly state: string; readonly partial: boolean };
  };
}

/** Deno's permissions, and how a query names what a list of one holds. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  read: "path",
  write: "path",
  net: "host",
  env: "variable",
  sys: "kind",
  run: "command",
  ffi: "path",
  import: "host",
};

const KINDS = Object.keys(PERMISSIONS);

/**
 * The folder that a worker process is started in.
 *
 * @param cwd The one that is wanted.
 * @returns Its path; `undefined` when it is the program's own.
 */
export function startFolder(cwd: WorkerLimits["cwd"]): string | undefined {
  if (cwd !== undefined) return typeof cwd === "string" ? resolve(cwd) : fileURLToPath(cwd);
  return runtime === "deno" && folderIsGone() ? parse(process.execPath).root : undefined; // Deno (2.9) does not start there
}

/**
 * The arguments of the runtime that start a worker process.
 *
 * @param limits What it may use.
 * @param folder Where it runs; by default, where the program does.
 * @returns The arguments. Throws when the worker would be given what this program does not have.
 */
export function commandLine(limits: WorkerLimits, folder: string | undefined = workingFolder()): string[] {
  const { memoryLimit, permissions } = limits;
  const execArgv = ownFlags(limits.execArgv ?? [], folder);
  const entry = new URL("./entry.js", import.meta.url);
  if (runtime === "deno") {
    const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
    if (Deno.build.standalone) {
      throw new Error("A program of `deno compile` cannot start worker processes: use ThreadPoolExecutor");
    }
    const heap = memoryLimit === undefined ? [] : [`--v8-flags=--max-old-space-size=${memoryLimit}`];
    const flags = [...permissionFlags(Deno, permissions), ...configFlags(Deno), ...heap, ...execArgv];
    return ["run", "--quiet", "--no-prompt", ...flags, entry.href];
  }
  // Bun (1.4) has no flag for the heap.
  const heap = memoryLimit === undefined || runtime === "bun" ? [] : [`--max-old-space-size=${memoryLimit}`];
  return [...inheritedFlags(folder), ...heap, ...execArgv, fileURLToPath(entry)];
}

/**
 * What the worker is allowed, and, in so many words, what it is not: Deno's `node:child_process` (2.9) adds `--allow-all`
 * to a command line that says nothing of permissions.
 */
function permissionFlags({ permissions: own }: DenoNamespace, permissions: WorkerPermissions): string[] {
  const has = (query: Record<string, string>) => {
    const { state, partial } = own.querySync(query);
    return state === "granted" && !partial;
  };
  // What the program has only in part (for some paths or hosts) nobody can list: the worker does without it.
  if (permissions === "inherit") permissions = Object.fromEntries(KINDS.map((name) => [name, has({ name })]));
  if (permissions === "none") permissions = {};
  for (const name of Object.keys(permissions)) {
    if (!KINDS.includes(name)) throw new TypeError(`Cannot start a worker as there is no permission called '${name}'`);
  }
  return KINDS.flatMap((name) => {
    const wanted = permissions[name] ?? false;
    if (wanted === false || (wanted !== true && wanted.length === 0)) {
      // Without a flag, modules of some registries may be imported, as in the program itself.
      return name === "import" && own.querySync({ name }).state === "prompt" ? [] : [`--deny-${name}`];
    }
    const queries = wanted === true ? [{ name }] : wanted.map((value) => ({ name, [PERMISSIONS[name]!]: value }));
    if (!queries.every(has)) {
      throw new Error(`Cannot start a worker with the permission '${name}' as the program does not have it itself`);
    }
    return wanted === true ? [`--allow-${name}`] : [`--allow-${name}=${wanted.join(",")}`];
  });
}

/** The program's own configuration: Deno looks for one beside the worker's entry, which is in this package. */
function configFlags({ mainModule, permissions }: DenoNamespace): string[] {
  if (permissions.querySync({ name: "read" }).state !== "granted") return [];
  // A thread has no main module, and a program may come from elsewhere.
  const here = workingFolder();
  const start = mainModule?.startsWith("file:") ? mainModule : here && pathToFileURL(`${here}/`);
  if (!start) return [];
  for (let folder = new URL(".", start);; folder = new URL("..", folder)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = fileURLToPath(new URL(name, folder));
      if (existsSync(config)) return ["--config", config];
    }
    if (folder.href === new URL("..", folder).href) return [];
  }
}

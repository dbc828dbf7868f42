// What a worker process is started with: the program's own flags and, on Deno, its permissions and never more.
// `child_process.fork()` of Deno (2.9) would give it all.

import process from "node:process";
import { fileURLToPath } from "node:url";
import type { WorkerLimits, WorkerPermissions } from "../executor/backend.ts";
import { runtime } from "../runtime.ts";

interface DenoNamespace {
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
    const heap = memoryLimit === undefined ? [] : [`--v8-flags=--max-old-space-size=${memoryLimit}`];
    return ["run", "--quiet", "--no-prompt", ...permissionFlags(permissions), ...heap, ...execArgv, entry.href];
  }
  // Bun (1.4) has no flag for the heap.
  const heap = memoryLimit === undefined || runtime === "bun" ? [] : [`--max-old-space-size=${memoryLimit}`];
  return [...inherited(process.execArgv), ...heap, ...execArgv, fileURLToPath(entry)];
}

function inherited(flags: readonly string[]): string[] {
  return flags.filter((flag, index) =>
    !NOT_INHERITED.test(flag) && !/^(-[ep]|-pe|--eval|--print)$/.test(flags[index - 1] ?? "")
  );
}

function permissionFlags(permissions: WorkerPermissions): string[] {
  const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
  if (Deno.build.standalone) {
    throw new Error("A program of `deno compile` cannot start worker processes: use ThreadPoolExecutor");
  }
  const has = (query: Record<string, string>) => {
    const { state, partial } = Deno.permissions.querySync(query);
    return state === "granted" && !partial;
  };
  if (permissions === "none") return [];
  if (permissions === "inherit") {
    // What the program has only in part (for some paths or hosts) nobody can list: the worker does without it.
    const granted = Object.keys(PERMISSIONS).filter((name) => has({ name }));
    if (granted.length === Object.keys(PERMISSIONS).length) return ["--allow-all"];
    return granted.map((name) => `--allow-${name}`);
  }
  const flags: string[] = [];
  for (const [name, wanted] of Object.entries(permissions)) {
    const key = PERMISSIONS[name];
    if (!key) throw new TypeError(`Cannot start a worker as there is no permission called '${name}'`);
    if (wanted === false) continue;
    const queries = wanted === true ? [{ name }] : wanted.map((value) => ({ name, [key]: value }));
    if (!queries.every(has)) {
      throw new Error(`Cannot start a worker with the permission '${name}' as the program does not have it itself`);
    }
    if (wanted === true) flags.push(`--allow-${name}`);
    else if (wanted.length > 0) flags.push(`--allow-${name}=${wanted.join(",")}`);
  }
  return flags;
}

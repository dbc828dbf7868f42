// What a worker process may do on Deno: what the program may do, or less.

import type { WorkerPermissions } from "../executor/backend.ts";

/** What of Deno is asked here. */
export interface DenoPermissions {
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
 * What the worker is allowed, and, in so many words, what it is not: Deno's `node:child_process` (2.9) adds `--allow-all`
 * to a command line that says nothing of permissions.
 */
export function permissionFlags({ permissions: own }: DenoPermissions, permissions: WorkerPermissions): string[] {
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

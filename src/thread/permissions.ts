// The permissions of a thread on Deno. Whenever a thread starts, Deno compares them with the program's, and passes on the
// program's exceptions (`--deny-*`). But it prompts at a terminal for what the program does not have, takes `TOK*` for a part
// of `TOK`, and prefers a rule with a port to an exception without one, so that `*.example.com:443` would open an excepted
// `a.example.com` (2.9). So this asks Deno first.

import type { WorkerPermissions } from "../pool/backend.ts";
import { refuseKind } from "../wire/check.ts";
import { type Ask, demand, fixLists, hasWhole, loadedFrom, PERMISSIONS } from "../pool/permissions.ts";

interface DenoNamespace {
  readonly permissions: { readonly querySync: Ask };
  cwd(): string;
}
const { Deno } = globalThis as unknown as { Deno: DenoNamespace };

/** Asks what the program may do. Deno does not answer about `*.example.com`, only about a host that it covers. */
const ask: Ask = ({ host, ...question }) =>
  Deno.permissions.querySync(host === undefined ? question : { ...question, host: host.replace(/^\*(?=\.)/, "any") });

/**
 * Checks the permissions of threads.
 *
 * @param action What fails when the program itself does not have them, for the message.
 * @param permissions The permissions.
 * @returns The same, with absolute paths: the program may have changed its folder when a thread starts.
 */
export function checkPermissions(action: string, permissions: WorkerPermissions): WorkerPermissions {
  if (typeof permissions === "string") return permissions;
  for (const [name, wanted] of Object.entries(permissions)) {
    if (wanted === true) demand(action, ask, name, undefined, true);
    for (const value of wanted instanceof Array ? wanted : []) {
      demand(action, ask, name, value);
      if (PERMISSIONS[name] === "host" && isPattern(value) && !hasWhole(ask, name)) checkPattern(action, name, value);
    }
  }
  return fixLists(permissions, (name, value) => {
    const isPath = PERMISSIONS[name] === "path" || (name === "run" && value.includes("/"));
    return isPath && !/^([\\/]|[a-z]:)/i.test(value) ? `${Deno.cwd()}/${value}` : value;
  });
}

/**
 * What Deno is told when a thread starts: the permissions, and to import from where this package was loaded, as modules of
 * tasks import it.
 *
 * @param permissions What {@linkcode checkPermissions} has returned.
 */
export function grant(permissions: WorkerPermissions): WorkerPermissions {
  const hosts = loadedFrom(ask, import.meta.url);
  if (typeof permissions === "string" || hosts.length === 0) return permissions;
  const { import: listed, ...rest } = permissions;
  return { ...rest, import: listed === true || [...listed || [], ...hosts] };
}

function isPattern(host: string): boolean {
  return /^\*|^(?!unix:).*\/\d+(:\d+)?$/.test(host);
}

/** Refuses a pattern that the program itself was not given: it may have exceptions from it. */
function checkPattern(action: string, name: string, value: string): void {
  const all = value.replace(/:\d+$/, "");
  if (ask({ name }).state !== "granted" && (all === value || ask({ name, host: all }).state !== "granted")) return;
  const wanted =
    "an array of hosts without * and subnets, unless the program has the whole permission without exceptions";
  refuseKind(action, `permissions.${name}`, wanted, value);
}

// What a thread may do on Deno. Deno compares it with what the program may do whenever a thread starts, and hands the
// program's exceptions on (`--deny-*`). But it asks at a terminal for what the program has not; takes `TOK*` for a part of
// `TOK`; and a rule with a port goes before an exception without one, so that `*.example.com:443` would open an excepted
// `a.example.com` (2.9). So the program is asked first.

import type { WorkerPermissions } from "../pool/backend.ts";
import { refuseKind } from "../wire/check.ts";
import { type Ask, demand, fixLists, hasWhole, PERMISSIONS } from "../pool/permissions.ts";

interface DenoNamespace {
  readonly permissions: { readonly querySync: Ask };
  cwd(): string;
}
const { Deno } = globalThis as unknown as { Deno: DenoNamespace };

/** What the program may do. Of `*.example.com` Deno answers nothing, but of what it stands for. */
const ask: Ask = ({ host, ...question }) =>
  Deno.permissions.querySync(host === undefined ? question : { ...question, host: host.replace(/^\*(?=\.)/, "any") });

/**
 * Checks what a thread shall be allowed.
 *
 * @param action What is refused when that is more than the program is.
 * @param permissions What it shall be.
 * @returns The same, with paths that are the program's wherever it is when a thread starts.
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

function isPattern(host: string): boolean {
  return /^\*|^(?!unix:).*\/\d+(:\d+)?$/.test(host);
}

/** Refuses a pattern that is not one of the program's own: there may be exceptions from it. */
function checkPattern(action: string, name: string, value: string): void {
  const all = value.replace(/:\d+$/, "");
  if (ask({ name }).state !== "granted" && (all === value || ask({ name, host: all }).state !== "granted")) return;
  const wanted = "hosts without * and subnets, unless the program has the whole permission without exceptions";
  refuseKind(action, `permissions.${name}`, wanted, value);
}

// The option `permissions`: what workers may do on Deno. Both executors check it here, and grant it in different ways.

import type { WorkerPermissions } from "./backend.ts";
import { isRecord, refuseKind, show } from "../wire/check.ts";

/** The kinds of permissions, and how a question about a kind names a value of its list. */
export const PERMISSIONS: Readonly<Record<string, string>> = {
  read: "path",
  write: "path",
  net: "host",
  env: "variable",
  sys: "kind",
  run: "command",
  ffi: "path",
  import: "host",
};

/** Asks what the program itself may do. `partial` in the answer: there are exceptions. */
export type Ask = (
  question: Readonly<Record<string, string>>,
) => { readonly state: string; readonly partial: boolean };

/** Checks the form of the option. Whether the program has these permissions is asked only on Deno. */
export function checkPermissions(action: string, permissions: unknown): void {
  if (permissions === "inherit" || permissions === "none") return;
  if (!isRecord(permissions)) {
    refuseKind(action, "permissions", '"inherit", "none" or an object', permissions);
  }
  for (const [name, wanted] of Object.entries(permissions)) {
    const option = `permissions.${name}`;
    if (!Object.hasOwn(PERMISSIONS, name)) {
      refuseKind(action, option, "left out, as there is no such permission", wanted);
    }
    if (wanted === undefined || typeof wanted === "boolean") continue;
    if (!Array.isArray(wanted)) refuseKind(action, option, "a boolean or an array", wanted);
    for (const value of wanted) {
      if (typeof value !== "string" || value === "") refuseKind(action, option, "an array of strings", value);
    }
  }
}

/** Copies permissions, with `fix` applied to each value of their lists. */
export function fixLists(
  permissions: WorkerPermissions,
  fix: (name: string, value: string) => string,
): WorkerPermissions {
  if (typeof permissions === "string") return permissions;
  const entries = Object.entries(permissions).map(([name, wanted]) =>
    [name, Array.isArray(wanted) ? wanted.map((value) => fix(name, value)) : wanted] as const
  );
  return Object.fromEntries(entries);
}

/** Whether the program has a permission without exceptions. */
export function hasWhole(ask: Ask, name: string): boolean {
  const { state, partial } = ask({ name });
  return state === "granted" && !partial;
}

/** Whether the program may import from a host. */
export function mayImport(ask: Ask, host: string): boolean {
  return ask({ name: "import", host }).state === "granted";
}

/** The host of a module that is not a file, if the program may import from there. */
export function loadedFrom(ask: Ask, module: string | undefined): string[] {
  if (!module || !/^https?:/.test(module) || !URL.canParse(module)) return [];
  const { protocol, hostname, port } = new URL(module);
  const host = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  return mayImport(ask, host) ? [host] : [];
}

/**
 * Throws unless the program has a permission itself that its workers are to have.
 *
 * @param action What fails otherwise, for the message.
 * @param ask Asks the program.
 * @param name The kind of permission.
 * @param value A value of its list; everything by default.
 * @param exceptions Whether the program may have it with exceptions.
 */
export function demand(action: string, ask: Ask, name: string, value?: string, exceptions = false): void {
  const shown = value === undefined ? `'${name}'` : `'${name}' for ${show(value)}`;
  let answer: ReturnType<Ask>;
  try {
    answer = ask(value === undefined ? { name } : { name, [PERMISSIONS[name]!]: value });
  } catch (cause) {
    throw new TypeError(`Cannot ${action} with the permission ${shown}: ${(cause as Error).message}`, { cause });
  }
  if (answer.state === "granted" && (exceptions || !answer.partial)) return;
  const how = answer.state === "granted" ? "has it only with exceptions" : "does not have it itself";
  throw new Error(`Cannot ${action} with the permission ${shown} as the program ${how}`);
}

// What workers may do on Deno: the same option for both executors, which grant it in different ways.

import type { WorkerPermissions } from "./backend.ts";
import { refuseKind, show } from "../wire/check.ts";

/** What there are permissions for, and how a question about one names a value of its list. */
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

/** What the program itself may do: how it is asked, and what it answers. `partial`: there are exceptions. */
export type Ask = (
  question: Readonly<Record<string, string>>,
) => { readonly state: string; readonly partial: boolean };

/** Checks that an option is one of permissions: whether the program has them is asked where there are any. */
export function checkPermissions(action: string, permissions: unknown): void {
  if (permissions === "inherit" || permissions === "none") return;
  if (typeof permissions !== "object" || permissions === null) {
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

/** A copy of permissions, with each value of their lists as `fix` has it. */
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

/** Whether the program may do all of a kind. */
export function hasWhole(ask: Ask, name: string): boolean {
  const { state, partial } = ask({ name });
  return state === "granted" && !partial;
}

/**
 * Has the program say that it may do itself what its workers shall.
 *
 * @param action What is refused otherwise.
 * @param ask How it is asked.
 * @param name What for.
 * @param value Of a list; everything by default.
 * @param exceptions Whether it may have exceptions from it.
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

// What a worker process may do on Deno: what the program may do, or less. It is started with flags, which it reads by itself:
// in its own folder, with its own PATH, and without the exceptions that the program was started with (`--deny-*`). So a
// flag is written only where it means in the process exactly what the program was asked about.
//
// What Deno (2.9) answers is the truth about a path, exceptions below it included, about one variable of the environment, a
// kind of `sys`, a program to run, and an address with its port. It does not tell of exceptions from a pattern (`TOK*`,
// `*.example.com`, `10.0.0.0/8`) nor from an address without a port; and a name may lead to an address that is excepted.

import { delimiter, isAbsolute, resolve } from "node:path";
import process from "node:process";
import type { WorkerOptions, WorkerPermissions } from "../pool/backend.ts";
import { refuseKind } from "../wire/check.ts";
import { type Ask, demand, fixLists, hasWhole, PERMISSIONS } from "../pool/permissions.ts";
import { loadBuiltin } from "../runtime.ts";

interface DenoNamespace {
  readonly mainModule: string | undefined;
  readonly permissions: { readonly querySync: Ask };
}
const { Deno } = globalThis as unknown as { Deno: DenoNamespace };

/** What the program may do. */
const ask: Ask = (question) => Deno.permissions.querySync(question);

/** Flags about permissions, alone or in a bundle such as `-qA`: they come on top of those that are written here. */
const OF_PERMISSIONS = /^(--(allow|deny|ignore)-|--(no-prompt|permission-set)(=|$)|-[a-zA-Z]*[APRWNESI])/;

/** The variable that has Deno ask somebody else, whatever the flags say. */
const BROKER = "DENO_PERMISSION_BROKER_PATH";

/** An address with its port, or a socket of the file system. `0177.0.0.1` and `999.0.0.1` are names to Deno. */
const ENDPOINT = /^(((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?=\d)|(?=:))){4}:\d+|\[[\da-fA-F:.]+\]:\d+|unix:\/.*)$/;

/** From where Deno (2.9) lets a program import by default. */
const REGISTRIES = [
  "jsr.io",
  "deno.land",
  "esm.sh",
  "raw.esm.sh",
  "cdn.jsdelivr.net",
  "raw.githubusercontent.com",
  "gist.githubusercontent.com",
].map((host) => `${host}:443`);

/** An address that nothing is at. */
const NOWHERE = "0.0.0.0:0";

/**
 * Checks what processes shall be allowed, when their executor is made.
 *
 * @returns The same, with paths that are the program's wherever and with whatever PATH a process starts.
 */
export function checkWorkerOptions(action: string, options: WorkerOptions): WorkerOptions {
  for (const [i, flag] of options.execArgv?.entries() ?? []) {
    if (!OF_PERMISSIONS.test(flag)) continue;
    refuseKind(action, `execArgv[${i}]`, "no flag about permissions, which the option 'permissions' is for", flag);
  }
  const own = ask({ name: "env", variable: BROKER }).state === "granted" ? process.env[BROKER] : undefined;
  if (options.env && options.env[BROKER] !== own) {
    refuseKind(action, `env.${BROKER}`, "the program's own, as it decides on permissions", options.env[BROKER]);
  }
  const permissions = fixLists(options.permissions, (name, value) => {
    const option = `permissions.${name}`;
    // Up to 2.8, two commas were one. Nothing is for 2.9.
    if (/[,\0]/.test(value)) refuseKind(action, option, "without a comma, at which Deno ends a value", value);
    if (PERMISSIONS[name] === "host" && value.includes("://")) refuseKind(action, option, "hosts, no URLs", value);
    if (name === "run") return program(action, value);
    return PERMISSIONS[name] === "path" ? resolve(value) : value;
  });
  permissionFlags(action, permissions);
  return { ...options, permissions };
}

/**
 * What the worker is allowed, and, in so many words, what it is not: Deno's `node:child_process` (2.9) adds `--allow-all`
 * to a command line that says nothing of permissions.
 *
 * @param action What is refused when a process would be allowed what the program is not, any more.
 * @param permissions What {@linkcode checkWorkerOptions} has let pass.
 */
export function permissionFlags(action: string, permissions: WorkerPermissions): string[] {
  return Object.keys(PERMISSIONS).flatMap((name) => {
    const wanted = wantedOf(permissions, name);
    if (wanted === true) {
      demand(action, ask, name);
      return [`--allow-${name}`];
    }
    for (const value of wanted) {
      demand(action, ask, name, value);
      if (!hasWhole(ask, name)) checkExact(action, name, value);
    }
    if (name === "import") return importFlags(wanted);
    return [wanted.length > 0 ? `--allow-${name}=${wanted.join(",")}` : `--deny-${name}`];
  });
}

function wantedOf(permissions: WorkerPermissions, name: string): true | readonly string[] {
  // What the program has only in part (for some paths or hosts) nobody can list: the worker does without it.
  if (permissions === "inherit") return hasWhole(ask, name) || (name === "import" ? importHosts() : []);
  return permissions === "none" ? [] : permissions[name] || [];
}

/** Refuses what Deno gives no exact answer about. */
function checkExact(action: string, name: string, value: string): void {
  const unless = "unless the program has the whole permission without exceptions";
  if (name === "env" && value.endsWith("*")) refuseKind(action, "permissions.env", `names without * ${unless}`, value);
  if (PERMISSIONS[name] !== "host" || isCertain(name, value)) return;
  if (name === "import" && importHosts().includes(value)) return;
  refuseKind(action, `permissions.${name}`, `addresses with a port, such as "127.0.0.1:80", ${unless}`, value);
}

/**
 * Whether what Deno answers about a host is certain. By the most exact rule it answers, but whichever exception there is, it
 * holds (2.9): with `--allow-net=10.0.0.1:80 --deny-net=10.0.0.0/8`, the address is granted, and nobody can reach it.
 */
function isCertain(name: string, value: string): boolean {
  if (!ENDPOINT.test(value)) return false;
  if (value.startsWith("unix:") || ask({ name }).state === "granted") return true;
  const neighbour = value.replace(/(\d+)(?=:\d+$)/, (byte) => String(Number(byte) ^ 1));
  return ask({ name, host: value.replace(/:\d+$/, "") }).state === "prompt" &&
    ask({ name, host: neighbour }).state !== "denied";
}

/** `--deny-import` alone would leave what may be imported by default: only a list takes the place of that. */
function importFlags(hosts: readonly string[]): string[] {
  const list = [...hosts, ...loadedFrom(import.meta.url)];
  return list.length > 0 ? [`--allow-import=${list}`] : [`--allow-import=${NOWHERE}`, `--deny-import=${NOWHERE}`];
}

/** The path of a program to run: the worker would look for a name in its own PATH. */
function program(action: string, name: string): string {
  if (isAbsolute(name) || name.includes("/")) return resolve(name);
  const path = ask({ name: "env", variable: "PATH" }).state === "granted" ? process.env.PATH ?? "" : "";
  for (const folder of path.split(delimiter)) {
    const file = resolve(folder, name);
    if (ask({ name: "read", path: file }).state !== "granted") break; // and so it is not known whether this is it
    if (isProgram(file)) return file;
  }
  return refuseKind(action, "permissions.run", "paths, or names that lead to a file by a PATH that can be read", name);
}

function isProgram(file: string): boolean {
  try {
    const status = loadBuiltin<typeof import("node:fs")>("node:fs").statSync(file);
    return status.isFile() && (status.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** From where the program may import, as far as anybody can list it: registries, and where it comes from itself. */
function importHosts(): string[] {
  if (ask({ name: "import" }).state === "denied") return []; // it answers that those by default are granted nevertheless
  const mirror = ask({ name: "env", variable: "JSR_URL" }).state === "granted" ? process.env.JSR_URL : undefined;
  const modules = [Deno.mainModule, mirror, import.meta.url].flatMap((url) => loadedFrom(url));
  return [...REGISTRIES.filter((host) => mayImport(host)), ...modules];
}

/** The host of a module that is not a file. A worker that comes from there must be allowed to import from there, too. */
function loadedFrom(module: string | undefined): string[] {
  if (!module || !/^https?:/.test(module) || !URL.canParse(module)) return [];
  const { protocol, hostname, port } = new URL(module);
  const host = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  return mayImport(host) ? [host] : [];
}

function mayImport(host: string): boolean {
  return ask({ name: "import", host }).state === "granted";
}

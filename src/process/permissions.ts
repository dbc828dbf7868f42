// The permissions of a worker process on Deno: at most those of the program. The process gets flags, and interprets them by
// itself: in its own folder, with its own PATH, and without the program's exceptions (`--deny-*`). So a flag is written only
// if it means in the process exactly what the program was asked about.
//
// Deno (2.9) answers exactly about a path, exceptions below it included, about one variable of the environment, a kind of
// `sys`, a program to run, and an address with its port. Its answer about a pattern (`TOK*`, `*.example.com`, `10.0.0.0/8`) or
// an address without a port leaves exceptions out, and a host name may resolve to an excepted address.

import type { WorkerOptions, WorkerPermissions } from "../pool/backend.ts";
import { refuseKind } from "../wire/check.ts";
import { type Ask, demand, fixLists, hasWhole, loadedFrom, mayImport, PERMISSIONS } from "../pool/permissions.ts";
import { loadBuiltin, nodePath, process } from "../runtime.ts";

interface DenoNamespace {
  readonly mainModule: string | undefined;
  readonly permissions: { readonly querySync: Ask };
}
const { Deno } = globalThis as unknown as { Deno: DenoNamespace };

/** Asks what the program may do. */
const ask: Ask = (question) => Deno.permissions.querySync(question);

/** Flags about permissions, alone or in a bundle such as `-qA`: they would add to those that are written here. */
const OF_PERMISSIONS = /^(--(allow|deny|ignore)-|--(no-prompt|permission-set)(=|$)|-[a-zA-Z]*[APRWNESI])/;

/** The variable that makes Deno ask another program for permissions, and ignore its flags. */
const BROKER = "DENO_PERMISSION_BROKER_PATH";

/** An address with its port, or a socket of the file system. To Deno, `0177.0.0.1` and `999.0.0.1` are names. */
const ENDPOINT = /^(((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?=\d)|(?=:))){4}:\d+|\[[\da-fA-F:.]+\]:\d+|unix:\/.*)$/;

/** Hosts from which Deno (2.9) lets a program import by default. */
const REGISTRIES = [
  "jsr.io",
  "deno.land",
  "esm.sh",
  "raw.esm.sh",
  "cdn.jsdelivr.net",
  "raw.githubusercontent.com",
  "gist.githubusercontent.com",
].map((host) => `${host}:443`);

/** An address that serves nothing. */
const NOWHERE = "0.0.0.0:0";

/**
 * Checks the options of worker processes, when their executor is made.
 *
 * @param action What fails otherwise, for the message.
 * @param options The options.
 * @returns The same, with absolute paths: a process may start in another folder and with another PATH.
 */
export function checkWorkerOptions(action: string, options: WorkerOptions): WorkerOptions {
  for (const [i, flag] of options.execArgv?.entries() ?? []) {
    if (!OF_PERMISSIONS.test(flag)) continue;
    refuseKind(action, `execArgv[${i}]`, "no flag about permissions (use the option 'permissions')", flag);
  }
  const own = ask({ name: "env", variable: BROKER }).state === "granted" ? process.env[BROKER] : undefined;
  if (options.env && options.env[BROKER] !== own) {
    refuseKind(
      action,
      `env.${BROKER}`,
      "the program's own value, as it decides about permissions",
      options.env[BROKER],
    );
  }
  const permissions = fixLists(options.permissions, (name, value) => {
    const option = `permissions.${name}`;
    // Up to Deno 2.8, two commas stood for one. In 2.9, nothing does.
    if (/[,\0]/.test(value)) {
      refuseKind(action, option, "an array of strings without commas, at which Deno splits them", value);
    }
    if (PERMISSIONS[name] === "host" && value.includes("://")) {
      refuseKind(action, option, "an array of hosts, not of URLs", value);
    }
    if (name === "run") return program(action, value);
    return PERMISSIONS[name] === "path" ? nodePath().resolve(value) : value;
  });
  permissionFlags(action, permissions);
  return { ...options, permissions };
}

/**
 * Writes the flags of a worker: for each permission, whether it is allowed or denied. Deno's `node:child_process` (2.9) adds
 * `--allow-all` to a command line without any.
 *
 * @param action What fails when the program itself does not have a permission any more, for the message.
 * @param permissions What {@linkcode checkWorkerOptions} has returned.
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
  // A permission that the program has in part (for some paths or hosts) cannot be listed: the worker gets none of it.
  if (permissions === "inherit") return hasWhole(ask, name) || (name === "import" ? importHosts() : []);
  return permissions === "none" ? [] : permissions[name] || [];
}

/** Refuses a value about which Deno gives no exact answer. */
function checkExact(action: string, name: string, value: string): void {
  const unless = "unless the program has the whole permission without exceptions";
  if (name === "env" && value.endsWith("*")) {
    refuseKind(action, "permissions.env", `an array of names without * ${unless}`, value);
  }
  if (PERMISSIONS[name] !== "host" || isCertain(name, value)) return;
  if (name === "import" && importHosts().includes(value)) return;
  refuseKind(
    action,
    `permissions.${name}`,
    `an array of addresses with a port, such as "127.0.0.1:80", ${unless}`,
    value,
  );
}

/**
 * Whether Deno's answer about a host is certain. Deno (2.9) answers by the most exact rule, but enforces every exception: with
 * `--allow-net=10.0.0.1:80 --deny-net=10.0.0.0/8`, it says that the address is granted, and refuses to connect to it.
 */
function isCertain(name: string, value: string): boolean {
  if (!ENDPOINT.test(value)) return false;
  if (value.startsWith("unix:") || ask({ name }).state === "granted") return true;
  const neighbour = value.replace(/(\d+)(?=:\d+$)/, (byte) => String(Number(byte) ^ 1));
  return ask({ name, host: value.replace(/:\d+$/, "") }).state === "prompt" &&
    ask({ name, host: neighbour }).state !== "denied";
}

/** The flags for imports. Only a list replaces the hosts that are allowed by default; `--deny-import` alone does not. */
function importFlags(hosts: readonly string[]): string[] {
  const list = [...hosts, ...loadedFrom(ask, import.meta.url)];
  return list.length > 0 ? [`--allow-import=${list}`] : [`--allow-import=${NOWHERE}`, `--deny-import=${NOWHERE}`];
}

/** The path of a program to run, as the worker would search for its name in another PATH. */
function program(action: string, name: string): string {
  const { delimiter, isAbsolute, resolve } = nodePath();
  if (isAbsolute(name) || name.includes("/")) return resolve(name);
  const path = ask({ name: "env", variable: "PATH" }).state === "granted" ? process.env.PATH ?? "" : "";
  for (const folder of path.split(delimiter)) {
    const file = resolve(folder, name);
    if (ask({ name: "read", path: file }).state !== "granted") break; // the program may be here
    if (isProgram(file)) return file;
  }
  return refuseKind(action, "permissions.run", "an array of paths, or of names that a readable PATH resolves", name);
}

function isProgram(file: string): boolean {
  try {
    const status = loadBuiltin<typeof import("node:fs")>("node:fs").statSync(file);
    return status.isFile() && (status.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Hosts from which the program may import, as far as they can be listed: registries, and where its own modules are. */
function importHosts(): string[] {
  if (ask({ name: "import" }).state === "denied") return []; // Deno would still say that the default hosts are granted
  const mirror = ask({ name: "env", variable: "JSR_URL" }).state === "granted" ? process.env.JSR_URL : undefined;
  const modules = [Deno.mainModule, mirror, import.meta.url].flatMap((url) => loadedFrom(ask, url));
  return [...REGISTRIES.filter((host) => mayImport(ask, host)), ...modules];
}

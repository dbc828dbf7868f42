// The flags with which the program was started, as its workers get them: without flags that are for the program's own start,
// and with paths that are right in any folder. Node and Bun tell a program its flags; Deno does not.

import type { Worker, WorkerOptions } from "node:worker_threads";
import { loadBuiltin, nodePath, nodeUrl, process, runtime } from "./runtime.ts";

interface ReadPermission {
  readonly Deno?: { permissions: { querySync(descriptor: { name: "read" }): { state: string } } };
}

/** Flags of the command line, and those of the environment. */
export type ThreadFlags = readonly [readonly Flag[], readonly Flag[]];

/** A flag, followed by the words that are its values. */
export type Flag = readonly string[];

/**
 * Flags that are for the program's own start. With them a worker would start wrongly, or repeat what must be done once: listen
 * for a debugger on the same port, write the same file, load an `--env-file` over what the program has changed since.
 */
const NOT_INHERITED = new RegExp(
  `^(-|-e|-p|-pe|--eval|--print|--input-type|--run|--hot|--watch.*|--(experimental-)?test.*|--inspect.*|--debug-port|` +
    `--env-file.*|--(cpu|heap)-prof-name|--trace-event.*|--snapshot-blob|--build-snapshot.*|--cwd` +
    `${runtime === "node" ? "|-i|--interactive" : ""})(=|$)`, // on Bun, -i installs
);

/** Flags whose value is the next word, even if that begins with a dash. */
const CODE = /^(-e|-p|-pe|--eval|--print)$/;

/** Flags whose value is a module, as in an import by a file of the working folder. */
const MODULE = /^(-r|--require|--import|--preload|--loader|--experimental-loader)$/;

/** Flags whose value is a file or a folder, even if it is a mere name. */
const PATH = new RegExp(
  `^(${
    runtime === "bun" ? "-c|" : ""
  }--config|--tsconfig-override|--import-map|--lock|--cert|--env-file(-if-exists)?|` +
    `--openssl-config|--icu-data-dir|--diagnostic-dir|--(cpu|heap)-prof-dir|--redirect-warnings|--report-dir(ectory)?|` +
    `--localstorage-file|--experimental-config-file|--allow-fs-(read|write))$`,
);

/**
 * The folder in which the program was started: its flags are relative to that, even after `process.chdir()`, so it is noted
 * at once. On Deno, which hides the flags, it is not needed.
 */
const START = runtime === "deno" ? undefined : workingFolder();

/** The working folder; `undefined` when it is gone, or may not be known. */
export function workingFolder(): string | undefined {
  try {
    return mayRead() ? process.cwd() : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the working folder was deleted; false when that may not be known. Node (24) still knows its name. */
export function folderIsGone(): boolean {
  try {
    if (!mayRead()) return false;
    const { Deno } = globalThis as { readonly Deno?: { statSync(path: string): object } };
    if (Deno) return Deno.statSync(process.cwd()) === undefined; // it throws, and it needs no `node:fs`
    const { statSync } = loadBuiltin<typeof import("node:fs")>("node:fs");
    return statSync(process.cwd(), { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" || (error as Error).name === "NotFound";
  }
}

/** Throws when the working folder is gone and no thread can start: Node (24) needs it, Deno (2.9) loads no module then. */
export function assertFolder(): void {
  if (runtime === "bun" || !folderIsGone()) return;
  throw new Error("Cannot start a thread as the working folder is gone: call process.chdir() with another one first");
}

/** Whether Deno permits it: without this question, it would prompt the user. */
function mayRead(): boolean {
  const { Deno } = globalThis as ReadPermission;
  return !Deno || Deno.permissions.querySync({ name: "read" }).state === "granted";
}

/**
 * The flags of the program's command line, for a worker process.
 *
 * @param folder The folder in which the worker runs.
 */
export function inheritedFlags(folder: string | undefined): string[] {
  return forWorkers(process.execArgv, folder).flat();
}

/**
 * The program's flags for a thread of Node, which inherits them unless it is given others.
 *
 * @returns The flags to give it; `undefined` when the inherited ones are right.
 */
export function threadFlags(): ThreadFlags | undefined {
  const folder = workingFolder();
  const given = [process.execArgv, words(process.env.NODE_OPTIONS ?? "")];
  const flags = given.map((flags) => forWorkers(flags, folder, /^--input-type(=|$)/)) as [Flag[], Flag[]];
  return String(flags) === String(given) ? undefined : flags;
}

/** Writes flags as NODE_OPTIONS has them. */
export function joinFlags(flags: readonly Flag[]): string {
  return flags.flat().map(quote).join(" ");
}

/**
 * The flags of the option `execArgv`. A relative path in them is one in the program's folder if it exists there, otherwise one
 * in the worker's.
 *
 * @param flags The flags.
 * @param folder The folder in which the worker runs.
 */
export function ownFlags(flags: readonly string[], folder: string | undefined): readonly string[] {
  const from = START ?? workingFolder();
  if (from === undefined || from === folder) return flags;
  return parse(flags).flatMap((flag) =>
    place(flag, from, (path) => loadBuiltin<typeof import("node:fs")>("node:fs").existsSync(path))
  );
}

/**
 * The environment for a worker process: without orders to listen for a debugger, and with its flags changed as
 * {@linkcode inheritedFlags} are.
 *
 * @param given The option `env`; the program's own environment by default.
 * @param folder The folder in which the worker runs.
 * @returns The environment, or `given` when that is right as it is.
 */
export function inheritedEnv<Env extends Readonly<Record<string, string | undefined>>>(
  given: Env | undefined,
  folder: string | undefined,
): Env | undefined {
  if (runtime === "deno") return given;
  const changes: Record<string, string | undefined> = {};
  const env = given ?? process.env;
  const name = runtime === "node" ? "NODE_OPTIONS" : "BUN_OPTIONS";
  const options = env[name];
  if (options) {
    const before = parse(words(options)), after = forWorkers(words(options), folder);
    if (String(before) !== String(after)) changes[name] = joinFlags(after);
  }
  for (const name of Object.keys(env)) if (name.startsWith("BUN_INSPECT")) changes[name] = undefined;
  return Object.keys(changes).length > 0 ? { ...env, ...changes } as Env : given;
}

function forWorkers(flags: readonly string[], folder: string | undefined, leftOut = NOT_INHERITED): Flag[] {
  const kept = parse(flags).filter(([name]) => !leftOut.test(name!));
  return START === undefined || START === folder ? kept : kept.map((flag) => place(flag, START, () => true));
}

/** Groups words into flags. A word with a dash begins a flag: Node 24 refuses such a value, Bun 1.4 takes it for a flag. */
function parse(words: readonly string[]): Flag[] {
  const flags: string[][] = [];
  for (const [index, word] of words.entries()) {
    const flag = flags.at(-1);
    if (flag && (!word.startsWith("-") || CODE.test(words[index - 1]!))) flag.push(word);
    else flags.push([word]);
  }
  return flags;
}

/** Makes the values of a flag, which are relative to a folder, right in any folder; not those for which `isThere` is false. */
function place([flag, ...values]: Flag, folder: string, isThere: (path: string) => boolean): Flag {
  const [, name, value] = /^(-[^=]*)=(.*)$/s.exec(flag!) ?? [];
  if (name !== undefined) return [`${name}=${placeValue(name, value!)}`];
  return [flag!, ...values.map((value) => placeValue(flag!, value))];

  function placeValue(name: string, value: string): string {
    const isModule = MODULE.test(name);
    if (/^\.\.?([/\\]|$)/.test(value) || (PATH.test(name) && value !== "*")) {
      const path = nodePath().resolve(folder, value);
      if (!isThere(path)) return value;
      return isModule && runtime === "node" && !/^(-r|--require)$/.test(name)
        ? nodeUrl().pathToFileURL(path).href
        : path;
    }
    // An absolute path or a URL is right in any folder.
    if (!isModule || runtime === "deno" || /^([/\\]|\w+:)/.test(value)) return value;
    return resolveModule(value, folder, /^(-r|--require)$/.test(name));
  }
}

interface ModuleTools {
  createRequire(from: string): { resolve(specifier: string): string };
  registerHooks?(hooks: { resolve(specifier: string, context: object, next: Next): unknown }): { deregister(): void };
}
type Next = (specifier: string, context: object) => unknown;

/** Resolves a module of a package as the runtime would in a folder; returns the specifier if it finds none. */
function resolveModule(specifier: string, folder: string, isRequired: boolean): string {
  try {
    const { Bun } = globalThis as { Bun?: { resolveSync(specifier: string, from: string): string } };
    if (Bun) return Bun.resolveSync(specifier, folder);
    const { createRequire, registerHooks } = process.getBuiltinModule("node:module") as unknown as ModuleTools;
    const from = nodePath().resolve(folder, "flag");
    if (isRequired || !registerHooks) return createRequire(from).resolve(specifier);
    // Node (24) resolves relative to the module that asks, which has to be in that folder. Not by require(): a package may have
    // another module for imports.
    const asked = `flag:${specifier}`, parentURL = nodeUrl().pathToFileURL(from).href;
    const hooks = registerHooks({
      resolve: (name, context, next) =>
        next(...(name === asked ? [specifier, { ...context, parentURL }] as const : [name, context] as const)),
    });
    try {
      return import.meta.resolve(asked);
    } finally {
      hooks.deregister();
    }
  } catch {
    return specifier;
  }
}

/** Splits NODE_OPTIONS into words at spaces that are not in quotes. */
function words(options: string): string[] {
  const found = options.match(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/g) ?? [];
  return found.map((word) => word.replace(/"((?:\\.|[^"\\])*)"?/g, (_, inside) => inside.replace(/\\(.)/g, "$1")));
}

function quote(word: string): string {
  return /[\s"\\]/.test(word) ? `"${word.replace(/["\\]/g, "\\$&")}"` : word;
}

/**
 * Starts a thread of Node with the flags of the program, except for those with which it would start wrongly.
 *
 * @param options Its options, without flags.
 * @param start Starts it with the options it is given.
 * @returns The thread. Throws when there can be none, and says what to do.
 */
export function startWithFlags(options: WorkerOptions, start: (options: WorkerOptions) => Worker): Worker {
  return permitted(() => startWith(threadFlags()));

  function startWith(flags: ThreadFlags | undefined): Worker {
    if (!flags) return start(options);
    const [execArgv, nodeOptions] = flags;
    try {
      const env = { ...process.env, NODE_OPTIONS: joinFlags(nodeOptions) };
      return start({ ...options, execArgv: execArgv.flat(), env });
    } catch (error) {
      // Node (20, 24) refuses flags that apply to a whole process, threads included: it starts without them.
      const refused = /^Initiated Worker with invalid .*?: (.*)$/.exec((error as Error).message)?.[1]?.split(", ");
      const isTaken = ([name]: Flag) => !refused?.includes(name!);
      const rest = [execArgv.filter(isTaken), nodeOptions.filter(isTaken)] as const;
      if (String(rest) === String(flags)) throw error;
      return startWith(rest);
    }
  }
}

/**
 * Starts a thread of Node without the flags of the program: with them (24), it would load the modules of `--import` again.
 *
 * @param start Starts it with the options it is given.
 * @returns The thread. Throws when there can be none, and says what to do.
 */
export function startBare(start: (options: WorkerOptions) => Worker): Worker {
  return permitted(() => start({ execArgv: [], env: { ...process.env, NODE_OPTIONS: "" } }));
}

function permitted(start: () => Worker): Worker {
  try {
    return start();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_ACCESS_DENIED") throw error;
    throw new Error("Node is not allowed to start a thread: add --allow-worker to --permission", { cause: error });
  }
}

// The flags that the program was started with, as its workers may have them: without those of its own start, and with what
// they name still found in another folder. Node and Bun tell a program its flags; Deno does not.

import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { loadBuiltin, runtime } from "./runtime.ts";

interface ReadPermission {
  readonly Deno?: { permissions: { querySync(descriptor: { name: "read" }): { state: string } } };
}

/** Flags of the command line, and of the environment. */
export type ThreadFlags = readonly [readonly Flag[], readonly Flag[]];

/** A flag, and the words after it that are its values. */
export type Flag = readonly string[];

/**
 * Flags of the program's own start, by which a worker would start wrongly, or do once more what is to be done once: listen
 * for a debugger on the same port, write the same file, load an `--env-file` over what the program has made of it.
 */
const NOT_INHERITED = new RegExp(
  `^(-|-e|-p|-pe|--eval|--print|--input-type|--run|--hot|--watch.*|--(experimental-)?test.*|--inspect.*|--debug-port|` +
    `--env-file.*|--(cpu|heap)-prof-name|--trace-event.*|--snapshot-blob|--build-snapshot.*|--cwd` +
    `${runtime === "node" ? "|-i|--interactive" : ""})(=|$)`, // on Bun, -i installs
);

/** The value is the next word, however that begins. */
const CODE = /^(-e|-p|-pe|--eval|--print)$/;

/** The value is a module, as in an import of the working folder. */
const MODULE = /^(-r|--require|--import|--preload|--loader|--experimental-loader)$/;

/** The value is a file or a folder, also when it is a mere name. */
const PATH = new RegExp(
  `^(${
    runtime === "bun" ? "-c|" : ""
  }--config|--tsconfig-override|--import-map|--lock|--cert|--env-file(-if-exists)?|` +
    `--openssl-config|--icu-data-dir|--diagnostic-dir|--(cpu|heap)-prof-dir|--redirect-warnings|--report-dir(ectory)?|` +
    `--localstorage-file|--experimental-config-file|--allow-fs-(read|write))$`,
);

/** Where the program was started: that is what its flags are about, wherever it goes. Those of Deno nobody knows. */
const START = runtime === "deno" ? undefined : workingFolder();

/** The working folder; `undefined` when it is gone, or must not be known. */
export function workingFolder(): string | undefined {
  try {
    return mayRead() ? process.cwd() : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the working folder was deleted, as far as that may be known. Node (24) remembers its name. */
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

/** Throws when no thread can be started here: Node (24) wants to know the working folder, Deno (2.9) loads no module. */
export function assertFolder(): void {
  if (runtime === "bun" || !folderIsGone()) return;
  throw new Error("A thread cannot be started as the working folder is gone: process.chdir() to another one first");
}

/** Asked first: Deno would ask the user otherwise. */
function mayRead(): boolean {
  const { Deno } = globalThis as ReadPermission;
  return !Deno || Deno.permissions.querySync({ name: "read" }).state === "granted";
}

/**
 * The program's flags for a worker.
 *
 * @param folder Where the worker runs.
 */
export function inheritedFlags(folder: string | undefined): string[] {
  return forWorkers(process.execArgv, folder).flat();
}

/**
 * The program's flags for a thread of Node, which has most of them anyway.
 *
 * @returns Those of the command line, and those of the environment; `undefined` when they are right as they are.
 */
export function threadFlags(): ThreadFlags | undefined {
  const folder = workingFolder();
  const given = [process.execArgv, words(process.env.NODE_OPTIONS ?? "")];
  const flags = given.map((flags) => forWorkers(flags, folder, /^--input-type(=|$)/)) as [Flag[], Flag[]];
  return String(flags) === String(given) ? undefined : flags;
}

/** Flags, as they are written in the environment. */
export function joinFlags(flags: readonly Flag[]): string {
  return flags.flat().map(quote).join(" ");
}

/**
 * Flags that a program gives its workers. What they name, relative to a folder, is in that of the program if it is there,
 * else in that of the worker.
 *
 * @param flags The flags.
 * @param folder Where the worker runs.
 */
export function ownFlags(flags: readonly string[], folder: string | undefined): readonly string[] {
  const from = START ?? workingFolder();
  if (from === undefined || from === folder) return flags;
  return parse(flags).flatMap((flag) =>
    place(flag, from, (path) => loadBuiltin<typeof import("node:fs")>("node:fs").existsSync(path))
  );
}

/**
 * The environment for a worker: without orders to listen for a debugger, and with the flags in it as
 * {@linkcode inheritedFlags}.
 *
 * @param given What it is to have; the program's own by default.
 * @param folder Where the worker runs.
 * @returns It, or `given` where that is right as it is.
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

/** No value that is a word of its own begins with a dash: Node 24 refuses it, Bun 1.4 takes it for a flag. */
function parse(words: readonly string[]): Flag[] {
  const flags: string[][] = [];
  for (const [index, word] of words.entries()) {
    const flag = flags.at(-1);
    if (flag && (!word.startsWith("-") || CODE.test(words[index - 1]!))) flag.push(word);
    else flags.push([word]);
  }
  return flags;
}

/** The flag as it is meant in a folder, for use in any other; what `isThere` denies stays as it is. */
function place([flag, ...values]: Flag, folder: string, isThere: (path: string) => boolean): Flag {
  const [, name, value] = /^(-[^=]*)=(.*)$/s.exec(flag!) ?? [];
  if (name !== undefined) return [`${name}=${placeValue(name, value!)}`];
  return [flag!, ...values.map((value) => placeValue(flag!, value))];

  function placeValue(name: string, value: string): string {
    const isModule = MODULE.test(name);
    if (/^\.\.?([/\\]|$)/.test(value) || (PATH.test(name) && value !== "*")) {
      const path = resolve(folder, value);
      if (!isThere(path)) return value;
      return isModule && runtime === "node" && !/^(-r|--require)$/.test(name) ? pathToFileURL(path).href : path;
    }
    // An absolute path and a URL are what they are.
    if (!isModule || runtime === "deno" || /^([/\\]|\w+:)/.test(value)) return value;
    return resolveModule(value, folder, /^(-r|--require)$/.test(name));
  }
}

interface ModuleTools {
  createRequire(from: string): { resolve(specifier: string): string };
  registerHooks?(hooks: { resolve(specifier: string, context: object, next: Next): unknown }): { deregister(): void };
}
type Next = (specifier: string, context: object) => unknown;

/** A module of a package, as the runtime would find it in a folder; as it is, when it would not. */
function resolveModule(specifier: string, folder: string, isRequired: boolean): string {
  try {
    const { Bun } = globalThis as { Bun?: { resolveSync(specifier: string, from: string): string } };
    if (Bun) return Bun.resolveSync(specifier, folder);
    const { createRequire, registerHooks } = process.getBuiltinModule("node:module") as unknown as ModuleTools;
    const from = resolve(folder, "flag");
    if (isRequired || !registerHooks) return createRequire(from).resolve(specifier);
    // Node (24) resolves for the module that asks. A package may have a module for imports alone, so require() will not do.
    const asked = `flag:${specifier}`, parentURL = pathToFileURL(from).href;
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

/** The words of NODE_OPTIONS: between spaces, and what is in quotes belongs together. */
function words(options: string): string[] {
  const found = options.match(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/g) ?? [];
  return found.map((word) => word.replace(/"((?:\\.|[^"\\])*)"?/g, (_, inside) => inside.replace(/\\(.)/g, "$1")));
}

function quote(word: string): string {
  return /[\s"\\]/.test(word) ? `"${word.replace(/["\\]/g, "\\$&")}"` : word;
}

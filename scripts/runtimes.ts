// The runtimes which the tests run on, at the versions that runtimes.json pins, from the npm registry's packages for this
// platform, in `.runtimes/`. Fetched when first asked for, never skipped.
//
// To try another version, change it in runtimes.json on each platform, with the hash that
// `npm view <package>@<version> dist.integrity` says. The registry does not have every release of Node for macOS: there, it is
// the nearest that it has.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { install, ROOT } from "./install.ts";
import pinned from "./runtimes.json" with { type: "json" };

/** Those of every day. */
const EVERYDAY = ["deno", "bun", "node24", "node20"] as const;

/** Other versions, which only long runs need: the oldest ones that the documents promise, and the other lines of Node. */
const OTHERS = ["denoOldest", "bunOldest", "nodeOldest", "node22", "node26"] as const;

/** Paths of the executables. */
export type Runtimes = Record<typeof EVERYDAY[number], string>;
export type OtherRuntimes = Record<typeof OTHERS[number], string>;

/** A package which holds just the executable for a platform, so that no install script is needed. */
interface Pinned {
  readonly package: string;
  readonly version: string;
  /** Of its tarball, as npm has it. */
  readonly integrity: string;
}

/** Fetches the runtimes of every day that are missing, and returns the paths of all. */
export async function runtimes(): Promise<Runtimes> {
  // The one that runs this is one less to fetch, if it is the one that is pinned.
  if (process.versions.deno !== pinnedHere().deno!.version) return await fetchAll(".runtimes", EVERYDAY);
  const [, ...others] = EVERYDAY;
  return { deno: process.execPath, ...await fetchAll(".runtimes", others) };
}

/** The same for the other versions. */
export function otherRuntimes(): Promise<OtherRuntimes> {
  return fetchAll(".runtimes/others", OTHERS);
}

/** Which version is pinned. */
export function versionOf(name: keyof Runtimes | keyof OtherRuntimes): string {
  return pinnedHere()[name]!.version;
}

async function fetchAll<Name extends string>(at: string, names: readonly Name[]): Promise<Record<Name, string>> {
  const here = pinnedHere(), folder = join(ROOT, at);
  mkdirSync(folder, { recursive: true });
  // A configuration of its own keeps Deno from taking the folder for a part of the project.
  writeFileSync(join(folder, "deno.json"), `{ "nodeModulesDir": "manual", "lock": false }\n`);
  write(folder, Object.fromEntries(names.map((name) => [name, here[name]!])));
  await install(folder);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const file = (name: string) =>
    (name.startsWith("deno") ? "deno" : name.startsWith("bun") ? "bin/bun" : "bin/node") + suffix;
  return Object.fromEntries(names.map((name) => [name, join(folder, "node_modules", name, file(name))])) as Record<
    Name,
    string
  >;
}

/** What is pinned for this platform. */
function pinnedHere(): Readonly<Record<string, Pinned>> {
  const platform = `${process.platform}-${process.arch}`;
  const here = (pinned as Record<string, Record<string, Pinned>>)[platform];
  if (!here) throw new Error(`Cannot fetch the runtimes as scripts/runtimes.json pins none for ${platform}`);
  return here;
}

/** Writes the package.json and the lock file of a folder with these packages under other names. */
function write(folder: string, packages: Readonly<Record<string, Pinned>>): void {
  const dependencies = Object.fromEntries(
    Object.entries(packages).map(([name, pinned]) => [name, `npm:${pinned.package}@${pinned.version}`]),
  );
  const locked = Object.fromEntries(
    Object.entries(packages).map(([name, { package: of, version, integrity }]) =>
      [`node_modules/${name}`, { name: of, version, integrity }] as const
    ),
  );
  const lock = { lockfileVersion: 3, requires: true, packages: { "": { dependencies }, ...locked } };
  for (
    const [file, content] of [["package.json", { private: true, dependencies }], ["package-lock.json", lock]] as const
  ) {
    writeFileSync(join(folder, file), JSON.stringify(content, null, 2) + "\n");
  }
}

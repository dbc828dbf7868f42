// The runtimes which the tests run on, at the versions that runtimes.json pins: Deno, Bun, Node 24 and Node 20, from the npm
// registry's packages for this platform, in `.runtimes/`. Fetched when first asked for, never skipped.
//
// To try another version, change it in runtimes.json on each platform, with the hash that
// `npm view <package>@<version> dist.integrity` says. The registry does not have every release of Node for macOS: there, it is
// the nearest that it has.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { install, ROOT } from "./install.ts";
import pinned from "./runtimes.json" with { type: "json" };

/** Paths of the executables. */
export interface Runtimes {
  deno: string;
  bun: string;
  node24: string;
  node20: string;
  node22: string;
  node26: string;
}

/** A package which holds just the executable for a platform, so that no install script is needed. */
interface Pinned {
  readonly package: string;
  readonly version: string;
  /** Of its tarball, as npm has it. */
  readonly integrity: string;
}

/** Where a package has its executable. */
const FILES: Runtimes = {
  deno: "deno",
  bun: "bin/bun",
  node24: "bin/node",
  node20: "bin/node",
  node22: "bin/node",
  node26: "bin/node",
};

/** Fetches the runtimes that are missing and returns the paths of all. */
export async function runtimes(): Promise<Runtimes> {
  const { deno, ...others } = pinnedHere();
  // The one that runs this is one less to fetch, if it is that one.
  const isPinned = process.versions.deno === deno.version;
  const folder = join(ROOT, ".runtimes");
  mkdirSync(folder, { recursive: true });
  // A configuration of its own keeps Deno from taking the folder for a part of the project.
  writeFileSync(join(folder, "deno.json"), `{ "nodeModulesDir": "manual", "lock": false }\n`);
  write(folder, isPinned ? others : { ...others, deno });
  await install(folder);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const executable = (name: keyof Runtimes) => join(folder, "node_modules", name, FILES[name] + suffix);
  return {
    deno: isPinned ? process.execPath : executable("deno"),
    bun: executable("bun"),
    node24: executable("node24"),
    node20: executable("node20"),
    node22: executable("node22"),
    node26: executable("node26"),
  };
}

/** What is pinned for this platform. */
function pinnedHere(): Record<keyof Runtimes, Pinned> {
  const platform = `${process.platform}-${process.arch}`;
  const here = (pinned as Record<string, Record<keyof Runtimes, Pinned>>)[platform];
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

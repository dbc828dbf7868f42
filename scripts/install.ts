// deno-lint-ignore-file no-console -- a program prints
// Installs what a folder's package.json names, where it is not installed yet: install.ts [folder]... By default the
// project's own development packages. Versions are pinned there, and those of what they need, with hashes, in
// package-lock.json.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { run } from "./run.ts";
import { installStd } from "./std.ts";

/** The project's root folder. */
export const ROOT = join(import.meta.dirname!, "..");

/** How npm installs anything here: no package runs a script on this machine. */
export const NPM_INSTALL = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/**
 * Installs the packages of `folder`/package.json into `folder`/node_modules, and in the project's own, those of JSR.
 *
 * npm does it where there is one, as it knows the machine's registry, proxy and certificates, and keeps to the folder's
 * package-lock.json; Deno does it elsewhere. Install scripts are not run: that is Deno's default.
 */
export async function install(folder: string): Promise<void> {
  await installPackages(folder);
  if (folder === ROOT) await installStd(ROOT); // last, as npm removes what package.json does not name
}

async function installPackages(folder: string): Promise<void> {
  const packages = missingPackages(folder);
  if (packages.length === 0) return;
  console.log(`Installing ${packages.join(", ")}`);
  const npm = await hasNpm();
  // With a lock file, what that says, and nothing is written there; `npm ci` would remove first what is there.
  const lock = existsSync(join(folder, "package-lock.json")) ? "--no-save" : "--no-package-lock";
  const { code, output } = npm
    ? await run("npm", [...NPM_INSTALL, lock], { cwd: folder })
    // Deno trusts its own list of certificates only, unless told to trust the system's too.
    : await run(process.execPath, ["install", "--quiet", "--no-lock"], {
      cwd: folder,
      env: { DENO_TLS_CA_STORE: "mozilla,system", ...process.env },
    });
  const stillMissing = missingPackages(folder);
  if (code !== 0 || stillMissing.length > 0) {
    throw new Error(
      `Cannot install ${packages.join(", ")} with ${npm ? "npm" : "Deno"}. Is the npm registry reachable? ` +
        `Run the task again when it is; to begin afresh, remove ${join(folder, "node_modules")}\n${output}`,
    );
  }
}

/** Whether this machine has npm. */
export async function hasNpm(): Promise<boolean> {
  return (await run("npm", ["--version"])).code === 0;
}

/** The packages of `folder`/package.json which are not installed at the version which it pins. */
function missingPackages(folder: string): string[] {
  const { dependencies, devDependencies } = readJson(join(folder, "package.json"));
  return Object.entries<string>({ ...dependencies, ...devDependencies })
    .filter(([name, pinned]) => {
      try {
        const { version } = readJson(join(folder, "node_modules", name, "package.json"));
        return version.replace(/^v/, "") !== pinned.slice(pinned.lastIndexOf("@") + 1); // Node 20.16 calls itself v20.16.0
      } catch {
        return true; // not there
      }
    })
    .map(([name, pinned]) => `${name}@${pinned}`);
}

// deno-lint-ignore no-explicit-any
function readJson(path: string): any {
  return JSON.parse(readFileSync(path, "utf8"));
}

if (import.meta.main) {
  const folders = process.argv.slice(2);
  for (const folder of folders.length > 0 ? folders : ["."]) await install(join(ROOT, folder));
}

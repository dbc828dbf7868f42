// deno-lint-ignore-file no-console -- a program prints
// Puts @std/assert and @std/async, which tests and scripts import, into a node_modules folder: there Deno, Bun and Node all find
// them by their bare names, as long as deno.json does not map these. Where JSR cannot be reached, what is in scripts/std/ stands
// in for them.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isJsrReachable, JSR_PACKAGES } from "./jsr.ts";
import { run } from "./run.ts";

/** JSR's command line, which makes npm packages of those of JSR. */
const JSR = "jsr@0.14.3";

/** How long it may take, in milliseconds. */
const INSTALL_LIMIT = 60_000;

/** The version of what stands in. */
const STAND_IN = "0.0.0-stand-in";

/** The packages and their versions. */
const STD = Object.entries(JSR_PACKAGES).filter(([name]) => name.startsWith("@std/"))
  .map(([name, from]) => [name, from.slice(`jsr:${name}@`.length)] as const);

/** Puts the packages, or what stands in for them, into `folder`/node_modules. */
export async function installStd(folder: string): Promise<void> {
  const target = join(folder, "node_modules");
  if (STD.every(([name, version]) => installedVersion(target, name) === version)) return;
  if (await isJsrReachable(STD[0]![0]) && await installReal(target)) return;
  const isNew = STD.some(([name]) => installedVersion(target, name) !== STAND_IN);
  for (const [name] of STD) putStandIn(target, name);
  if (isNew) console.log(`JSR cannot be reached: scripts/std/ stands in for ${STD.map(([name]) => name).join(", ")}`);
}

/** The version in `target`; `undefined` when there is none. */
function installedVersion(target: string, name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(target, name, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}

/** Installs the packages of JSR; returns whether that worked. It takes a folder of its own, as npm removes what it does not know. */
async function installReal(target: string): Promise<boolean> {
  const scratch = mkdtempSync(join(tmpdir(), "futures-std-"));
  try {
    writeFileSync(join(scratch, "package.json"), `{ "private": true }\n`);
    const args = ["exec", "--yes", "--ignore-scripts", "--", JSR, "add", "--npm"];
    const { code } = await run("npm", [...args, ...STD.map(([name, version]) => `${name}@${version}`)], {
      cwd: scratch,
      // For the npm that it starts, too.
      env: { ...process.env, npm_config_ignore_scripts: "true", npm_config_fetch_retries: "0" },
      timeout: INSTALL_LIMIT,
    });
    const from = join(scratch, "node_modules");
    if (code !== 0 || STD.some(([name, version]) => installedVersion(from, name) !== version)) return false;
    for (const scope of readdirSync(from).filter((name) => name.startsWith("@"))) {
      for (const name of readdirSync(join(from, scope))) {
        rmSync(join(target, scope, name), { recursive: true, force: true });
        cpSync(join(from, scope, name), join(target, scope, name), { recursive: true, dereference: true });
      }
    }
    return true;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function putStandIn(target: string, name: string): void {
  const folder = join(target, name), file = name.slice("@std/".length);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const end of [".js", ".d.ts"]) cpSync(join(import.meta.dirname!, "std", file + end), join(folder, `mod${end}`));
  const exports = { ".": { types: "./mod.d.ts", default: "./mod.js" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version: STAND_IN, type: "module", exports }));
}

// The runtimes which the tests run on, at pinned versions: the Deno which runs this, and Bun, Node 24 and Node 20 from
// the npm registry's packages for this platform, in `.runtimes/`. Fetched when first asked for, never skipped.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { install, ROOT } from "./install.ts";

/** Paths of the executables. */
export interface Runtimes {
  deno: string;
  bun: string;
  node24: string;
  node20: string;
}

const BUN = "1.4.5";
const NODE_24 = "24.21.0";
const NODE_20 = "20.20.2";

/** The registry does not have every release of Node for every platform: the nearest it has for these. */
const NEAREST: Record<string, { node24: string; node20: string }> = {
  "darwin-arm64": { node24: "24.0.0", node20: "20.18.1" },
  "darwin-x64": { node24: "24.18.1", node20: "20.20.2" },
};

/** Fetches the runtimes that are missing and returns the paths of all. */
export async function runtimes(): Promise<Runtimes> {
  const folder = join(ROOT, ".runtimes");
  mkdirSync(folder, { recursive: true });
  // A configuration of its own keeps Deno from taking the folder for a part of the project.
  writeFileSync(join(folder, "deno.json"), `{ "nodeModulesDir": "manual", "lock": false }\n`);
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, dependencies: platformPackages() }, null, 2) + "\n",
  );
  await install(folder);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const executable = (name: string, file: string) => join(folder, "node_modules", name, "bin", file + suffix);
  return {
    deno: process.execPath,
    bun: executable("bun", "bun"),
    node24: executable("node24", "node"),
    node20: executable("node20", "node"),
  };
}

/** The packages which hold just the executables for this platform, so that no install script is needed. */
function platformPackages(): Record<string, string> {
  const { platform, arch } = process;
  const bunOs = platform === "win32" ? "windows" : platform;
  const bunArch = arch === "arm64" ? "aarch64" : arch;
  const nodeOs = platform === "win32" ? "win" : platform;
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  const { node24 = NODE_24, node20 = NODE_20 } = NEAREST[`${platform}-${arch}`] ?? {};
  return {
    bun: `npm:@oven/bun-${bunOs}-${bunArch}@${BUN}`,
    node24: `npm:${prefix}-${nodeOs}-${arch}@${node24}`,
    node20: `npm:${prefix}-${nodeOs}-${arch}@${node20}`,
  };
}

// Starts the build tools of tests/tools as their users do.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../tools/", import.meta.url));

/** Returns the path of a tool's file, which Node runs. */
export function toolFile(file: string): string {
  const path = join(FOLDER, "node_modules", file);
  if (!existsSync(path)) throw new Error(`There is no ${path}: deno task test installs it`);
  return path;
}

/** Runs esbuild as a command, as its functions leave a process behind. Returns what it prints. */
export function esbuild(args: readonly string[], { cwd, input }: { cwd?: string; input?: string } = {}): string {
  const { platform, arch } = process;
  const file = platform === "win32" ? `@esbuild/win32-${arch}/esbuild.exe` : `@esbuild/${platform}-${arch}/bin/esbuild`;
  const options = { ...(cwd && { cwd }), ...(input && { input }), encoding: "utf8" } as const;
  return execFileSync(toolFile(file), [...args, "--log-level=error"], options);
}

/** Imports a tool. */
export function tool<T>(name: string): T {
  return createRequire(join(FOLDER, "package.json"))(name) as T;
}

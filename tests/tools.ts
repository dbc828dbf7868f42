// The build tools of tests/tools, as their users start them.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("./tools/", import.meta.url));

/** The file of a tool that Node runs. */
export function toolFile(file: string): string {
  const path = join(FOLDER, "node_modules", file);
  if (!existsSync(path)) throw new Error(`There is no ${path}: deno task test installs it`);
  return path;
}

/** A tool that is imported. */
export function tool<T>(name: string): T {
  return createRequire(join(FOLDER, "package.json"))(name) as T;
}

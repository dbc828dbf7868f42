// The entry points of the package, by deno.json.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./install.ts";

const { exports }: { exports: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

/** Those that users import or run, by name, and their files: the others are where workers start. */
export const ENTRIES: readonly (readonly [name: string, file: string])[] = Object.entries(exports)
  .filter(([name]) => !name.startsWith("./internal/"));

// deno-lint-ignore-file no-console -- a program prints
// Writes the reference of the public names into api/: `deno task docs`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ENTRIES } from "./entries.ts";
import { ROOT } from "./install.ts";
import { mustRun } from "./run.ts";

const { name }: { name: string } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

/** The entry points that programs import: no commands. */
const entries = ENTRIES.filter(([entry]) => entry !== "./bullmq/serve").map(([, file]) => file);

await mustRun(process.execPath, ["doc", "--html", `--name=${name}`, "--output=api", ...entries], { cwd: ROOT });
console.log(`Written: ${join(ROOT, "api", "index.html")}`);

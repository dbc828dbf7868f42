// The texts of the workers' entries are those of the files. How workers start from them: tests/package/bundlers.

import { assert } from "@std/assert";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ENTRY_TEXTS, ROOT, textOf } from "../../scripts/entry_texts.ts";
import { runtimeCommand } from "../support/runtime_commands.ts";
import pinned from "../../scripts/runtimes.json" with { type: "json" };

const [bun] = runtimeCommand("bun");
const version = execFileSync(bun!, ["--version"], { encoding: "utf8" }).trim();

// Another version of Bun writes another text.
for (const [entry, file] of version === Object.values(pinned)[0]!.bun.version ? ENTRY_TEXTS : []) {
  test(`${file} is the text of ${entry}`, () => {
    const message = `${file} is old: run \`deno task entries\``;
    assert(readFileSync(join(ROOT, file), "utf8") === textOf(entry, bun!), message);
  });
}

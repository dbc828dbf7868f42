// Writes the texts of the workers' entries, which start workers where a build tool has left the files of this package behind:
// `deno task entries`. tests/package/entry_texts_test.ts says when that is due.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./install.ts";
import { runtimes } from "./runtimes.ts";

export { ROOT };

/** The entries, and the files of their texts. */
export const ENTRY_TEXTS: readonly (readonly [entry: string, text: string])[] = [
  ["src/thread/entry.web.js", "src/thread/entry.web.text.ts"],
  ["src/thread/entry.node.js", "src/thread/entry.node.text.ts"],
  ["src/process/entry.js", "src/process/entry.text.ts"],
  ["src/process/entry.relay.js", "src/process/entry.relay.text.ts"],
];

/** What is in the file of a text, written by Bun at the version that runtimes.json pins. */
export function textOf(entry: string, bun: string): string {
  // The text has no URL. What it would be used for is there by other means.
  const options = ["--target=node", "--format=cjs", "--minify", '--define=import.meta.url="file:///"'];
  const code = execFileSync(bun, ["build", ...options, entry], { cwd: ROOT, encoding: "utf8" });
  return `// deno-fmt-ignore-file -- a program writes it
// ${entry} and all that it imports, in one. Written by scripts/entry_texts.ts.
export const entry: string = ${JSON.stringify(code.trim())};
`;
}

if (import.meta.main) {
  const { bun } = await runtimes();
  for (const [entry, file] of ENTRY_TEXTS) writeFileSync(join(ROOT, file), textOf(entry, bun));
}

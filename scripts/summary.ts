// Writes what was measured into the page that shows it.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { ROOT } from "./install.ts";
import { mustRun } from "./run.ts";

/**
 * Puts a text between its markers, `<!-- name:summary -->` and `<!-- /name:summary -->`, in README.md or the page of docs/
 * that has them.
 *
 * @param name What was measured.
 * @param write Makes the text; is given the path from the page's folder to the project's, for links: "" or "../".
 */
export async function writeSummary(name: string, write: (toRoot: string) => string): Promise<void> {
  const begin = `<!-- ${name}:summary -->`, end = `<!-- /${name}:summary -->`;
  const pages = ["README.md", ...readdirSync(join(ROOT, "docs")).map((file) => `docs/${file}`)]
    .map((page) => join(ROOT, page))
    .filter((page) => page.endsWith(".md") && existsSync(page));
  const page = pages.find((page) => readFileSync(page, "utf8").includes(begin));
  if (!page) throw new Error(`Cannot write the summary as no page has a place for it: ${begin}`);
  const text = readFileSync(page, "utf8");
  if (!text.includes(end)) throw new Error(`Cannot write the summary as ${page} has no ${end}`);
  const toRoot = relative(dirname(page), ROOT).replaceAll("\\", "/");
  const summary = `${begin}\n\n${write(toRoot && `${toRoot}/`)}\n\n${end}`;
  writeFileSync(page, text.slice(0, text.indexOf(begin)) + summary + text.slice(text.indexOf(end) + end.length));
  await mustRun(process.execPath, ["fmt", "--quiet", page], { cwd: ROOT });
}

// Compiles the source and its tests for versions of Node that know neither types nor `await using`, 20 and 22:
//
//   deno run -A scripts/compile.ts <folder>
//
// It is a program of its own as it needs `typescript`: a program of Deno (2.9) that was started before that was installed does
// not find it.

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import ts from "typescript";
import { ROOT } from "./install.ts";

/** Folders that the tests of behaviour need. */
const FOLDERS = ["src", "tests/behaviour", "tests/fixtures", "tests/support", "scripts"];

/** The end of a file's name, in imports, in texts and in patterns. */
const TS = /(?<=[\w}])(\\?\.)ts\b/g;

/** What Node 20 does not have, as far as the tests, and @std/async in them, need it. */
const MISSING = `Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
Array.fromAsync ??= async (items) => {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
};
`;

/**
 * Compiles each file by itself, as users of the npm package have it: in JavaScript, with names that end in `.js`.
 *
 * @param to Where the compiled files go, in the same folders.
 */
function compile(to: string): void {
  const files = FOLDERS.flatMap((folder) =>
    (readdirSync(join(ROOT, folder), { recursive: true }) as string[]).map((file) => join(folder, file))
  ).filter((file) => /\.(ts|js|json)$/.test(file) && !file.endsWith(".d.ts") && !file.includes("node_modules"));
  for (const file of ["mod.ts", "package.json", "deno.json", ...files]) {
    const source = readFileSync(join(ROOT, file), "utf8");
    const target = join(to, file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.endsWith(".json") ? source : toJavaScript(source));
  }
  const harness = join(to, "tests", "behaviour", "behaviour.js");
  writeFileSync(harness, MISSING + readFileSync(harness, "utf8"));
  symlinkSync(join(ROOT, "node_modules"), join(to, "node_modules"), "junction");
}

function toJavaScript(source: string): string {
  const { ScriptTarget, ModuleKind } = ts;
  const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext, verbatimModuleSyntax: true };
  return ts.transpileModule(source, { compilerOptions }).outputText.replaceAll(TS, "$1js");
}

compile(process.argv[2]!);

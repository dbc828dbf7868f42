// Every program in README.md and in the examples of the doc comments runs as a user would run it: in an empty folder, with
// the package beside it. What a program prints is in its `// prints:` comments.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runtime } from "../src/runtime.ts";
import { CEILING } from "./until.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Programs that run at the same time. */
const AT_ONCE = 2;

/** A block of code. */
interface Block {
  /** Where it is, for messages. */
  readonly place: string;
  readonly code: string;
  /** The file that it is for others; a program has none. */
  readonly file: string | undefined;
}

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

/** Blocks that stand together, by what they belong to. */
const groups = new Map<string, Block[]>();

for (const section of readme.split(/^(?=## )/m)) {
  const title = /^##? (.*)$/m.exec(section)![1]!;
  const blocks = [...section.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(([, code], n) => ({
    place: `README.md, "${title}", block ${n + 1}`,
    code: code!,
    file: /^\/\/ (?!main\.ts$)(\w+\.ts)$/m.exec(code!.split("\n")[0]!)?.[1],
  }));
  if (blocks.length > 0) groups.set(`README.md, "${title}",`, blocks);
}

for (const file of ["mod.ts", ...sourceFiles("src")]) {
  const text = readFileSync(join(ROOT, file), "utf8");
  const blocks = [...text.matchAll(/@example (.*)\n\s*\* ```ts\n(.*?)\n\s*\* ```/gs)].map(([, title, code]) => ({
    place: `${file}, "${title}"`,
    code: code!.replaceAll(/^\s*\* ?/gm, "") + "\n",
    file: undefined,
  }));
  if (blocks.length > 0) groups.set(`The documentation of ${file}`, blocks);
}

for (const [name, blocks] of groups) test(`${name} runs as it is written`, () => runAll(blocks));

if (runtime === "deno") {
  test("README.md and the documentation compile", async () => {
    const folder = mkdtempSync(join(tmpdir(), "futures-docs-"));
    try {
      install(folder);
      const files = [...groups.values()].flatMap((blocks, group) =>
        blocks.map(({ file, code }, n) => {
          mkdirSync(join(folder, `group_${group}`), { recursive: true });
          const path = `group_${group}/${file ?? `program_${n}.ts`}`;
          writeFileSync(join(folder, path), code);
          return path;
        })
      );
      const { problem, stderr } = await run(folder, ["check", "--quiet", ...files]);
      assert.equal(problem, undefined, stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test("README.md has the lines that a new user copies", () => {
  for (
    const line of [
      "npx -y deno@2 task demo",
      "npx -y deno@2 task test",
      "deno add jsr:@concurrent/futures",
      "bun add @concurrent/futures",
      "npm install @concurrent/futures",
    ]
  ) {
    assert.match(readme, new RegExp(`^${line}`, "m"));
  }
  const { tasks } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  assert.ok(tasks.demo && tasks.test);
});

test("README.md links to what exists", () => {
  const anchors = [...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(" ", "-"));
  for (const [, target] of readme.matchAll(/\]\((?!https:)(.*?)\)/g)) {
    if (target!.startsWith("#")) assert.ok(anchors.includes(target!.slice(1)), target);
    else readFileSync(join(ROOT, target!));
  }
});

/** Runs the programs among blocks, in a folder with the other blocks as files, and with each import that they offer. */
async function runAll(blocks: readonly Block[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "futures-docs-"));
  try {
    install(folder);
    for (const { file, code } of blocks) if (file) writeFileSync(join(folder, file), code);
    const programs = blocks.filter(({ file }) => !file).flatMap(variants);
    const failures: string[] = [];
    let next = 0;
    const lane = async () => {
      for (let n = next++; n < programs.length; n = next++) {
        const { place, code } = programs[n]!;
        const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
        writeFileSync(join(folder, `program_${n}.ts`), code);
        const { problem, stdout, stderr } = await run(folder, [...flags, `program_${n}.ts`]);
        const printed = stdout.trimEnd().split("\n").join(", ");
        const expected = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => line).join(", ");
        if (problem) failures.push(`${place}: ${problem}\n${stderr}`);
        else if (stderr) failures.push(`${place} writes to stderr: ${stderr}`);
        else if (printed !== expected) failures.push(`${place} prints "${printed}" rather than "${expected}"`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    assert.deepEqual(failures, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program, and the same one with the import line that it has in a comment. */
function variants(block: Block): Block[] {
  const other = block.code.replace(/^(import .*)\n\/\/ (import .*)$/m, "// $1\n$2");
  return other === block.code ? [block] : [block, { ...block, place: `${block.place}, the other import`, code: other }];
}

/** Makes the package resolve in a folder, to its source: no copy is made, so that Node strips the types. */
function install(folder: string): void {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const imports: Record<string, string> = {};
  for (const [name, file] of Object.entries<string>(exports)) {
    imports[`@concurrent/futures${name.slice(1)}`] = pathToFileURL(join(ROOT, file)).href;
  }
  if (runtime === "deno") return writeFileSync(join(folder, "deno.json"), JSON.stringify({ imports }));
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  const link = join(folder, "node_modules", "@concurrent", "futures");
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(ROOT, link, "junction"); // a kind of link that Windows lets everybody make
}

function run(
  folder: string,
  args: readonly string[],
): Promise<{ problem: string | undefined; stdout: string; stderr: string }> {
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...env } = process.env;
  const options = { cwd: folder, env: { ...env, NO_COLOR: "1" }, timeout: CEILING, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
      resolve({ problem: error?.message, stdout, stderr });
    });
  });
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? sourceFiles(path) : path.endsWith(".ts") ? [path] : [];
  });
}

// Every program in README.md and in the examples of the doc comments runs as a user would run it.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runtime } from "../../src/runtime.ts";
import { type Block, blocksOf, install, ROOT, run, runAll, wantRedis } from "./docs_programs.ts";
import { needsRedis } from "../support/redis_server.ts";

const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const clusterPage = readFileSync(join(ROOT, "docs/cluster.md"), "utf8");

/** Blocks that stand together, by what they belong to. */
const groups = new Map<string, Block[]>();

for (const section of readme.split(/^(?=## )/m)) {
  const title = /^##? (.*)$/m.exec(section)![1]!;
  const blocks = blocksOf(section, `README.md, "${title}"`);
  if (blocks.length > 0) groups.set(`README.md, "${title}",`, blocks);
}

// One program after another builds on the same files.
groups.set("docs/cluster.md", blocksOf(clusterPage, "docs/cluster.md"));

for (const file of ["mod.ts", ...sourceFiles("src")]) {
  const text = readFileSync(join(ROOT, file), "utf8");
  const blocks = [...text.matchAll(/@example (.*)\n\s*\* ```ts\n(.*?)\n\s*\* ```/gs)].map(([, title, code]) => ({
    place: `${file}, "${title}"`,
    code: code!.replaceAll(/^\s*\* ?/gm, "") + "\n",
    file: undefined,
  }));
  if (blocks.length > 0) groups.set(`The documentation of ${file}`, blocks);
}

for (const [name, blocks] of groups) {
  test(`${name} runs as it is written`, wantRedis(blocks) ? needsRedis : {}, () => runAll(blocks));
}

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

test("README.md and docs/cluster.md link to what exists", () => {
  for (const [folder, page] of [["", readme], ["docs", clusterPage]] as const) {
    const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(" ", "-"));
    for (const [, target] of page.matchAll(/\]\((?!https:)(.*?)\)/g)) {
      if (target!.startsWith("#")) assert.ok(anchors.includes(target!.slice(1)), target);
      else readFileSync(join(ROOT, folder, target!.split("#")[0]!));
    }
  }
});

test("SECURITY.md names tests that there are", () => {
  const named = [...readFileSync(join(ROOT, "SECURITY.md"), "utf8").matchAll(/`(tests\/\S+\.ts)`: "([^"]+)"/g)];
  assert.ok(named.length > 0);
  for (const [, file, name] of named) assert.ok(readFileSync(join(ROOT, file!), "utf8").includes(name!), name);
});

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? sourceFiles(path) : path.endsWith(".ts") ? [path] : [];
  });
}

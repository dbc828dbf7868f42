// What is refused before anything is published, and what is published: scripts/release_check.ts, and deno.json.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Release, releaseProblems } from "../../scripts/release_check.ts";
import { run } from "../../scripts/run.ts";
import { runtime } from "../support/runtime.ts";
import { runtimeCommand } from "../support/runtime_commands.ts";
import { CEILING } from "../support/until.ts";

const ROOT = new URL("../../", import.meta.url);

const ready: Release = {
  tag: "v1.2.3",
  version: "1.2.3",
  changelog: "# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n- Something.\n\n## 1.2.2\n\n- Something else.\n",
  repository: "git+https://github.com/owner/name.git",
  madeIn: "owner/name",
};

test("releaseProblems() has nothing against a release that is ready", () => {
  assertEquals(releaseProblems(ready), []);
  assertEquals(releaseProblems({ ...ready, changelog: "## 1.2.3\n\n- Something.\n" }), []);
  assertEquals(releaseProblems({ ...ready, madeIn: undefined }), []);
});

for (
  const [what, change, problem] of [
    ["the tag of another version", { tag: "v1.2.4" }, /^The tag is v1\.2\.4, but deno\.json has version 1\.2\.3/],
    ["a tag without v", { tag: "1.2.3" }, /tag v1\.2\.3$/],
    ["a version that CHANGELOG.md has not", { changelog: "## 1.2.2\n\n- Something.\n" }, /says nothing about 1\.2\.3/],
    ["a version of which CHANGELOG.md has the heading alone", {
      changelog: "## 1.2.3\n\n## 1.2.2\n\n- Something.\n",
    }, /says nothing about 1\.2\.3/],
    [
      "a longer version in CHANGELOG.md",
      { changelog: "## 1.2.3-beta\n\n- Something.\n" },
      /says nothing about 1\.2\.3/,
    ],
    ["changes that are unreleased still", {
      changelog: "## Unreleased\n\n- New.\n\n## 1.2.3\n\n- Something.\n",
    }, /has unreleased changes/],
    ["a fork", { madeIn: "other/name" }, /names git\+https:\/\/github\.com\/owner\/name\.git .* made in other\/name/],
  ] satisfies [string, Partial<Release>, RegExp][]
) {
  test(`releaseProblems() refuses ${what}`, () => {
    const problems = releaseProblems({ ...ready, ...change });
    assertEquals(problems.length, 1);
    assertMatch(problems[0]!, problem);
  });
}

test("release_check.ts fails for the tag of another version, and reads this project's files", async () => {
  const { version } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  const [command, ...flags] = runtimeCommand(runtime);
  const program = fileURLToPath(new URL("scripts/release_check.ts", ROOT));
  const { code, output } = await run(command!, [...flags, program, `v${version}0`], { timeout: CEILING });
  assertEquals(code, 1);
  assertMatch(
    output,
    new RegExp(`^The tag is v${version}0, but deno\\.json has version ${version}: tag v${version}$`, "m"),
  );
});

test("JSR gets what the pages show", () => {
  const { publish } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  const pages = [
    "README.md",
    ...["docs", "bench"].flatMap((folder) => filesIn(folder).filter((it) => it.endsWith(".md"))),
  ];
  const shown = pages.flatMap((page) =>
    [...readFileSync(new URL(page, ROOT), "utf8").matchAll(/!\[[^\]]*\]\(([^):]+)\)/g)].map(([, path]) =>
      join(dirname(page), path!)
    )
  );
  assert(shown.length > 0);
  for (const file of shown) {
    assert(existsSync(new URL(file, ROOT)), file);
    const isIn = (pattern: string) =>
      pattern.endsWith("/") ? file.startsWith(pattern) : pattern === file.replace(/\/[^/]*(\.\w+)$/, "/*$1");
    assert(publish.include.some(isIn), `deno.json's publish.include has no ${file}`);
  }
});

function filesIn(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT)).map((file) => `${folder}/${file}`);
}

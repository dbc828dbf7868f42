// The types of the npm package, for each version of TypeScript that package.json pins: strict, with the declarations of the
// package checked too, and in the ordinary project of Node, which has no DOM library.

import { assertEquals } from "@std/assert";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { mustRun, run } from "../../../scripts/run.ts";
import { runtimes } from "../../../scripts/runtimes.ts";

const FOLDER = import.meta.dirname!;

const STRICT = ["--strict", "--skipLibCheck", "false", "--noEmit", "--target", "es2022"];
const STRICTER = ["--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--verbatimModuleSyntax"];

/** What a project may look like. */
const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  "of Node, without the DOM library": ["--module", "nodenext", "--lib", "es2022", "--types", "node", ...STRICTER],
  "of a bundler, for browsers": [
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
    "--lib",
    "esnext,dom",
    "--typeRoots",
    "none",
  ],
};

/** The compilers, by the names under which package.json has them. */
const compilers = Object.keys(JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8")).devDependencies)
  .filter((name) => name.startsWith("typescript-"));

test("types of the npm package", async (t) => {
  const { node24 } = await runtimes();
  const folder = mkdtempSync(join(tmpdir(), "futures-types-"));
  try {
    const tarball = await buildNpm();
    const scope = join(folder, "node_modules", "@concurrent");
    mkdirSync(scope, { recursive: true });
    await mustRun("tar", ["-xzf", tarball], { cwd: scope });
    renameSync(join(scope, "package"), join(scope, "futures"));
    symlinkSync(join(FOLDER, "node_modules", "@types"), join(folder, "node_modules", "@types"), "junction");
    cpSync(join(FOLDER, "program"), folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }\n`);

    for (const compiler of compilers) {
      const tsc = join(FOLDER, "node_modules", compiler, "bin", "tsc");
      for (const [project, flags] of Object.entries(PROJECTS)) {
        await t.test(`compile in a project ${project}: ${compiler}`, async () => {
          const { code, output } = await run(node24, [tsc, ...STRICT, ...flags, "main.ts"], { cwd: folder });
          assertEquals(output, "");
          assertEquals(code, 0);
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

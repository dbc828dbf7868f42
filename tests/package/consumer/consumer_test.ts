// The npm package as its users get it: built, packed, installed into an empty folder, and used from there on Node 20,
// Node 24 and Bun. Deno runs this test (scripts/test.ts); the programs are in `program/`.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { hasNpm, NPM_INSTALL, ROOT } from "../../../scripts/install.ts";
import { mustRun, run } from "../../../scripts/run.ts";
import { runtimes } from "../../../scripts/runtimes.ts";

/** A program which has not ended by then never will. */
const timeout = 30_000;

test("npm package", async (t) => {
  const { bun, node20, node24 } = await runtimes();
  const folder = mkdtempSync(join(tmpdir(), "futures-consumer-"));
  try {
    // Without these steps there is nothing to test, so they are not tests of their own.
    const tarball = await buildNpm();
    writeFileSync(join(folder, "package.json"), `{ "private": true, "type": "module" }\n`);
    if (await hasNpm()) {
      await mustRun("npm", [...NPM_INSTALL, tarball], { cwd: folder });
    } else {
      await mustRun(bun, ["add", "--ignore-scripts", tarball], { cwd: folder });
    }
    cpSync(join(import.meta.dirname!, "program"), folder, { recursive: true });

    for (const [name, runtime] of Object.entries({ "Node 20": node20, "Node 24": node24, Bun: bun })) {
      for (const kind of ["thread", "process"]) {
        await t.test(`runs a program in JavaScript with ${kind} workers on ${name}`, async () => {
          const { code, output } = await run(runtime, ["main.js", kind], { cwd: folder, timeout });
          assert.equal(output, "all is well\n");
          assert.equal(code, 0);
        });

        await t.test(`runs a program with its tasks in the same file, with ${kind} workers on ${name}`, async () => {
          const { code, output } = await run(runtime, ["one_file.js", kind], { cwd: folder, timeout });
          assert.equal(output, "42 true false\n");
          assert.equal(code, 0);
        });

        await t.test(`tells one without a guard what to do, with ${kind} workers on ${name}`, async () => {
          const env = { ...process.env, UNGUARDED: "1" };
          const { code, output } = await run(runtime, ["one_file.js", kind], { cwd: folder, timeout, env });
          assert.match(output, /^Cannot load the task 'double' as its module .*: Cannot submit .*`if \(!isWorker\)/);
          assert.equal(code, 0);
        });

        await t.test(`lets a program end which leaves its ${kind} workers idle on ${name}`, async () => {
          const { code, output } = await run(runtime, ["no_shutdown.js", kind], { cwd: folder, timeout });
          assert.equal(output, "DONE!\n");
          assert.equal(code, 7);
        });
      }
    }

    await t.test("says where the project is, and what to load for tools that read no exports", () => {
      const path = join(folder, "node_modules", "@concurrent", "futures", "package.json");
      const { repository, homepage, bugs, main, types, exports, publishConfig } = JSON.parse(
        readFileSync(path, "utf8"),
      );
      assert.deepEqual(repository, JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).repository);
      assert.match(homepage, /^https:\/\/\S+#readme$/);
      assert.match(bugs.url, /^https:\/\/\S+\/issues$/);
      assert.deepEqual({ types, default: main }, exports["."]);
      assert.deepEqual(publishConfig, { access: "public", provenance: true });
    });

    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    for (const [module, moduleResolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]]) {
      await t.test(`has types for tsc --strict --moduleResolution ${moduleResolution}`, async () => {
        const { code, output } = await run(node24, [
          ...[tsc, "--strict", "--module", module!, "--moduleResolution", moduleResolution!],
          ...["--target", "es2022", "--lib", "esnext,dom", "--noEmit", "--allowImportingTsExtensions", "main.ts"],
        ], { cwd: folder, timeout });
        assert.equal(output, "");
        assert.equal(code, 0);
      });
    }

    for (const [name, runtime] of Object.entries({ "Node 24": node24, Bun: bun })) {
      await t.test(`runs a program in TypeScript on ${name}`, async () => {
        const { code, output } = await run(runtime, ["main.ts"], { cwd: folder, timeout });
        assert.equal(output, "all is well\n");
        assert.equal(code, 0);
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

// The npm package as its users get it: built, packed, installed into an empty folder, and used from there on Node 20,
// Node 24 and Bun. Deno runs this test (scripts/test.ts); the programs are in `program/`.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { ENTRIES } from "../../../scripts/entries.ts";
import { hasNpm, NPM_INSTALL, ROOT } from "../../../scripts/install.ts";
import { mustRun, run } from "../../../scripts/run.ts";
import { runtimes } from "../../../scripts/runtimes.ts";
import { publicApi } from "./public_api.ts";

/** A program which has not ended by then never will. */
const timeout = 30_000;

/** Imports every entry point but the command, which would start, and prints what is not called as it is exported. */
const IMPORT_ALL = ENTRIES.filter(([name]) => name !== "./bullmq/serve").map(([name]) => `
for (const [name, it] of Object.entries(await import("@concurrent/futures${name.slice(1)}"))) {
  if (typeof it === "function" && it.name !== name) console.log("${name}:", name, "is called", it.name);
}
`).join("");

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
          assertEquals(output, "all is well\n");
          assertEquals(code, 0);
        });

        await t.test(`runs a program with its tasks in the same file, with ${kind} workers on ${name}`, async () => {
          const { code, output } = await run(runtime, ["one_file.js", kind], { cwd: folder, timeout });
          assertEquals(output, "42 true false\n");
          assertEquals(code, 0);
        });

        await t.test(`tells one without a guard what to do, with ${kind} workers on ${name}`, async () => {
          const env = { ...process.env, UNGUARDED: "1" };
          const { code, output } = await run(runtime, ["one_file.js", kind], { cwd: folder, timeout, env });
          assertMatch(output, /^Cannot load the task 'double' as its module .*: Cannot submit .*`if \(!isWorker\)/);
          assertEquals(code, 0);
        });

        await t.test(`lets a program end which leaves its ${kind} workers idle on ${name}`, async () => {
          const { code, output } = await run(runtime, ["no_shutdown.js", kind], { cwd: folder, timeout });
          assertEquals(output, "DONE!\n");
          assertEquals(code, 7);
        });
      }
    }

    await t.test("says where the project is, and what to load for tools that read no exports", () => {
      const path = join(folder, "node_modules", "@concurrent", "futures", "package.json");
      const { repository, homepage, bugs, main, types, exports, publishConfig } = JSON.parse(
        readFileSync(path, "utf8"),
      );
      assertEquals(repository, JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).repository);
      assertMatch(homepage, /^https:\/\/\S+#readme$/);
      assertMatch(bugs.url, /^https:\/\/\S+\/issues$/);
      assertEquals({ types, default: main }, exports["."]);
      assertEquals(publishConfig, { access: "public", provenance: true });
    });

    // Whichever builder made it: what holds of both is the same in both.
    await t.test("has the entry points, the modules and the types of the source", () => {
      const installed = join(folder, "node_modules", "@concurrent", "futures");
      const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
      const built = (file: string, end: string) => `./esm/${file.slice("./".length).replace(/\.[jt]s$/, end)}`;
      const targets: Record<string, { types: string; default: string }> = exports;
      assertEquals(
        Object.entries(targets).map(([name, target]) => [name, target.types, target.default]),
        ENTRIES.map(([name, file]) => [name, built(file, ".d.ts"), built(file, ".js")]),
      );
      const modules = (readdirSync(join(installed, "esm"), { recursive: true }) as string[])
        .filter((file) => file.endsWith(".js")).map((file) => `./esm/${file.replaceAll("\\", "/")}`);
      const manifest: { exports: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
      assertEquals(
        modules.filter((file) => !file.startsWith("./esm/src/shared/")).sort(),
        // With the entry of the relay thread, which is no entry point for JSR.
        [...Object.values(manifest.exports), "./src/process/entry.relay.js"].map((file) => built(file, ".js")).sort(),
      );
      assertEquals(
        publicApi(Object.fromEntries(ENTRIES.map(([name]) => [name, join(installed, targets[name]!.types)]))),
        publicApi(Object.fromEntries(ENTRIES.map(([name, file]) => [name, join(ROOT, file)]))),
      );
    });

    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    for (const [module, moduleResolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]]) {
      await t.test(`has types for tsc --strict --moduleResolution ${moduleResolution}`, async () => {
        const { code, output } = await run(node24, [
          ...[tsc, "--strict", "--module", module!, "--moduleResolution", moduleResolution!],
          ...["--target", "es2022", "--lib", "esnext,dom", "--noEmit", "--allowImportingTsExtensions", "main.ts"],
        ], { cwd: folder, timeout });
        assertEquals(output, "");
        assertEquals(code, 0);
      });
    }

    for (const [name, runtime] of Object.entries({ "Node 24": node24, Bun: bun })) {
      await t.test(`runs a program in TypeScript on ${name}`, async () => {
        const { code, output } = await run(runtime, ["main.ts"], { cwd: folder, timeout });
        assertEquals(output, "all is well\n");
        assertEquals(code, 0);
      });
    }

    // What only these entry points need comes last: everything before ran without it.
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const peers = ["bullmq", "devalue", "ioredis"].map((name) => `${name}@${devDependencies[name]}`);
    if (await hasNpm()) await mustRun("npm", [...NPM_INSTALL, ...peers], { cwd: folder });
    else await mustRun(bun, ["add", "--ignore-scripts", ...peers], { cwd: folder });
    writeFileSync(join(folder, "entries.js"), IMPORT_ALL);
    for (const [name, runtime] of Object.entries({ "Node 20": node20, "Node 24": node24, Bun: bun })) {
      await t.test(`has entry points that can all be imported, whose names are those of the source, on ${name}`, async () => {
        const { code, output } = await run(runtime, ["entries.js"], { cwd: folder, timeout });
        assertEquals(output, "");
        assertEquals(code, 0);
      });

      await t.test(`has the command futures-serve on ${name}`, async () => {
        const installed = join(folder, "node_modules", "@concurrent", "futures");
        const { bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
        const command = join(installed, bin["futures-serve"]);
        const { code, output } = await run(runtime, [command, "--help"], { cwd: folder, timeout });
        assertMatch(output, /^Runs the calls of a queue: .*\n\n {2}--queue /);
        assertEquals(code, 0);
      });
    }

    await t.test("has the command futures-serve as a program", async () => {
      const command = join(folder, "node_modules", ".bin", "futures-serve");
      if (process.platform === "win32") return assert(existsSync(`${command}.cmd`));
      assertMatch(readFileSync(command, "utf8"), /^#!\/usr\/bin\/env node\n/);
      const PATH = `${dirname(node24)}${delimiter}${process.env.PATH}`;
      const { code, output } = await run(command, ["--help"], { cwd: folder, timeout, env: { ...process.env, PATH } });
      assertMatch(output, /^Runs the calls of a queue: .*\n\n {2}--queue /);
      assertEquals(code, 0);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

// What builds and tests this package, and comes from elsewhere: each by a version and a hash, none with a script of its own that
// runs here, and CI with no more rights than to read.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/run.ts";
import { runtimeCommand } from "../support/runtime_commands.ts";
import { CEILING } from "../support/until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

// deno-lint-ignore no-explicit-any
type Json = any;

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function readJson(file: string): Json {
  return JSON.parse(read(file));
}

const workflows = readdirSync(join(ROOT, ".github/workflows")).map((file) => `.github/workflows/${file}`);

test("CI may read, and nothing else, and its actions are pinned by commits", () => {
  assert.ok(workflows.length > 0);
  for (const file of workflows) {
    const text = read(file);
    assert.deepEqual(text.match(/^\s*permissions:.*(\n .*)*/gm), ["permissions:\n  contents: read"], file);
    assert.doesNotMatch(text, /secrets\.|pull_request_target|workflow_run/, file);
    const uses = text.match(/^.*\buses:.*$/gm) ?? [];
    for (const line of uses) assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
    const checkouts = uses.filter((line) => line.includes("actions/checkout"));
    assert.equal(text.match(/persist-credentials: false/g)?.length, checkouts.length, file);
  }
});

test("no package runs a script when it is installed, on any path", () => {
  const scripts = (readdirSync(join(ROOT, "scripts"), { recursive: true }) as string[]).map((file) =>
    `scripts/${file}`
  );
  const tests = (readdirSync(join(ROOT, "tests"), { recursive: true }) as string[]).map((file) => `tests/${file}`);
  const installs: string[] = [];
  for (const file of [...workflows, ".ci/run"]) {
    installs.push(...read(file).match(/^(?!\s*#).*\b(npm (ci|install|i|exec)|npx)\b.*$/gm) ?? []);
  }
  for (const file of [...scripts, ...tests].filter((file) => /\.[jt]s$/.test(file) && !file.includes("node_modules"))) {
    installs.push(
      ...read(file).match(/^.*(\(|\[)("npm"|"npx"|"bunx"|bun), \[.*("install"|"ci"|"add"|NPM_INSTALL|-y).*$/gm) ?? [],
    );
  }
  assert.ok(installs.length >= 5, installs.join("\n"));
  for (const line of installs) assert.match(line, /--ignore-scripts|NPM_INSTALL/);
  assert.match(read("scripts/install.ts"), /NPM_INSTALL = \["install", "--ignore-scripts"/);
});

/** The folders with packages of their own. */
const folders = [".", "tests/tools"].filter((folder) => existsSync(join(ROOT, folder, "package.json")));

for (const folder of folders) {
  test(`the packages of ${folder}/ are pinned, with hashes, in a lock file that names no registry`, () => {
    const { dependencies, devDependencies } = readJson(`${folder}/package.json`);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assert.match(version as string, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
    }
    const lock = readJson(`${folder}/package-lock.json`);
    assert.equal(lock.lockfileVersion, 3);
    const { "": own, ...packages } = lock.packages as Record<string, Json>;
    assert.deepEqual(own.devDependencies, devDependencies);
    assert.deepEqual(own.dependencies, dependencies);
    for (const [path, { version, integrity, resolved }] of Object.entries(packages)) {
      assert.match(version, /^\d+\.\d+\.\d+/, path);
      assert.match(integrity, /^sha512-[\w+/]{86}==$/, path);
      assert.equal(resolved, undefined, path);
    }
  });
}

test("the runtimes are pinned, with hashes, in one place", () => {
  const platforms = Object.entries<Record<string, Json>>(readJson("scripts/runtimes.json"));
  assert.ok(platforms.length >= 5);
  for (const [platform, packages] of platforms) {
    assert.deepEqual(Object.keys(packages), ["deno", "bun", "node24", "node20"], platform);
    for (const { package: name, version, integrity } of Object.values(packages)) {
      assert.match(`${name}@${version}`, /^[@\w/-]+@\d+\.\d+\.\d+$/);
      assert.match(integrity, /^sha512-[\w+/]{86}==$/, name);
    }
  }
  for (const name of ["deno", "bun"]) {
    assert.equal(new Set(platforms.map(([, packages]) => packages[name].version)).size, 1, name);
  }
  for (const file of [...workflows, ".ci/run", "scripts/runtimes.ts", "scripts/test.ts"]) {
    assert.doesNotMatch(read(file), /deno@\d/, `${file} names a version of Deno`);
  }
});

test("dnt does not run when it is not the one of scripts/dnt.lock", async () => {
  const code = "export const build = () => console.log('built');";
  const checksum = `sha256-${createHash("sha256").update(code).digest("hex")}`;
  const manifest = { "/mod.ts": { size: code.length, checksum } };
  const sent: Record<string, string> = {
    "/@deno/dnt/meta.json": `{ "scope": "deno", "name": "dnt", "latest": "0.43.2", "versions": { "0.43.2": {} } }`,
    "/@deno/dnt/0.43.2_meta.json": JSON.stringify({ manifest, exports: { ".": "./mod.ts" } }),
    "/@deno/dnt/0.43.2/mod.ts": code,
  };
  const registry = createServer((request, response) => {
    const text = sent[request.url!];
    response.writeHead(text === undefined ? 404 : 200, { "content-type": "text/typescript" }).end(text);
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  const cache = mkdtempSync(join(tmpdir(), "futures-dnt-"));
  try {
    const env = {
      ...process.env,
      JSR_URL: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
      DENO_DIR: cache,
      DENO_NO_PACKAGE_JSON: "1",
    };
    const dnt = (lock: string) =>
      run(runtimeCommand("deno")[0]!, [
        ...["run", "-A", "--no-config", `--lock=${lock}`, "--frozen"],
        ...[join(ROOT, "scripts/dnt.ts"), "{}"],
      ], { env, timeout: CEILING });
    const { code, output } = await dnt(join(ROOT, "scripts/dnt.lock"));
    assert.match(output, /Integrity check failed for package.*\n[^]*@deno\/dnt@/);
    assert.notEqual(code, 0);
    // By that hash alone: with the one of what is sent, it runs.
    const actual = /Actual: (\w+)/.exec(output)![1]!;
    const other = join(cache, "other.lock");
    writeFileSync(other, read("scripts/dnt.lock").replace(/(dnt@[\d.]+": {\s*"integrity": ")\w+/, `$1${actual}`));
    assert.match((await dnt(other)).output, /^built$/m);
  } finally {
    registry.close();
    rmSync(cache, { recursive: true, force: true });
  }
});

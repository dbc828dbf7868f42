// What builds, tests and publishes this package, and comes from elsewhere: each by a version and a hash, none with a script of
// its own that runs here; CI with no more rights than to read, and releases with no more than they need.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
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

const RELEASE = ".github/workflows/release.yml";
const workflows = readdirSync(join(ROOT, ".github/workflows")).map((file) => `.github/workflows/${file}`);

test("CI may read, and nothing else, and its actions are pinned by commits", () => {
  assert.ok(workflows.length > 0);
  for (const file of workflows) {
    const text = read(file);
    assert.deepEqual(text.match(/^permissions:.*(\n .*)*/gm), ["permissions:\n  contents: read"], file);
    if (file !== RELEASE) assert.doesNotMatch(text, /^ +permissions:/m, file);
    assert.doesNotMatch(text, /secrets\.|pull_request_target|workflow_run/, file);
    assert.doesNotMatch(text, /runs-on: .*-latest|os: .*-latest/, file);
    const uses = (text.match(/^.*\buses:.*$/gm) ?? []).filter((line) =>
      !line.endsWith("uses: ./.github/workflows/ci.yml")
    );
    for (const line of uses) assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
    const checkouts = uses.filter((line) => line.includes("actions/checkout"));
    assert.equal(text.match(/persist-credentials: false/g)?.length, checkouts.length, file);
  }
});

test("CI and .ci/run call the same tasks", () => {
  const [, listed] = /^ +task: \[(.*)\]$/m.exec(read(".github/workflows/ci.yml"))!;
  const called = [...read(".ci/run").matchAll(/^\$deno task (.*)$/gm)].map(([, task]) => task);
  assert.deepEqual(listed!.split(", "), called);
});

test("a release needs the checks, all of CI and a build by dnt; only the jobs that publish may prove who they are", () => {
  const text = read(RELEASE);
  assert.match(text, /^on:\n {2}push:\n {4}tags: \["v\*"\]\n\n/m);
  const jobs = new Map(
    text.slice(text.indexOf("\njobs:\n")).split(/^ {2}(?=\w+:$)/m).slice(1).map((job) => [job.split(":")[0]!, job]),
  );
  assert.deepEqual([...jobs.keys()], ["ready", "ci", "build", "npm", "jsr"]);
  assert.match(jobs.get("ready")!, /run: node scripts\/release_check\.ts "\$GITHUB_REF_NAME"$/m);
  assert.match(jobs.get("ci")!, /^ {4}needs: ready\n {4}uses: \.\/\.github\/workflows\/ci\.yml$/m);
  assert.match(jobs.get("build")!, /task npm --dnt$/m);
  for (const [name, job] of jobs) {
    const publishes = name === "npm" || name === "jsr";
    assert.equal(/publish/.test(job.replaceAll(/^ *#.*$/gm, "").replaceAll(/needs:.*/g, "")), publishes, name);
    assert.deepEqual(
      job.match(/permissions:(\n {6}.*)*/)?.[0].split(/\n */),
      publishes ? ["permissions:", "contents: read", "id-token: write"] : undefined,
      name,
    );
    if (publishes) assert.match(job, /^ {4}needs: \[ci, build\]$/m);
  }
  assert.match(jobs.get("npm")!, /npm publish --ignore-scripts --provenance --access public/);
  assert.doesNotMatch(jobs.get("jsr")!.replaceAll(/^ *#.*$/gm, ""), /--no-provenance|--allow-dirty/);
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
const folders = [
  ".",
  "examples/word_count/show",
  "scripts/bench",
  "scripts/bench/contenders",
  "tests/package/bundlers",
  "tests/package/toolchains",
  "tests/package/types",
  "tests/tools",
];

test("every package.json of the project is one of those with a lock file", () => {
  const files = readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === "package.json" && !/node_modules|\.runtimes|npm$/.test(entry.parentPath))
    .map((entry) => relative(ROOT, entry.parentPath).replaceAll("\\", "/") || ".");
  assert.deepEqual(files.filter((folder) => !folder.startsWith("tests/package/consumer")).sort(), folders);
});

for (const folder of folders) {
  test(`the packages of ${folder}/ are pinned, with hashes, in a lock file that names no registry`, () => {
    const { dependencies, devDependencies } = readJson(`${folder}/package.json`);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assert.match(version as string, /^(npm:[\w-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, name);
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

test("what comes from JSR is named by its version in deno.json, outside of what Deno resolves", () => {
  const { devImports, imports } = readJson("deno.json");
  assert.deepEqual(Object.keys(devImports), ["@deno/dnt", "@std/assert", "@std/async"]);
  for (const [name, from] of Object.entries<string>(devImports)) {
    assert.match(from, new RegExp(`^jsr:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
  assert.ok(readJson("scripts/dnt.lock").specifiers[devImports["@deno/dnt"]]);
  assert.doesNotMatch(JSON.stringify(imports), /jsr:/);
  const std = read("scripts/std.ts");
  assert.match(std, /JSR = "jsr@\d+\.\d+\.\d+"/);
  assert.match(std, /"--ignore-scripts"[^]*npm_config_ignore_scripts: "true"/);
});

test("the runtimes are pinned, with hashes, in one place", () => {
  const platforms = Object.entries<Record<string, Json>>(readJson("scripts/runtimes.json"));
  assert.ok(platforms.length >= 5);
  const names = ["deno", "bun", "node24", "node20", "node22", "node26", "denoOldest", "bunOldest", "nodeOldest"];
  for (const [platform, packages] of platforms) {
    assert.deepEqual(Object.keys(packages), names, platform);
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

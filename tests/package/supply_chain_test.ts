// What builds, tests and publishes this package, and comes from elsewhere: each by a version and a hash, none with a script of
// its own that runs here; CI with no more rights than to read, and releases with no more than they need.

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
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
  assert(workflows.length > 0);
  for (const file of workflows) {
    const text = read(file);
    assertEquals(text.match(/^permissions:.*(\n .*)*/gm), ["permissions:\n  contents: read"], file);
    if (file !== RELEASE) assertNotMatch(text, /^ +permissions:/m, file);
    assertNotMatch(text, /secrets\.|pull_request_target|workflow_run/, file);
    assertNotMatch(text, /runs-on: .*-latest|os: .*-latest/, file);
    const uses = (text.match(/^.*\buses:.*$/gm) ?? []).filter((line) =>
      !line.endsWith("uses: ./.github/workflows/ci.yml")
    );
    for (const line of uses) assertMatch(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
    const checkouts = uses.filter((line) => line.includes("actions/checkout"));
    assertStrictEquals(text.match(/persist-credentials: false/g)?.length, checkouts.length, file);
  }
});

test("CI and .ci/run call the same tasks", () => {
  const [, listed] = /^ +task: \[(.*)\]$/m.exec(read(".github/workflows/ci.yml"))!;
  const called = [...read(".ci/run").matchAll(/^\$deno task (.*)$/gm)].map(([, task]) => task);
  assertEquals(listed!.split(", "), called);
});

test("a release needs the checks, all of CI and a build by dnt; only the jobs that publish may prove who they are", () => {
  const text = read(RELEASE);
  assertMatch(text, /^on:\n {2}push:\n {4}tags: \["v\*"\]\n\n/m);
  const jobs = new Map(
    text.slice(text.indexOf("\njobs:\n")).split(/^ {2}(?=\w+:$)/m).slice(1).map((job) => [job.split(":")[0]!, job]),
  );
  assertEquals([...jobs.keys()], ["ready", "ci", "build", "npm", "jsr"]);
  assertMatch(jobs.get("ready")!, /run: node scripts\/release_check\.ts "\$GITHUB_REF_NAME"$/m);
  assertMatch(jobs.get("ci")!, /^ {4}needs: ready\n {4}uses: \.\/\.github\/workflows\/ci\.yml$/m);
  assertMatch(jobs.get("build")!, /task npm --dnt$/m);
  for (const [name, job] of jobs) {
    const publishes = name === "npm" || name === "jsr";
    assertStrictEquals(/publish/.test(job.replaceAll(/^ *#.*$/gm, "").replaceAll(/needs:.*/g, "")), publishes, name);
    assertEquals(
      job.match(/permissions:(\n {6}.*)*/)?.[0].split(/\n */),
      publishes ? ["permissions:", "contents: read", "id-token: write"] : undefined,
      name,
    );
    if (publishes) assertMatch(job, /^ {4}needs: \[ci, build\]$/m);
  }
  assertMatch(jobs.get("npm")!, /npm publish --ignore-scripts --provenance --access public/);
  assertNotMatch(jobs.get("jsr")!.replaceAll(/^ *#.*$/gm, ""), /--no-provenance|--allow-dirty/);
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
  assert(installs.length >= 5, installs.join("\n"));
  for (const line of installs) assertMatch(line, /--ignore-scripts|NPM_INSTALL/);
  assertMatch(read("scripts/install.ts"), /NPM_INSTALL = \["install", "--ignore-scripts"/);
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
  assertEquals(files.filter((folder) => !folder.startsWith("tests/package/consumer")).sort(), folders);
});

for (const folder of folders) {
  test(`the packages of ${folder}/ are pinned, with hashes, in a lock file that names no registry`, () => {
    const { dependencies, devDependencies } = readJson(`${folder}/package.json`);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assertMatch(version as string, /^(npm:[\w-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, name);
    }
    const lock = readJson(`${folder}/package-lock.json`);
    assertEquals(lock.lockfileVersion, 3);
    const { "": own, ...packages } = lock.packages as Record<string, Json>;
    assertEquals(own.devDependencies, devDependencies);
    assertEquals(own.dependencies, dependencies);
    for (const [path, { version, integrity, resolved }] of Object.entries(packages)) {
      assertMatch(version, /^\d+\.\d+\.\d+/, path);
      assertMatch(integrity, /^sha512-[\w+/]{86}==$/, path);
      assertEquals(resolved, undefined, path);
    }
  });
}

test("what comes from JSR is named by its version in deno.json, outside of what Deno resolves", () => {
  const { devImports, imports } = readJson("deno.json");
  assertEquals(Object.keys(devImports), ["@deno/dnt", "@std/assert", "@std/async"]);
  for (const [name, from] of Object.entries<string>(devImports)) {
    assertMatch(from, new RegExp(`^jsr:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
  assert(readJson("scripts/dnt.lock").specifiers[devImports["@deno/dnt"]]);
  assertNotMatch(JSON.stringify(imports), /jsr:/);
  const std = read("scripts/std.ts");
  assertMatch(std, /JSR = "jsr@\d+\.\d+\.\d+"/);
  assertMatch(std, /"--ignore-scripts"[^]*npm_config_ignore_scripts: "true"/);
});

test("the runtimes are pinned, with hashes, in one place", () => {
  const platforms = Object.entries<Record<string, Json>>(readJson("scripts/runtimes.json"));
  assert(platforms.length >= 5);
  const names = ["deno", "bun", "node24", "node20", "node22", "node26", "denoOldest", "bunOldest", "nodeOldest"];
  for (const [platform, packages] of platforms) {
    assertEquals(Object.keys(packages), names, platform);
    for (const { package: name, version, integrity } of Object.values(packages)) {
      assertMatch(`${name}@${version}`, /^[@\w/-]+@\d+\.\d+\.\d+$/);
      assertMatch(integrity, /^sha512-[\w+/]{86}==$/, name);
    }
  }
  for (const name of ["deno", "bun"]) {
    assertEquals(new Set(platforms.map(([, packages]) => packages[name].version)).size, 1, name);
  }
  for (const file of [...workflows, ".ci/run", "scripts/runtimes.ts", "scripts/test.ts"]) {
    assertNotMatch(read(file), /deno@\d/, `${file} names a version of Deno`);
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
    assertMatch(output, /Integrity check failed for package.*\n[^]*@deno\/dnt@/);
    assertNotStrictEquals(code, 0);
    // By that hash alone: with the one of what is sent, it runs.
    const actual = /Actual: (\w+)/.exec(output)![1]!;
    const other = join(cache, "other.lock");
    writeFileSync(other, read("scripts/dnt.lock").replace(/(dnt@[\d.]+": {\s*"integrity": ")\w+/, `$1${actual}`));
    assertMatch((await dnt(other)).output, /^built$/m);
  } finally {
    registry.close();
    rmSync(cache, { recursive: true, force: true });
  }
});

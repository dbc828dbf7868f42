// deno-lint-ignore-file no-console -- a program prints
// Builds the npm package into `npm/` and packs it: `deno task npm [--dnt]`.
//
// dnt builds it where JSR can be reached, `deno pack` elsewhere: never a release, which is built with `--dnt`, by dnt or not
// at all. Either fills `npm/esm/`; what is around it comes from here, so that both packages have the same exports, and both go
// through the same checks.

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { install, ROOT } from "./install.ts";
import { isJsrReachable } from "./jsr.ts";
import { mustRun } from "./run.ts";
import { type Runtimes, runtimes } from "./runtimes.ts";

const DESCRIPTION = "Python's concurrent.futures for TypeScript: threads and processes behind one executor, " +
  "on Deno, Bun and Node";

const NPM = join(ROOT, "npm");
const ESM = join(NPM, "esm");

/** The manifest, which names the version, the entry points and what one of these needs once for JSR and npm. */
const manifest: {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
} = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
// Not in the manifest, as JSR would check the types behind it, of which it drops some for being in files of public ones.
manifest.exports["./internal/relay"] = "./src/process/entry.relay.js";

/**
 * Builds, checks and packs the package. Returns the path of the tarball.
 *
 * @param onlyDnt Throws where JSR cannot be reached, rather than build the package in another way.
 */
export async function buildNpm(onlyDnt = false): Promise<string> {
  await install(ROOT);
  const tools = await runtimes();
  rmSync(NPM, { recursive: true, force: true });
  mkdirSync(NPM);
  if (await isJsrReachable("@deno/dnt")) {
    await buildWithDnt();
  } else if (onlyDnt) {
    throw new Error("Cannot build a release as JSR, which has dnt, cannot be reached");
  } else {
    console.log("JSR cannot be reached: `deno pack` builds the package in place of dnt");
    await buildWithDenoPack();
  }
  await bundle(tools.bun);
  writePackageJson();
  for (const file of ["README.md", "LICENSE", "CHANGELOG.md"]) copyFileSync(join(ROOT, file), join(NPM, file));
  checkFiles();
  await smokeTest(tools);
  await mustRun(tools.bun, ["pm", "pack"], { cwd: NPM });
  return join(NPM, readdirSync(NPM).find((file) => file.endsWith(".tgz"))!);
}

async function buildWithDnt(): Promise<void> {
  const options = {
    entryPoints: Object.entries(manifest.exports).map(([name, path]) => ({ name, path: join(ROOT, path) })),
    outDir: NPM,
    configFile: join(ROOT, "deno.json"),
    package: { name: manifest.name, version: manifest.version },
    // The package is the code which the tests ran, without CommonJS, shims or polyfills.
    scriptModule: false,
    shims: {},
    polyfills: false,
    compilerOptions: { target: "ES2022", lib: ["ESNext", "DOM", "DOM.Iterable"] },
    // `deno check` and the consumer tests check the types, and the tests run on the source and on the tarball.
    typeCheck: false,
    test: false,
    skipNpmInstall: true,
    skipSourceOutput: true,
  };
  // The project's own configuration and packages are no part of what the lock file is about.
  await mustRun(process.execPath, [
    ...["run", "-A", "--no-config", `--lock=${join(ROOT, "scripts", "dnt.lock")}`, "--frozen"],
    ...[join(ROOT, "scripts", "dnt.ts"), JSON.stringify(options)],
  ], { env: { ...process.env, DENO_NO_PACKAGE_JSON: "1" } });
  rmSync(join(ESM, "package.json"), { force: true });
  rmSync(join(NPM, ".npmignore"), { force: true });
  // TypeScript tells of private fields that there are some, `deno pack` does not: with it, a class is not the same type as the
  // one in another copy of this package.
  for (const file of filesOf(ESM).filter((file) => file.endsWith(".d.ts"))) {
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/^ +#private;\n/gm, ""));
  }
}

async function buildWithDenoPack(): Promise<void> {
  const tarball = join(NPM, "pack.tgz");
  await mustRun(process.execPath, ["pack", "--allow-dirty", "--no-source-maps", "--output", tarball], { cwd: ROOT });
  await mustRun("tar", ["-xzf", "pack.tgz"], { cwd: NPM });
  rmSync(tarball);
  renameSync(join(NPM, "package"), ESM);
  for (const file of filesOf(ESM)) {
    // The texts are put beside `esm/` later. Of a file x.d.ts `deno pack` keeps the original, whose imports end in .ts,
    // and calls the one with the imports of the package x.d.ts.d.ts.
    if (!/\.(js|d\.ts)$/.test(file)) rmSync(file);
    else if (file.endsWith(".d.ts.d.ts")) renameSync(file, file.slice(0, -".d.ts".length));
  }
}

/**
 * Makes few files of many, as each costs time when it is loaded. With the files as they are, Node takes 58 ms instead of 17 to
 * load `./thread`, and 7 instead of 2 to load `./task`; Bun takes 30 instead of 12, and 3.2 instead of 1.4.
 *
 * What a worker loads is alone in its file, and so is what modules of tasks load: a worker starts with nothing loaded. It has
 * copies of the package then, which understand each other, as it may have in any case. The other entry points share what they
 * have in common, so that a class is the same in all of them.
 */
async function bundle(bun: string): Promise<void> {
  const built = Object.entries(manifest.exports).map(([name, path]) => [name, path.replace(/\.ts$/, ".js")] as const);
  const alone = built.filter(([name]) => /^\.\/(internal\/|task$|worker$)/.test(name));
  const together = built.filter((entry) => !alone.includes(entry));
  const out = join(NPM, "bundled");
  const options = ["build", "--target=node", "--packages=external", `--root=${ESM}`, `--outdir=${out}`];
  for (const [, path] of alone) await mustRun(bun, [...options, path], { cwd: ESM });
  // The chunks are as deep as the modules, so that URLs in them stay true.
  const shared = ["--splitting", "--chunk-naming=src/shared/[name]-[hash].[ext]"];
  await mustRun(bun, [...options, ...shared, ...together.map(([, path]) => path)], { cwd: ESM });
  giveNamesBack(together.map(([, path]) => join(out, path)), join(out, "src/shared"));
  for (const file of filesOf(ESM)) if (file.endsWith(".js")) rmSync(file);
  cpSync(out, ESM, { recursive: true });
  // What a worker imports is known when it runs: bundlers have to leave it alone. Bun (1.4) drops such comments.
  const unread = "import(/* webpackIgnore: true */ /* @vite-ignore */ $1)";
  for (const file of filesOf(ESM).filter((file) => file.endsWith(".js"))) {
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/\bimport\((\w+)\)/g, unread));
  }
  rmSync(out, { recursive: true });
}

/**
 * Gives classes and functions of the package their names back. Bun (1.4) says `class Future2`, exported as `Future`, and so
 * would a program's output, an error's `constructor.name`, and a stack.
 */
function giveNamesBack(entries: readonly string[], shared: string): void {
  const files = [...entries, ...filesOf(shared)].filter((file) =>
    file.endsWith(".js") && !/\.text-\w+\.js$/.test(file)
  );
  const code = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
  const renamed = new Map<string, string>();
  for (const text of code.values()) {
    for (const [, now, name] of text.matchAll(/\b((\w+)2) as \2\b/g)) renamed.set(now!, name!);
  }
  for (const [file, text] of code) {
    let mended = text;
    for (const [now, name] of renamed) {
      if (!new RegExp(`\\b${now}\\b`).test(text)) continue;
      if (new RegExp(`\\b(class|function|const|let|var) ${name}\\b`).test(text)) {
        throw new Error(`Cannot call ${now} ${name} as ${file} has another ${name}`);
      }
      mended = mended.replaceAll(new RegExp(`\\b${now}(?: as ${name})?\\b`, "g"), name);
    }
    if (mended !== text) writeFileSync(file, mended);
  }
}

function writePackageJson(): void {
  const built = (path: string, extension: string) => "./esm/" + path.slice("./".length).replace(/\.[jt]s$/, extension);
  const exports = Object.fromEntries(
    Object.entries(manifest.exports)
      // The workers' entry files are exports for the builders' sake alone: they are found by their URLs. So is what `./worker`
      // is in browsers.
      .filter(([name]) => !name.startsWith("./internal/"))
      .map(([name, path]) => {
        const inBrowsers = name === "./worker" && manifest.exports["./internal/worker_browser"];
        const browser = inBrowsers && { browser: built(inBrowsers, ".js") };
        return [name, { types: built(path, ".d.ts"), ...browser, default: built(path, ".js") }];
      }),
  );
  const packageJson = {
    name: manifest.name,
    version: manifest.version,
    description: DESCRIPTION,
    keywords: ["concurrent.futures", "executor", "future", "thread", "process", "worker", "pool", "parallel"],
    license: manifest.license,
    ...links(),
    type: "module",
    // For tools that do not read `exports`.
    main: built(manifest.exports["."]!, ".js"),
    types: built(manifest.exports["."]!, ".d.ts"),
    exports,
    files: ["esm", "CHANGELOG.md"],
    bin: { "futures-serve": built(manifest.exports["./bullmq/serve"]!, ".js") },
    // What does something when it is imported: bundlers drop the import of anything else whose exports are not used.
    sideEffects: ["./bullmq/serve", "./worker", "./sync", "./internal/worker_browser"]
      .map((name) => built(manifest.exports[name]!, ".js")),
    engines: { node: "^20.16.0 || >=22.3.0", bun: ">=1.4.0", deno: ">=2.9.2" },
    // Of `./bullmq` alone: whoever uses it installs them, and nobody else has to.
    peerDependencies: Object.fromEntries(
      Object.entries(manifest.imports).map(([name, from]) => [name, from.slice(`npm:${name}@`.length)]),
    ),
    peerDependenciesMeta: Object.fromEntries(Object.keys(manifest.imports).map((name) => [name, { optional: true }])),
    publishConfig: { access: "public", provenance: true },
  };
  writeFileSync(join(NPM, "package.json"), JSON.stringify(packageJson, null, 2) + "\n");
}

/** Where the project is: npm shows it, finds the README's images there, and checks that a release comes from there. */
function links(): Record<string, unknown> {
  const { repository } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const page = repository.url.replace(/^git\+|\.git$/g, "");
  return { repository, homepage: `${page}#readme`, bugs: { url: `${page}/issues` } };
}

/** Checks that whatever the package names is in it: exports, relative imports, the worker entries' URLs. */
function checkFiles(): void {
  const { exports, main, types } = JSON.parse(readFileSync(join(NPM, "package.json"), "utf8"));
  const named = [main, types, ...Object.values<Record<string, string>>(exports).flatMap(Object.values)]
    .map((target) => ({ from: "package.json", target, path: join(NPM, target) }));
  for (const file of filesOf(ESM).filter((file) => file.endsWith(".js"))) {
    const code = readFileSync(file, "utf8").replaceAll(/\/\*[^]*?\*\//g, ""); // without the examples in comments
    const imported = code.matchAll(/\b(?:from|import)\s*\(?"(\.[^"]*)"/g);
    const located = code.matchAll(/\bnew URL\("(\.[^"]*\.js)"/g);
    for (const [, target] of [...imported, ...located]) {
      named.push({ from: file, target: target!, path: join(dirname(file), target!) });
    }
  }
  for (const { from, target, path } of named) {
    if (!existsSync(path) || /(?<!\.d)\.ts$/.test(path)) {
      // `deno pack` writes no types at all when one of them is slow.
      const hint = target.endsWith(".d.ts") ? " (does `deno publish --dry-run` find slow types?)" : "";
      throw new Error(`Cannot use the npm package as ${from} names a file which is not in it: ${target}${hint}`);
    }
  }
}

/** Runs both executors from the package: the tests of `tests/package/consumer` do so from the tarball, and in depth. */
async function smokeTest({ node20, node24, bun }: Runtimes): Promise<void> {
  const file = join(NPM, "smoke_test.js");
  writeFileSync(
    file,
    `import { ProcessPoolExecutor, ThreadPoolExecutor } from "${manifest.name}";
for (const Executor of [ThreadPoolExecutor, ProcessPoolExecutor]) {
  const executor = new Executor({ maxWorkers: 1 });
  const answer = await executor.submit((n) => n * 2, 21);
  if (answer !== 42) throw new Error(\`\${Executor.name} returned \${answer}\`);
  await executor.shutdown();
}
`,
  );
  for (const runtime of [node20, node24, bun]) await mustRun(runtime, [file], { cwd: NPM, timeout: 60_000 });
  rmSync(file);
}

/** Every file below `folder`. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { dnt: { type: "boolean", default: false } } });
  console.log(await buildNpm(values.dnt));
}

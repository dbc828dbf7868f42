// Programs that went through bundlers, at the versions that package.json pins: real output, run in another folder than the one
// it was built in, without the sources. What came of it is in the table of docs/runtimes.md (tests/package/reach_table.ts).
//
// Deno runs this test (scripts/test.ts) and builds; the programs run on Node, Bun and Deno.

import { assertEquals, assertMatch } from "@std/assert";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { mustRun, run, type RunOptions, start } from "../../../scripts/run.ts";
import { type Runtimes, runtimes } from "../../../scripts/runtimes.ts";
import { type Cell, type Column, type Outcomes, recordRows, rowOf } from "../reach_table.ts";

const HERE = import.meta.dirname!;
const MODULES = join(HERE, "node_modules");
const { devDependencies } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));

/** A program that has not ended by then never will, in milliseconds. */
const TIMEOUT = 60_000;

/** How a bundler is used. */
interface Build {
  /** Its first cell in the table, without the version. */
  readonly tool: string;
  /** Whose version it is; a runtime has its own. */
  readonly from?: string;
  /** The arguments of Node, where `out` stands for the folder of the output. Absent: {@linkcode command} builds. */
  readonly node?: readonly string[];
  readonly command?: (tools: Runtimes) => readonly string[];
  /** The file to run. */
  readonly main: string;
  /** Where the output runs. */
  readonly on: readonly ("node24" | "node20" | "bun" | "deno")[];
  /** Whether the output imports this package. */
  readonly external?: boolean;
  /** What has to be added, by column. */
  readonly how?: Partial<Record<Column, Cell>>;
  /** What its package.json has besides. */
  readonly manifest?: object;
  /** What the errors say, where there are any. */
  readonly errors?: RegExp;
}

const EVERYWHERE = ["node24", "node20", "bun", "deno"] as const;
const ENTRY = { taskModule: "[entry point](#an-entry-point-of-its-own)" };
const LEFT_OUT = /make it an entry point of its own there, or use task\(\)/;
const WRITTEN_DOWN = /importMeta: false/;

/** Parcel reads no `exports` of packages unless it is told to, and makes scripts for browsers. */
const PARCEL = {
  "@parcel/resolver-default": { packageExports: true },
  targets: { main: false, default: { context: "node", outputFormat: "esmodule", includeNodeModules: true } },
  engines: { node: ">=20" },
};

const ESBUILD = ["esbuild/bin/esbuild", "--bundle", "--platform=node", "--log-level=error"];
const esbuild = (...args: string[]) => [...ESBUILD, ...args];
const built = (...args: string[]) => [join(HERE, "build.mjs"), ...args];
const ONE = "one file";

const OWN = "[own worker](#a-worker-of-your-own)";

const BUILDS: readonly Build[] = [
  {
    tool: `esbuild, ${ONE}`,
    from: "esbuild",
    node: esbuild("main.js", "--format=esm", "--outfile=out/main.mjs"),
    main: "main.mjs",
    on: EVERYWHERE,
    errors: LEFT_OUT,
  },
  {
    tool: "esbuild, minified",
    from: "esbuild",
    node: esbuild("main.js", "prices.mjs", "--minify", "--format=esm", "--outdir=out"),
    main: "main.js",
    on: EVERYWHERE,
    how: ENTRY,
  },
  {
    tool: "esbuild, splitting",
    from: "esbuild",
    node: esbuild("main.js", "tasks.js", "prices.mjs", "--splitting", "--format=esm", "--outdir=out"),
    main: "main.js",
    on: EVERYWHERE,
    how: ENTRY,
  },
  {
    tool: "esbuild, this package external, minified",
    from: "esbuild",
    node: esbuild("main.js", "prices.mjs", "--minify", "--packages=external", "--format=esm", "--outdir=out"),
    main: "main.js",
    on: EVERYWHERE,
    external: true,
    how: ENTRY,
  },
  {
    tool: "esbuild, CommonJS",
    from: "esbuild",
    node: esbuild(
      ...["main.js", "prices.mjs", "--format=cjs", "--outdir=out", "--out-extension:.js=.cjs"],
      ...[
        "--define:import.meta.url=here",
        '--banner:js=const here = require("node:url").pathToFileURL(__filename).href;',
      ],
    ),
    main: "main.cjs",
    on: ["node24", "node20", "bun"],
    how: { ...ENTRY, task: "[CommonJS output](#commonjs-output)" },
  },
  {
    tool: "esbuild, minified, with a worker of one's own",
    from: "esbuild",
    node: esbuild("own.js", "my_worker.js", "prices.mjs", "--minify", "--format=esm", "--outdir=out"),
    main: "own.js",
    on: ["node24", "node20"],
    how: { ...ENTRY, threads: OWN, processes: OWN },
  },
  {
    tool: `Rollup, ${ONE}`,
    from: "rollup",
    node: built("rollup", "out", "one"),
    main: "main.js",
    on: EVERYWHERE,
    errors: LEFT_OUT,
  },
  { tool: "Rollup", from: "rollup", node: built("rollup", "out"), main: "main.js", on: EVERYWHERE, how: ENTRY },
  {
    tool: "Rollup, this package external",
    from: "rollup",
    node: built("rollup", "out", "external"),
    main: "main.js",
    on: EVERYWHERE,
    external: true,
    how: ENTRY,
  },
  {
    tool: "Rolldown, minified",
    from: "rolldown",
    node: ["rolldown/bin/cli.mjs", "main.js", "prices.mjs", "-d", "out", "--platform", "node", "--minify"],
    main: "main.js",
    on: EVERYWHERE,
    how: ENTRY,
  },
  {
    tool: "webpack, production",
    from: "webpack",
    node: built("webpack", "out"),
    main: "main.mjs",
    on: EVERYWHERE,
    how: { task: "[importMeta](#webpack)" },
  },
  {
    tool: "webpack, production, by default",
    from: "webpack",
    node: built("webpack", "out", "baked"),
    main: "main.mjs",
    on: EVERYWHERE,
    errors: WRITTEN_DOWN,
  },
  {
    tool: "webpack, development",
    from: "webpack",
    node: built("webpack", "out", "development"),
    main: "main.mjs",
    on: ["node24"],
    how: { task: "[importMeta](#webpack)" },
  },
  {
    tool: "webpack, production, this package external",
    from: "webpack",
    node: built("webpack", "out", "external"),
    main: "main.mjs",
    on: EVERYWHERE,
    external: true,
    how: { task: "[importMeta](#webpack)" },
  },
  {
    tool: "Vite, `--ssr`",
    from: "vite",
    node: built("vite", "out", "external"),
    main: "main.js",
    on: EVERYWHERE,
    external: true,
    how: ENTRY,
  },
  {
    tool: "Vite, `--ssr`, this package inside",
    from: "vite",
    node: built("vite", "out"),
    main: "main.js",
    on: EVERYWHERE,
    how: ENTRY,
  },
  {
    tool: "tsdown",
    from: "tsdown",
    node: [
      ...["tsdown/dist/run.mjs", "main.js", "prices.mjs", "--no-config", "--format", "esm", "--platform", "node"],
      ...["--no-dts", "-d", "out", "--logLevel", "error"],
    ],
    main: "main.mjs",
    on: EVERYWHERE,
    external: true,
    how: ENTRY,
  },
  {
    tool: "Parcel",
    from: "parcel",
    node: ["parcel/lib/bin.js", "build", "own.js", "--no-cache", "--no-autoinstall", "--dist-dir", "out"],
    manifest: PARCEL,
    main: "own.js",
    on: ["node24", "node20"],
    how: { threads: OWN, processes: OWN },
    errors: LEFT_OUT,
  },
  {
    tool: "Parcel, without a worker of one's own",
    from: "parcel",
    node: ["parcel/lib/bin.js", "build", "main.js", "--no-cache", "--no-autoinstall", "--dist-dir", "out"],
    manifest: PARCEL,
    main: "main.js",
    on: EVERYWHERE,
    errors: /importMeta: false|make it an entry point/,
  },
  {
    tool: `bun build, ${ONE}`,
    command: ({ bun }) => [bun, "build", "main.js", "--target=node", "--outfile=out/main.mjs"],
    main: "main.mjs",
    on: ["node24", "bun"],
    errors: LEFT_OUT,
  },
  {
    tool: "bun build, minified",
    command: ({ bun }) => [bun, "build", "main.js", "prices.mjs", "--target=bun", "--minify", "--outdir=out"],
    main: "main.js",
    on: ["bun"],
    how: ENTRY,
  },
  {
    tool: "bun build, splitting",
    command: ({ bun }) => [
      ...[bun, "build", "main.js", "tasks.js", "prices.mjs", "--target=node", "--splitting", "--outdir=out"],
    ],
    main: "main.js",
    on: ["node24", "bun"],
    how: ENTRY,
  },
  {
    tool: `deno bundle, ${ONE}`,
    command: ({ deno }) => [deno, "bundle", "--quiet", "-o", "out/main.js", "main.js"],
    main: "main.js",
    on: ["node24", "bun", "deno"],
    errors: LEFT_OUT,
  },
];

let scratch: string, tools: Runtimes, modules: string;

before(async () => {
  tools = await runtimes();
  scratch = mkdtempSync(join(tmpdir(), "futures-bundlers-"));
  const tarball = await buildNpm();
  await mustRun("tar", ["-xzf", tarball], { cwd: scratch });
  modules = join(scratch, "node_modules");
  mkdirSync(join(modules, "@concurrent"), { recursive: true });
  renameSync(join(scratch, "package"), join(modules, "@concurrent", "futures"));
});

after(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** Makes a folder with files and this package, as its users have it. */
function makeFolder(name: string, from?: string, more: object = {}): string {
  const folder = join(scratch, name.replaceAll(/\W+/g, "_"));
  if (from) cpSync(from, folder, { recursive: true });
  else mkdirSync(folder);
  cpSync(modules, join(folder, "node_modules"), { recursive: true });
  const dependencies = { "@concurrent/futures": "0.1.0" };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies, ...more }));
  return folder;
}

/** Removes the modules that a command of the tests has put into the environment, and colours. */
// `deno bundle` fetches its esbuild, and trusts its own list of certificates only, unless told to trust the system's too.
const env = { DENO_TLS_CA_STORE: "mozilla,system", ...process.env, NO_COLOR: "1", NODE_OPTIONS: undefined };

/** Runs a program and returns the outcomes that it prints. */
async function outcomesOf(command: string, args: readonly string[], cwd: string): Promise<Outcomes> {
  const { code, stdout, output } = await run(command, args, { cwd, env, timeout: TIMEOUT, group: true });
  assertEquals(code, 0, output);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

function versionOf({ tool, from }: Pick<Build, "tool" | "from">): string {
  if (!from) return tool;
  const [name, ...how] = tool.split(", ");
  const version = devDependencies[from].split(".").slice(0, /^0\./.test(devDependencies[from]) ? 2 : 1).join(".");
  return [`${name} ${version}`, ...how].join(", ");
}

/** Compares a row with the one that is written down, or writes it down. */
function record(tool: string, outcomes: Outcomes, { how, errors }: Pick<Build, "how" | "errors">): void {
  const all = Object.values(outcomes).flatMap((kind) => Object.entries(kind));
  for (const [name, outcome] of all) {
    if (!outcome.works) assertMatch(outcome.error, errors ?? /^it works$/, `${tool}, ${name}`);
  }
  recordRows("bundlers", [rowOf(tool, outcomes, how)]);
}

for (const build of BUILDS) {
  test(`${build.tool}: what it makes runs elsewhere`, async () => {
    const folder = makeFolder(build.tool, join(HERE, "program"), build.manifest);
    const [command, ...args] = build.command?.(tools) ??
      [tools.node24, ...build.node!.map((arg, i) => i === 0 && !arg.startsWith("/") ? join(MODULES, arg) : arg)];
    // esbuild's file is an executable.
    const isProgram = basename(args[0] ?? "") === "esbuild";
    await mustRun(isProgram ? args.shift()! : command!, args, { cwd: folder, env, timeout: TIMEOUT });
    const elsewhere = makeFolder(`${build.tool} elsewhere`);
    cpSync(join(folder, "out"), join(elsewhere, "out"), { recursive: true });
    rmSync(folder, { recursive: true });
    if (!build.external) rmSync(join(elsewhere, "node_modules"), { recursive: true });
    if (!build.external) writeFileSync(join(elsewhere, "package.json"), `{ "type": "module" }`);
    let first: Outcomes | undefined;
    for (const name of build.on) {
      const flags = name === "deno" ? ["run", "-A"] : [];
      const outcomes = await outcomesOf(tools[name], [...flags, join("out", build.main)], elsewhere);
      const row = rowOf("", outcomes);
      assertEquals(row, rowOf("", first ??= outcomes), `on ${name}, as on the first`);
    }
    record(versionOf(build), first!, build);
  });
}

test("Vite's development server runs a program", async () => {
  const folder = makeFolder("vite dev", join(HERE, "program"));
  const outcomes = await outcomesOf(tools.node24, built("vite dev", "out"), folder);
  record(versionOf({ tool: "Vite, development, `ssrLoadModule`", from: "vite" }), outcomes, {});
});

test("tsc compiles a program in TypeScript, whose URLs still end in .ts", async () => {
  const folder = makeFolder("tsc", join(HERE, "program"));
  const modules = {
    "main.js": "main.ts",
    "outcomes.js": "outcomes.ts",
    "tasks.js": "tasks.ts",
    "prices.mjs": "prices.ts",
  };
  for (const [from, to] of Object.entries(modules)) {
    let code = readFileSync(join(folder, from), "utf8");
    for (const [old, name] of Object.entries(modules)) code = code.replaceAll(`./${old}`, `./${name}`);
    writeFileSync(join(folder, to), code);
    rmSync(join(folder, from));
  }
  assertMatch(readFileSync(join(folder, "outcomes.ts"), "utf8"), /new URL\("\.\/prices\.ts"/);
  const options = [
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--rewriteRelativeImportExtensions",
    "--outDir",
    "out",
  ];
  const files = ["main.ts", "prices.ts"];
  const tsc = join(MODULES, "typescript", "bin", "tsc");
  await mustRun(tools.node24, [tsc, ...options, "--strict", "false", "--noCheck", ...files], { cwd: folder, env });
  for (const file of Object.values(modules)) rmSync(join(folder, file));
  const outcomes = await outcomesOf(tools.node20, [join("out", "main.js")], folder);
  record(versionOf({ tool: "tsc", from: "typescript" }), outcomes, {});
});

for (const external of [false, true]) {
  test(`Next.js, production${external ? ", this package external" : ""}`, async () => {
    // In this folder: Next.js wants its packages, and those of the program, in one.
    const folder = mkdtempSync(join(HERE, "next_"));
    try {
      cpSync(join(HERE, "next"), folder, { recursive: true });
      cpSync(join(HERE, "program"), folder, { recursive: true });
      cpSync(modules, join(folder, "node_modules"), { recursive: true });
      writeFileSync(join(folder, "package.json"), `{ "private": true, "type": "module" }`);
      const settings = { ...env, NEXT_TELEMETRY_DISABLED: "1", EXTERNAL: external ? "1" : undefined };
      const next = join(MODULES, "next", "dist", "bin", "next");
      await mustRun(tools.node24, [next, "build"], { cwd: folder, env: settings, timeout: 5 * TIMEOUT });
      const outcomes = await outcomesOfServer(tools.node24, [next, "start", "-p", "0"], { cwd: folder, env: settings });
      record(
        versionOf({ tool: `Next.js, production${external ? ", this package external" : ""}`, from: "next" }),
        outcomes,
        {
          how: { taskModule: "[.mjs](#nextjs)" },
        },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Asks a server for the outcomes, as soon as it says where it listens. */
async function outcomesOfServer(command: string, args: readonly string[], options: RunOptions): Promise<Outcomes> {
  let listening: (url: string) => void, output = "";
  const url = new Promise<string>((resolve) => listening = resolve);
  const { child, ended } = start(command, args, {
    ...options,
    group: true,
    timeout: 2 * TIMEOUT,
    onOutput(text) {
      const [found] = /http:\/\/localhost:\d+/.exec(output += text) ?? [];
      if (found) listening(found);
    },
  });
  const early = ended.then(() => Promise.reject(new Error(`The server has ended: ${output}`)));
  try {
    const response = await fetch(`${await Promise.race([url, early])}/outcomes`);
    return await response.json();
  } finally {
    early.catch(() => {});
    child.kill("SIGTERM");
    await ended;
  }
}

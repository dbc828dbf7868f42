// Programs that use the npm package behind the tools that people run, test and install with: each kind of task in each kind of
// worker. What came of it is a row of the table in docs/runtimes.md. Deno runs this test.

import { assert, assertEquals } from "@std/assert";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import ts from "typescript";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { mustRun, run } from "../../../scripts/run.ts";
import { otherRuntimes, runtimes } from "../../../scripts/runtimes.ts";
import { type Outcomes, recordRows, type Row, rowOf } from "../reach_table.ts";

const FOLDER = import.meta.dirname!;
const TOOLS = join(FOLDER, "node_modules");

/** A run that has not ended by then never will. */
const timeout = 120_000;

const { deno, bun, node20, node24 } = await runtimes();
const { node22 } = await otherRuntimes();
const bin = (...path: string[]) => join(TOOLS, ...path);
const { devDependencies: versions } = JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8"));
const versioned = (name: string, tool: string) => `${name} ${versions[tool].split(".").slice(0, 2).join(".")}`;

/** How a program is run. */
interface Run {
  /** The first cell of its row. */
  readonly tool: string;
  /** The language of its files; those in TypeScript are compiled for JavaScript, one by one. */
  readonly language: "ts" | "js";
  /** The words of a test file: what it imports to declare a test. Without it, `main` is run. */
  readonly declare?: string;
  readonly command: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

const RUNS: readonly Run[] = [
  {
    tool: versioned("Vitest", "vitest"),
    language: "ts",
    declare: `import { test } from "vitest";`,
    command: [node24, bin("vitest", "vitest.mjs"), "run", "--testTimeout=100000"],
  },
  {
    tool: versioned("Jest", "jest"),
    language: "js",
    declare: `import { jest, test } from "@jest/globals"; jest.setTimeout(100_000);`,
    command: [node24, "--experimental-vm-modules", bin("jest", "bin", "jest.js"), "--no-watchman"],
    files: { "jest.config.js": "export default { transform: {} };\n" },
  },
  ...[["20", node20], ["24", node24]].map(([version, node]): Run => ({
    tool: `\`node --test\`, Node ${version}, with coverage`,
    language: "js",
    declare: `import { test } from "node:test";`,
    command: [node!, "--test", "--experimental-test-coverage"],
  })),
  {
    tool: "`bun test`, with coverage",
    language: "ts",
    declare: `import { test } from "bun:test";`,
    command: [bun, "test", "--coverage", "--timeout=100000"],
  },
  {
    tool: "`deno test`, with sanitizers and coverage",
    language: "ts",
    declare: `const { test } = Deno;`,
    command: [deno, "test", "-A", "--no-check", "--coverage=cov", "--trace-leaks"],
    files: { "deno.json": `{ "nodeModulesDir": "manual" }\n` },
  },
  ...[["20", node20], ["22", node22], ["24", node24]].map(([version, node]): Run => ({
    tool: `${versioned("tsx", "tsx")}, Node ${version}`,
    language: "ts",
    command: [node!, bin("tsx", "dist", "cli.mjs"), "main.ts"],
  })),
  ...[["20", node20], ["22", node22], ["24", node24], ["Bun", bun], ["Deno", deno]].map(([version, program]): Run => ({
    tool: `CommonJS, ${/\d/.test(version!) ? `Node ${version}` : version}`,
    language: "js",
    command: [program!, ...(program === deno ? ["run", "-A"] : []), "main.cjs"],
    files: { "deno.json": `{ "nodeModulesDir": "manual" }\n` },
  })),
];

/** Writes the program into a folder. */
function writeProgram(folder: string, { language, declare, files }: Pick<Run, "language" | "declare" | "files">): void {
  writeFileSync(join(folder, "package.json"), `{ "private": true, "type": "module" }\n`);
  for (const file of readdirSync(join(FOLDER, "program"))) {
    const source = readFileSync(join(FOLDER, "program", file), "utf8");
    if (language === "ts" || file.endsWith(".cjs")) writeFileSync(join(folder, file), source);
    else writeFileSync(join(folder, file.replace(/\.ts$/, ".js")), toJavaScript(source));
  }
  if (declare) {
    const text = `${declare}\nimport { report } from "./outcomes.${language}";\n\ntest("both executors", report);\n`;
    writeFileSync(join(folder, `outcomes.test.${language}`), text);
  }
  for (const [file, text] of Object.entries(files ?? {})) writeFileSync(join(folder, file), text);
}

/** Without types, and with the names of the files that are without types, too. */
function toJavaScript(source: string): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return outputText.replaceAll(/"(\.\/\w+)\.ts"/g, `"$1.js"`);
}

/** What the program in a folder has found. */
function outcomesIn(folder: string): Outcomes {
  return JSON.parse(readFileSync(join(folder, "outcomes.json"), "utf8"));
}

test("tools", async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), "futures-toolchains-"));
  try {
    const tarball = join(scratch, "concurrent-futures.tgz");
    cpSync(await buildNpm(), tarball);
    const unpacked = join(scratch, "package");
    await mustRun("tar", ["-xzf", tarball], { cwd: scratch });
    // What tools leave in the folder for temporary files goes with the rest.
    const temporary = join(scratch, "tmp");
    mkdirSync(temporary);
    const env = { ...process.env, CI: "1", TMPDIR: temporary, TEMP: temporary };
    const rows: Row[] = [];

    for (const [i, it] of RUNS.entries()) {
      await t.test(it.tool, async () => {
        const folder = join(scratch, `run_${i}`);
        writeProgramWithPackages(folder, it, unpacked);
        const [command, ...args] = it.command;
        const { code, output } = await run(command!, args, {
          cwd: folder,
          timeout,
          env,
        });
        assertEquals(code, 0, output);
        assert(existsSync(join(folder, "outcomes.json")), output);
        rows.push(rowOf(it.tool, outcomesIn(folder)));
      });
    }

    for (const { tool, install, start } of installers(scratch, tarball)) {
      await t.test(tool, async () => {
        const folder = join(scratch, tool.replaceAll(/\W/g, ""));
        mkdirSync(folder);
        const program = install(folder);
        writeProgram(program.folder, { language: "js" });
        if (program.manifest) writeFileSync(join(program.folder, "package.json"), program.manifest);
        for (const [command, ...args] of program.commands) {
          await mustRun(command!, args, {
            cwd: folder,
            timeout,
            env: { ...env, YARN_ENABLE_TELEMETRY: "0" },
          });
        }
        await mustRun(start[0]!, start.slice(1), { cwd: program.folder, timeout });
        rows.push(rowOf(tool, outcomesIn(program.folder)));
      });
    }
    await t.test("the table says so", () => recordRows("toolchains", rows));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

/** Writes the program, beside links to the tools and the package itself. */
function writeProgramWithPackages(folder: string, it: Run, unpacked: string): void {
  const packages = join(folder, "node_modules");
  mkdirSync(join(packages, "@concurrent"), { recursive: true });
  for (const name of readdirSync(TOOLS)) {
    if (!name.startsWith(".")) symlinkSync(join(TOOLS, name), join(packages, name), "junction");
  }
  cpSync(unpacked, join(packages, "@concurrent", "futures"), { recursive: true });
  writeProgram(folder, it);
}

/** How a package manager installs the package, and what runs the program then. */
interface Installer {
  readonly tool: string;
  readonly start: readonly string[];
  install(folder: string): { folder: string; manifest?: string; commands: readonly (readonly string[])[] };
}

function installers(scratch: string, tarball: string): readonly Installer[] {
  const manifest = JSON.stringify({
    private: true,
    type: "module",
    dependencies: { "@concurrent/futures": `file:${tarball}` },
  });
  const yarn = bin("@yarnpkg", "cli-dist", "bin", "yarn.js");
  return [
    {
      tool: versioned("pnpm", "pnpm"),
      start: [node24, "main.js"],
      install: (folder) => ({
        folder,
        manifest,
        commands: [[
          node24,
          bin("pnpm", "bin", "pnpm.cjs"),
          "install",
          "--ignore-scripts",
          `--store-dir=${join(scratch, "store")}`,
        ]],
      }),
    },
    {
      tool: `${versioned("Yarn", "@yarnpkg/cli-dist")}, Plug'n'Play`,
      start: [node24, yarn, "node", "main.js"],
      install: (folder) => {
        writeFileSync(join(folder, "yarn.lock"), "");
        writeFileSync(
          join(folder, ".yarnrc.yml"),
          `nodeLinker: pnp\nenableGlobalCache: false\nenableImmutableInstalls: false\ncacheFolder: ./cache\nglobalFolder: ${
            join(scratch, "yarn")
          }\n`,
        );
        return { folder, manifest, commands: [[node24, yarn, "install"]] };
      },
    },
    {
      tool: "npm workspaces",
      start: [node24, "main.js"],
      install: (folder) => {
        const member = join(folder, "packages", "program");
        mkdirSync(member, { recursive: true });
        writeFileSync(join(folder, "package.json"), `{ "private": true, "workspaces": ["packages/*"] }\n`);
        return {
          folder: member,
          manifest: JSON.stringify({ name: "program", version: "1.0.0", ...JSON.parse(manifest) }),
          commands: [["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]],
        };
      },
    },
  ];
}

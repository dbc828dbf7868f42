// deno-lint-ignore-file no-console -- says what does not run here
// The package as its users get it from JSR: published into a registry on this machine, and used from there on Deno, in an empty
// folder. The programs are in `program/`.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ROOT } from "../../../scripts/install.ts";
import { run, type RunResult } from "../../../scripts/run.ts";
import { JsrRegistry } from "../../support/jsr_registry.ts";
import { type Outcomes, recordRows, rowOf } from "../reach_table.ts";

const deno = process.execPath;

const VERSION: string = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")).version;

/** The minor version of Deno: "2.9". */
const DENO = /^\d+\.\d+/.exec(process.versions.deno!)![0];

/** The row of a compiled program, which cannot be run everywhere. */
const COMPILED = {
  tool: `deno compile ${DENO}, from JSR`,
  ...{ inline: "embedded", task: "embedded", taskModule: "embedded", threads: "embedded", processes: "error" },
};

/** A program which has not ended by then never will. */
const timeout = 120_000;

/** What kinds.ts prints when everything works. */
const works: Outcomes["threads"] = { inline: { works: true }, task: { works: true }, taskModule: { works: true } };

test("JSR package", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "futures-jsr-consumer-"));
  const registry = await JsrRegistry.start();
  try {
    await registry.publish(ROOT);
    const program = (name: string) => new Program(registry, join(folder, name));

    for (const flags of [[], ["--vendor"], ["--node-modules-dir=auto"], ["--node-modules-dir=manual"]]) {
      await t.test(`runs every kind of task in threads and processes ${flags}`, async () => {
        const { deno } = program(`kinds${flags}`);
        const seen = outcomes(await deno("run", "-A", ...flags, "kinds.ts"));
        assertEquals(seen, { threads: works, processes: works });
        recordRows("jsr", [rowOf(`Deno ${DENO}, from JSR`, seen)]);
      });
    }

    await t.test("runs an application in TypeScript, whose types are right", async () => {
      const { deno } = program("types");
      const { output, code } = await deno("check", "main.ts");
      assertEquals(code, 0, output);
      assertEquals((await deno("run", "-A", "main.ts")).stdout, "all is well\n");
    });

    await t.test("brings nothing from npm to a program that does not import ./bullmq", async () => {
      const { deno, folder } = program("small");
      await deno("cache", "kinds.ts");
      const { specifiers } = JSON.parse(readFileSync(join(folder, "deno.lock"), "utf8"));
      assertMatch(String(Object.keys(specifiers)), /^jsr:@concurrent\/futures@[^,]*$/);
      assert(!existsSync(join(folder, "deno_dir", "npm", "registry.npmjs.org")));
    });

    await t.test("runs from the cache, without a network", async () => {
      const { deno } = program("cached");
      await deno("cache", "kinds.ts");
      const before = registry.asked.length;
      for (const flags of [["--cached-only"], ["--frozen"]]) {
        assertEquals(outcomes(await deno("run", "-A", ...flags, "kinds.ts")), { threads: works, processes: works });
      }
      assertEquals(registry.asked.slice(before), []);
    });

    await t.test("runs with the least permissions, which the workers have, too", async () => {
      const { deno: start } = program("least");
      const flags = [
        "--no-prompt",
        "--unstable-worker-options",
        "--allow-read=.",
        "--allow-env",
        `--allow-run=${deno}`,
      ];
      assertEquals(outcomes(await start("run", ...flags, "kinds.ts", "read")), {
        threads: works,
        processes: works,
      });
    });

    await t.test("is compiled into an executable with what a thread starts from", async () => {
      const { with: withEnv, folder } = program("embedded");
      // Deno puts the program behind any executable of this platform: its own runtime for that is another one.
      const { output, code } = await withEnv({ DENORT_BIN: deno })(
        "compile",
        "-A",
        "--no-check",
        "--output=app",
        "kinds.ts",
      );
      assertEquals(code, 0, output);
      for (const file of ["kinds.ts", "words.ts"]) assertMatch(output, new RegExp(`^.── ${file} `, "m"));
      // It lists local files alone.
      const app = readFileSync(join(folder, readdirSync(folder).find((file) => /^app(\.exe)?$/.test(file))!));
      recordRows("jsr", [COMPILED]);
      assert(app.includes(`${registry.url}@concurrent/futures/${VERSION}/src/thread/entry.web.js`));
    });

    await t.test("runs threads and refuses processes when it is compiled", async () => {
      const { deno, folder } = program("compiled");
      const { output, code } = await deno("compile", "-A", "--no-check", "--output=app", "kinds.ts");
      if (code !== 0) {
        assertMatch(output, /denort/);
        return console.log("The compiled program does not run here: Deno cannot download its runtime for that");
      }
      rmSync(join(folder, "words.ts"));
      const { threads, processes } = outcomes(await run(join(folder, "app"), [], { cwd: tmpdir(), timeout }));
      assertEquals(threads, works);
      for (const outcome of Object.values(processes)) {
        assertMatch(
          outcome.works ? "" : outcome.error,
          /this program is compiled into an executable \(deno compile\).* Use ThreadPoolExecutor/,
        );
      }
    });

    await t.test("runs no task from an ordinary host, says what to do, and that works", async () => {
      const server = createServer((_, response) => {
        response.writeHead(200, { "content-type": "text/javascript" });
        response.end("export function square(n) { return n * n; }");
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/square.js`;
        const { stdout, output } = await program("host").deno("run", "-A", "other_host.ts", url);
        const refused = /^Cannot load the task 'square' .* Export the task from a file of your own, .*$/;
        const lines = stdout.trim().split("\n");
        assertEquals([lines.length, lines[1], lines[3]], [4, "9", "9"], output);
        for (const line of [lines[0]!, lines[2]!]) assertMatch(line, refused);
      } finally {
        server.close();
      }
    });
  } finally {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A folder with the programs, and Deno's cache of its own. */
class Program {
  readonly #registry: JsrRegistry;
  readonly folder: string;

  constructor(registry: JsrRegistry, folder: string) {
    this.#registry = registry;
    this.folder = folder;
    mkdirSync(folder);
    cpSync(join(import.meta.dirname!, "program"), folder, { recursive: true });
    writeFileSync(
      join(folder, "deno.json"),
      `{ "imports": { "@concurrent/futures": "jsr:@concurrent/futures@^${VERSION}" } }`,
    );
  }

  /** Runs Deno there. */
  readonly deno = (...args: string[]): Promise<RunResult> => this.#run(args);

  /** The same, with more in its environment. */
  readonly with = (env: Record<string, string>) => (...args: string[]): Promise<RunResult> => this.#run(args, env);

  #run(args: readonly string[], more: Record<string, string> = {}): Promise<RunResult> {
    const env = {
      ...process.env,
      JSR_URL: this.#registry.url,
      DENO_DIR: join(this.folder, "deno_dir"),
      NO_COLOR: "1",
      ...more,
    };
    return run(deno, args, { cwd: this.folder, env, timeout });
  }
}

/** What kinds.ts has printed. */
function outcomes({ stdout, output }: RunResult): Outcomes {
  const printed = stdout.trim();
  assertMatch(printed, /^\{.*\}$/, output);
  return JSON.parse(printed);
}

// Inline tasks that have passed through real build tools, at the versions that tests/tools pins.

import { assertMatch } from "@std/assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runtime } from "../support/runtime.ts";
import { esbuild, tool, toolFile } from "../support/build_tools.ts";
import { EXECUTORS, expectEnd, makeFolder, type Program, programs, RUN, runIn } from "./world.ts";

/** Inline tasks in which a tool finds something to put in, and a module of tasks. */
const FILES = {
  "tasks.ts": `
    import { task } from "@concurrent/futures";
    export const triple = task(import.meta.url, function triple(n: number): number {
      const times = (m: number) => n * m;
      return n > 0 ? times(3) : 0;
    });`,
  "work.ts": `
    import { EXECUTOR as Executor } from "@concurrent/futures";
    import { triple } from "./tasks.ts";
    export async function work(): Promise<unknown[]> {
      const executor = new Executor({ maxWorkers: 1 });
      const named = await executor.submit(async (n: number, more = 1) => {
        function double(m: number): number {
          return m * 2;
        }
        const addOne = (m: number) => m > 0 ? m + more : 0;
        class Kept {
          static count = 1;
          value = addOne(double(n)) ?? 7;
        }
        const path = await import("node:path");
        return [double.name, addOne.name, Kept.name, new Kept().value, path.posix.join("a", "b")].join();
      }, 20);
      const methods = { shout(text: string): string {
        const loud = (part: string) => part.toUpperCase();
        return loud(text) + "!";
      } };
      const results = [named, await executor.submit(methods.shout, "hi"), await executor.submit(triple, 7)];
      await executor.shutdown();
      return results;
    }`,
  "main.ts": `
    import { work } from "./work.ts";
    console.log((await work()).join("\\n"));`,
};

/** Has tsx keep its files in the program's folder, which is removed. */
const TSX = { TMPDIR: ".", TEMP: ".", TMP: "." };

const PRINTS = "double,addOne,Kept,41,a/b\nHI!\n21";

programs(
  runtime === "node"
    ? [
      {
        name: "tsx runs it",
        files: FILES,
        args: { node: [toolFile("tsx/dist/cli.mjs"), "main.ts"] },
        env: TSX,
        prints: PRINTS,
      },
      {
        name: "tsx runs it, as a loader",
        files: FILES,
        env: TSX,
        args: { node: ["--import", toolFile("tsx/dist/esm/index.mjs"), "main.ts"] },
        prints: PRINTS,
      },
    ]
    : [],
);

/** Registers a test of each executor with a program that a tool has made anew. */
function compiled(name: string, compile: (folder: string) => void, row: Pick<Program, "prints"> = { prints: PRINTS }) {
  for (const executor of EXECUTORS) {
    test(`${executor}: ${name}`, async () => {
      const folder = makeFolder(FILES, executor);
      try {
        compile(folder);
        expectEnd(await runIn(folder, RUN), row);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}

/** Replaces the contents of a file. */
function rewrite(folder: string, file: string, change: (code: string) => string): void {
  const path = join(folder, file);
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

compiled("esbuild has kept names", (folder) => {
  for (const file of ["work.ts", "tasks.ts"]) {
    rewrite(folder, file, (code) => esbuild(["--loader=ts", "--keep-names", "--target=es2022"], { input: code }));
  }
  assertMatch(readFileSync(join(folder, "work.ts"), "utf8"), /__name\(double, "double"\)/);
});

compiled("esbuild has renamed the functions of tasks, whose names are those of variables, too", (folder) => {
  rewrite(folder, "tasks.ts", (code) => esbuild(["--loader=ts"], { input: code }));
  assertMatch(readFileSync(join(folder, "tasks.ts"), "utf8"), /export const triple = .*function triple2\(/);
});

compiled(
  "esbuild has made one file of the program and its tasks, in which this package is an external one",
  (folder) => {
    const guarded = `
    import { isWorker } from "@concurrent/futures";
    import { work } from "./work.ts";
    if (!isWorker) console.log((await work()).join("\\n"));`;
    writeFileSync(join(folder, "main.ts"), guarded);
    const options = ["--bundle", "--packages=external", "--platform=node", "--format=esm", "--target=es2022"];
    const bundle = esbuild(["main.ts", ...options], { cwd: folder });
    for (const file of ["work.ts", "tasks.ts"]) rmSync(join(folder, file));
    writeFileSync(join(folder, "main.ts"), bundle);
  },
);

compiled("Istanbul counts what is covered", (folder) => {
  const { createInstrumenter } = tool<{
    createInstrumenter(options: object): { instrumentSync(code: string, path: string): string };
  }>("istanbul-lib-instrument");
  for (const file of ["work.ts", "tasks.ts"]) {
    rewrite(folder, file, (code) => {
      const js = esbuild(["--loader=ts", "--target=es2022"], { input: code });
      return createInstrumenter({ esModules: true, reportLogic: true }).instrumentSync(js, file);
    });
  }
  assertMatch(readFileSync(join(folder, "work.ts"), "utf8"), /cov_\w+\(\)\.s\[\d+\]\+\+/);
});

for (const executor of runtime === "node" ? EXECUTORS : []) {
  test(`${executor}: Vitest runs it, and a name that it has made says what it stands for`, async () => {
    const folder = makeFolder({
      ...FILES,
      "work.test.ts": `
        import { join } from "node:path";
        import { work } from "./work.ts";
        import { EXECUTOR as Executor } from "@concurrent/futures";
        test("work", async () => {
          expect((await work()).join("\\n")).toBe(${JSON.stringify(PRINTS)});
        });
        test("an import", async () => {
          const executor = new Executor({ maxWorkers: 1 });
          const imported = await executor.submit(() => join("a", "b")).exception() as Error;
          expect(imported.message).toMatch(/^__vi\\w+ is not defined: .*turned an import into this.*call import\\(\\)/);
          const meta = await executor.submit(() => import.meta.url).exception() as Error;
          expect(meta.message).toMatch(/turned import\\.meta into this.*as an argument, such as import\\.meta\\.url/);
          await executor.shutdown();
        });`,
    }, executor);
    try {
      const args = [toolFile("vitest/vitest.mjs"), "run", "--globals", "--root", folder];
      const ended = await runIn(folder, args);
      expectEnd(ended, { prints: /Tests +2 passed/ });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

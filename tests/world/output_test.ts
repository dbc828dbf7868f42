// All output of tasks arrives in order before shutdown() resolves or the program ends, whoever ends the workers.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { within } from "../support/until.ts";
import { EXECUTORS, makeFolder, programs, RUN } from "./world.ts";

/** Longer than any pipe or buffer. */
const LINES = 40_000;

const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}\n`).join("");

/** Ways to print. `from`: the first line's number. */
const TASKS = `
  import { writeFileSync } from "node:fs";
  import process from "node:process";
  import { task } from "@concurrent/futures";

  const text = (count: number, from: number) => Array.from({ length: count }, (_, n) => \`line \${from + n}\\n\`).join("");
  const drained = (stream: typeof process.stdout) => new Promise<void>((resolve) => stream.write("\\n", () => resolve()));

  export const log = task(import.meta.url, function log(count: number, from: number): void {
    for (let n = 0; n < count; n++) console.log(\`line \${from + n}\`);
  });
  export const error = task(import.meta.url, function error(count: number, from: number): void {
    for (let n = 0; n < count; n++) console.error(\`line \${from + n}\`);
  });
  export const write = task(import.meta.url, function write(count: number, from: number): void {
    process.stdout.write(text(count, from));
  });
  export const writeAndLeave = task(import.meta.url, function writeAndLeave(count: number, from: number): void {
    process.stdout.write(text(count, from));
    setInterval(() => {}, 1000);
  });
  export const logAndThrow = task(import.meta.url, async function logAndThrow(count: number, from: number): Promise<void> {
    log(count, from);
    await drained(process.stdout);
    setTimeout(() => {
      throw new Error("nobody catches it");
    });
    await new Promise(() => {});
  });
  export const logAndHang = task(
    import.meta.url,
    async function logAndHang(count: number, from: number, file: string): Promise<void> {
      log(count, from);
      await drained(process.stdout);
      writeFileSync(file, "printed");
      await new Promise(() => {});
    },
  );`;

/** A program that runs a task, and prints a last line when the workers are gone. */
const program = (body: string, options = "") => ({
  "tasks.ts": TASKS,
  "main.ts": `
    import { existsSync } from "node:fs";
    import process from "node:process";
    import { EXECUTOR as Executor } from "@concurrent/futures";
    import { error, log, logAndHang, logAndThrow, write, writeAndLeave } from "./tasks.ts";
    const executor = new Executor({ maxWorkers: 1, ${options} });
    ${body}`,
});

const SHUTDOWN = `
  await executor.shutdown();
  console.log("gone");`;

programs([
  {
    name: "what a task has printed by console.log() arrives before shutdown() resolves",
    files: program(`await executor.submit(log, ${LINES}, 0); ${SHUTDOWN}`),
    prints: `${lines(LINES)}gone`,
  },
  {
    name: "what a task has printed arrives before shutdown() resolves: a program can exit then",
    files: program(`await executor.submit(log, ${LINES}, 0); await executor.shutdown(); process.exit(0);`),
    prints: lines(LINES),
  },
  {
    name: "what a task has written in one piece arrives before shutdown() resolves",
    files: program(`await executor.submit(write, ${LINES}, 0); ${SHUTDOWN}`),
    prints: `${lines(LINES)}gone`,
  },
  {
    name: "what a task has printed arrives also when it leaves a timer behind",
    files: program(`await executor.submit(writeAndLeave, ${LINES}, 0); ${SHUTDOWN}`),
    prints: `${lines(LINES)}gone`,
  },
  {
    name: "what a task has printed by console.error() arrives before shutdown() resolves",
    files: program(`await executor.submit(error, ${LINES}, 0); ${SHUTDOWN}`),
    prints: "gone",
    complains: new RegExp(`^line 0\n(line \\d+\n){${LINES - 2}}line ${LINES - 1}\n$`),
  },
  {
    name: "what tasks have printed arrives also when the program ends without shutdown()",
    files: program(`await executor.submit(log, ${LINES}, 0); process.exitCode = 7;`),
    prints: lines(LINES),
    code: 7,
  },
  {
    name: "what tasks have printed arrives also from workers that retire",
    files: program(`await executor.submit(log, ${LINES}, 0); ${SHUTDOWN}`, "maxTasksPerWorker: 1"),
    prints: `${lines(LINES)}gone`,
  },
  {
    name: "what tasks have printed arrives also from workers that were idle for too long",
    files: program(
      `await executor.submit(log, ${LINES}, 0);
       while (executor.stats().workers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
       ${SHUTDOWN}`,
      "idleTimeout: 1",
    ),
    prints: `${lines(LINES)}gone`,
  },
  {
    name: "what a task has printed arrives also from a worker that is lost",
    files: program(`await executor.submit(logAndThrow, ${LINES}, 0).exception(); ${SHUTDOWN}`),
    prints: `${lines(LINES)}\ngone`,
    complains: /^/, // some runtimes show the error
  },
  {
    name: "what a task has printed arrives also from a worker that is killed",
    files: program(`
      const hung = executor.submit(logAndHang, ${LINES}, 0, "printed").exception();
      while (!existsSync("printed")) await new Promise((resolve) => setTimeout(resolve, 5));
      executor.killWorkers();
      await hung;
      ${SHUTDOWN}`),
    prints: `${lines(LINES)}\ngone`,
  },
]);

for (const executor of EXECUTORS) {
  test(`${executor}: what tasks have printed arrives also where it is read late`, async () => {
    const folder = makeFolder(
      program(`
        // Longer than a worker may linger. Where printing is synchronous, it is the task that waits.
        setTimeout(() => process.stderr.write("read"), 2000);
        await executor.submit(write, ${LINES}, 0);
        await executor.shutdown();
        process.exit(0);`),
      executor,
    );
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, [...RUN], { cwd: folder, env });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let stdout = "", stderr = "";
    child.stdout.setEncoding("utf8");
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (stderr === "read") child.stdout.on("data", (text: string) => stdout += text);
    });
    try {
      await within("the program", ended);
    } finally {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
    assertEquals(stderr, "read");
    assertStrictEquals(stdout, lines(LINES));
  });
}

// Programs in documents, run as a user would run them: in an empty folder, with the package beside it. What a program prints
// is in its `// prints:` comments.

import { assert, assertEquals } from "@std/assert";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runtime } from "../support/runtime.ts";
import { RedisServer } from "../support/redis_server.ts";
import { CEILING } from "../support/until.ts";

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Where documents have their Redis server; the tests have theirs elsewhere. */
const REDIS = "redis://127.0.0.1:6379";

/** Programs that run at the same time. */
const AT_ONCE = 2;

/** A program that runs while the others do. */
const HOST = "host.ts";

const FLAGS = runtime === "deno" ? ["run", "-A", "--no-check"] : [];

/** A block of code. */
export interface Block {
  /** Where it is, for messages. */
  readonly place: string;
  readonly code: string;
  /** The name under which other blocks import it; a program has none. */
  readonly file: string | undefined;
  /** Whether it is a program that calls require(). Only Bun and Node find packages for it without further ado. */
  readonly isCommonJs: boolean;
}

/**
 * The blocks of a page. One whose first line is a comment with a file's name, such as `// words.ts`, is that file; all
 * others are programs, `// main.ts` and `// main.cjs` included.
 */
export function blocksOf(text: string, page: string): Block[] {
  return [...text.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(({ 1: code, index }) => {
    const name = /^\/\/ (\w+\.(?:ts|js|cjs))\n/.exec(code!)?.[1];
    return {
      place: `${page}:${text.slice(0, index).split("\n").length}`,
      code: code!,
      file: name?.startsWith("main.") ? undefined : name,
      isCommonJs: name === "main.cjs",
    };
  });
}

/** Whether there are programs that want a Redis server. */
export function wantRedis(blocks: readonly Block[]): boolean {
  return blocks.some(({ code }) => code.includes(REDIS));
}

/**
 * Runs the programs among blocks, in a folder with the other blocks as files, and with each import that they offer. A file
 * `host.ts` is a program that runs meanwhile.
 */
export async function runAll(blocks: readonly Block[]): Promise<void> {
  await using server = wantRedis(blocks) ? await RedisServer.start() : undefined;
  const folder = mkdtempSync(join(tmpdir(), "futures-docs-"));
  const write = (file: string, code: string) =>
    writeFileSync(join(folder, file), code.replaceAll(REDIS, server?.url ?? REDIS));
  const failures: string[] = [];
  try {
    install(folder);
    for (const { file, code, place } of blocks) {
      if (!file) continue;
      assert(!existsSync(join(folder, file)), `${place}: the page has two files ${file}`);
      write(file, code);
    }
    const host = blocks.some(({ file }) => file === HOST) ? startHost(folder) : undefined;
    const programs = blocks.filter(({ file, isCommonJs }) => !file && !(isCommonJs && runtime === "deno"))
      .flatMap(variants);
    let next = 0;
    const lane = async () => {
      for (let n = next++; n < programs.length; n = next++) {
        const { place, code, isCommonJs } = programs[n]!;
        const program = `program_${n}.${isCommonJs ? "cjs" : "ts"}`;
        write(program, code);
        const { problem, stdout, stderr } = await run(folder, [...FLAGS, program]);
        const printed = stdout.trimEnd().split("\n").join(", ");
        const expected = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => line).join(", ");
        if (problem) failures.push(`${place}: ${problem}\n${stderr}`);
        else if (stderr) failures.push(`${place} writes to stderr: ${stderr}`);
        else if (printed !== expected) failures.push(`${place} prints "${printed}" rather than "${expected}"`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    if (host) failures.push(...await endHost(host));
    assertEquals(failures, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function startHost(folder: string): ChildProcess {
  return spawn(process.execPath, [...FLAGS, HOST], { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
}

/** Ends it as a system does, and returns what is wrong with how it ends. */
async function endHost(host: ChildProcess): Promise<string[]> {
  const timer = setTimeout(() => host.kill("SIGKILL"), CEILING);
  const ended = new Promise<number | string>((resolve) => {
    host.once("exit", (code, signal) => resolve(signal ?? code ?? 0));
  });
  if (host.exitCode !== null || host.signalCode !== null) return [`${HOST} ends by itself`];
  // Deno 2.9 says of each child that kill() was called for that its signal has ended it, exit code or not.
  process.kill(host.pid!, "SIGTERM");
  const code = await ended;
  clearTimeout(timer);
  return code === 0 ? [] : [`${HOST} ends with ${code}`];
}

/** A program, and the same one with the import line that it has in a comment. */
function variants(block: Block): Block[] {
  const other = block.code.replace(/^(import .*)\n\/\/ (import .*)$/m, "// $1\n$2");
  return other === block.code ? [block] : [block, { ...block, place: `${block.place}, the other import`, code: other }];
}

/** Makes the package resolve in a folder, to its source: no copy is made, so that Node strips the types. */
export function install(folder: string): void {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const imports: Record<string, string> = {};
  for (const [name, file] of Object.entries<string>(exports)) {
    imports[`@concurrent/futures${name.slice(1)}`] = pathToFileURL(join(ROOT, file)).href;
  }
  if (runtime === "deno") {
    // BullMQ and what it needs are those of the project: nothing is fetched.
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
    return writeFileSync(join(folder, "deno.json"), JSON.stringify({ imports, nodeModulesDir: "manual" }));
  }
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  const link = join(folder, "node_modules", "@concurrent", "futures");
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(ROOT, link, "junction"); // a kind of link that Windows lets everybody make
}

/** Runs a program with this runtime. */
export function run(
  folder: string,
  args: readonly string[],
): Promise<{ problem: string | undefined; stdout: string; stderr: string }> {
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...env } = process.env;
  const options = { cwd: folder, env: { ...env, NO_COLOR: "1" }, timeout: CEILING, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
      resolve({ problem: error?.message, stdout, stderr });
    });
  });
}

// What the demo needs around itself on one machine: a Redis server, and hosts. Each is a program, ended at the end of a
// `await using` block.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A program that runs, and where it can be reached. */
export interface Server extends AsyncDisposable {
  readonly address: string;
}

/** Starts a Redis server that is reached by a file, so that no port has to be free. */
export async function startRedis(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "futures-demo-redis-"));
  const address = join(folder, "socket");
  const child = spawn("redis-server", ["--port", "0", "--unixsocket", address, "--save", "", "--dir", folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const end = async () => {
    await endOf(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await written(child, /Ready to accept connections|ready to accept connections/, "redis-server");
  } catch (error) {
    await end();
    throw error;
  }
  return { address, [Symbol.asyncDispose]: end };
}

/** Starts a host with the runtime whose command is given. */
export async function startHost(command: string, redis: string, threads: number): Promise<Server> {
  const flags = basename(command).startsWith("deno") ? ["run", "--quiet", "-A"] : [];
  const file = fileURLToPath(new URL("host.ts", import.meta.url));
  // In the environment, as others can read what is on a command line: there may be a password in it.
  const env = { ...process.env, REDIS_URL: redis };
  const child = spawn(command, [...flags, file, String(threads)], { stdio: ["ignore", "pipe", "inherit"], env });
  const address = (await written(child, /^(.*) serves$/m, command))[1]!;
  return { address, [Symbol.asyncDispose]: () => endOf(child) };
}

/** Two commands of different runtimes: this one, and another if there is one here. */
export function twoRuntimes(): string[] {
  const other = ["deno", "bun", "node"].filter((name) => !basename(process.execPath).startsWith(name)).find(
    runsTypeScript,
  );
  return [process.execPath, other ?? process.execPath];
}

function runsTypeScript(command: string): boolean {
  try {
    const version = execFileSync(command, ["--version"], { encoding: "utf8" });
    return command !== "node" || Number(/\d+/.exec(version)![0]) >= 24;
  } catch {
    return false;
  }
}

/** Waits until a program has written something; it may go on writing, which nobody reads. */
function written(child: ChildProcess, pattern: RegExp, name: string): Promise<RegExpExecArray> {
  let output = "";
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`Cannot start ${name}: ${error.message}`)));
    child.once("exit", (code) => reject(new Error(`${name} has ended with exit code ${code}\n${output}`)));
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const found = pattern.exec(output);
      if (found) resolve(found);
    });
  });
}

/** Asks a program to end, and waits until it has. */
function endOf(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    child.kill("SIGTERM");
  });
}

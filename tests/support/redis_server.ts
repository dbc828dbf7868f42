// A real Redis server for tests and benches: on a free port, with a folder of its own, and gone when its program is.

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Where `redis-server` is, `undefined` where it is not installed. */
export const redisProgram: string | undefined = process.platform === "win32" ? undefined : find("redis-server");

/** What to tell somebody who has none. */
export const HOW_TO_INSTALL_REDIS =
  "redis-server is not installed: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS)";

/** Options for `test()`: skips where there is no Redis. */
export const needsRedis: { skip: string | false } = { skip: redisProgram ? false : HOW_TO_INSTALL_REDIS };

/** Ports are tried in this range. Below those that systems give to clients, one of which could take it during a restart. */
const PORTS = { from: 20_000, count: 10_000 };

/** Stays until its program ends, however that is: then the server is killed and the folder removed. */
const WATCHER = `cat > /dev/null; [ ! -e "$1/pid" ] || kill -KILL "$(cat "$1/pid")"; rm -rf "$1"`;

/** How a server is started. */
export interface RedisOptions {
  /** Whether each write is on disk before it is answered; otherwise nothing outlives the server. */
  readonly appendOnly?: boolean;
}

/** A server. `await using` ends it and removes what it has written. */
export class RedisServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "futures-redis-"));
  readonly #watcher = spawn("sh", ["-c", WATCHER, "sh", this.#folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C ends the program, and that ends this
  });
  readonly #options: RedisOptions;
  #port = 0;
  #server: ChildProcess | undefined;

  private constructor(options: RedisOptions) {
    this.#options = options;
    unref(this.#watcher);
  }

  /** Starts a server; resolves when it takes connections. */
  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options);
    try {
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Its address. */
  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Its process, while it runs. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** Starts it again, on the same port and with what the one before has written. */
  async restart(): Promise<void> {
    if (this.#server) throw new Error("The Redis server is running already");
    let log = "";
    for (let attempt = 0; attempt < (this.#port ? 1 : 20); attempt++) {
      const port = this.#port || PORTS.from + Math.floor(Math.random() * PORTS.count);
      const { server, output } = await launch(port, this.#folder, this.#options);
      if (server) {
        this.#port = port;
        this.#server = server;
        return;
      }
      log = output;
    }
    throw new Error(`Cannot start redis-server:\n${log}`);
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server) await this.kill();
    const ended = endOf(this.#watcher);
    this.#watcher.stdin!.end();
    await ended;
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const server = this.#server;
    if (!server) throw new Error("The Redis server is not running");
    this.#server = undefined;
    const ended = endOf(server);
    server.kill(signal);
    await ended;
    rmSync(join(this.#folder, "pid"), { force: true }); // the number may be another process's next
  }
}

/** Starts the program, if nobody has the port. */
async function launch(
  port: number,
  folder: string,
  { appendOnly = false }: RedisOptions,
): Promise<{ server: ChildProcess | undefined; output: string }> {
  const server = spawn(redisProgram!, [
    ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
    ...["--pidfile", join(folder, "pid")],
    ...["--maxmemory-policy", "noeviction", "--save", ""],
    // "everysec" may hold writes back for two seconds while the disk is busy.
    ...["--appendonly", appendOnly ? "yes" : "no", "--appendfsync", "always"],
  ], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  let output = "";
  const ready = await new Promise<boolean>((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", () => resolve(false));
    server.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("Ready to accept connections")) resolve(true);
    });
  });
  if (!ready) return { server: undefined, output };
  server.stdout.removeAllListeners("data").resume();
  unref(server);
  return { server, output };
}

/** Resolves when a child has ended; the program goes on until then. */
function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  child.ref();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

/** Lets the program end though the child has not. */
function unref(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?(): void } | null)?.unref?.();
}

function find(program: string): string | undefined {
  return (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// A real Redis server for tests and benches: on a free port, with a folder of its own. It ends when its program ends.

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

/** The path of `redis-server`; `undefined` if it is not installed. FUTURES_REDIS names another one, such as that of Valkey. */
export const redisProgram: string | undefined = process.platform === "win32"
  ? undefined
  : process.env.FUTURES_REDIS ?? find("redis-server") ?? find("valkey-server");

/** The message when there is no Redis. */
export const HOW_TO_INSTALL_REDIS =
  "redis-server is not installed: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS)";

/** Options for `test()`: skips the test if there is no Redis. */
export const needsRedis: { skip: string | false } = { skip: redisProgram ? false : HOW_TO_INSTALL_REDIS };

/** The range of ports. It is below the ports that systems give to clients: one of these could take the port during a restart. */
const PORTS = { from: 20_000, count: 10_000 };

/** A shell program that waits until the program that started it ends, then kills the server and removes the folder. */
const WATCHER = `cat > /dev/null; [ ! -e "$1/pid" ] || kill -KILL "$(cat "$1/pid")"; rm -rf "$1"`;

/** The file with the users of a server. */
const USERS = "users.acl";

/** How a server is started. */
export interface RedisOptions {
  /** Whether Redis writes to the disk before it answers; if not, nothing outlives the server. */
  readonly appendOnly?: boolean;
  /** Files in PEM. It then takes connections by TLS only. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** More settings, as arguments. */
  readonly settings?: readonly string[];
  /** It is a Sentinel, which watches the server of this URL by the name "main" and replaces it after half a second. */
  readonly watches?: string;
  /** The lines of the file with its users; with it, `ACL SAVE` keeps them over a restart. */
  readonly users?: readonly string[];
}

/** A server. `await using` ends it and removes its folder. */
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

  /** Starts a server. Resolves when it takes connections. */
  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options);
    try {
      if (options.users) writeFileSync(join(server.#folder, USERS), `${options.users.join("\n")}\n`);
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** The URL of the server. */
  get url(): string {
    return `${this.#options.tls ? "rediss" : "redis"}://127.0.0.1:${this.#port}`;
  }

  /** The id of its process, while it runs. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** Starts it again, on the same port and with the same folder. */
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

  /** Ends it by SIGTERM. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** Ends it by SIGKILL, as a crash would. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Removes what it has written to the disk, while it does not run: a restart without its data. */
  forget(): void {
    if (this.#server) throw new Error("The Redis server is running");
    for (const file of readdirSync(this.#folder)) {
      if (file.startsWith("appendonly")) rmSync(join(this.#folder, file), { recursive: true });
    }
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
    rmSync(join(this.#folder, "pid"), { force: true }); // another process may get the id
  }
}

/** Starts the program. There is no server if the port is taken. */
async function launch(
  port: number,
  folder: string,
  { appendOnly = false, users, tls, watches, settings = [] }: RedisOptions,
): Promise<{ server: ChildProcess | undefined; output: string }> {
  const server = spawn(redisProgram!, [
    ...(watches === undefined ? [] : [sentinelFile(folder, watches), "--sentinel"]),
    ...["--bind", "127.0.0.1", tls ? "--tls-port" : "--port", String(port), "--dir", folder],
    ...["--pidfile", join(folder, "pid")],
    ...(tls ? ["--port", "0", "--tls-auth-clients", "optional", "--tls-ca-cert-file", tls.ca] : []),
    ...(tls ? ["--tls-cert-file", tls.cert, "--tls-key-file", tls.key] : []),
    ...["--maxmemory-policy", "noeviction", "--save", ""],
    // With "everysec", writes may wait for two seconds while the disk is busy.
    ...["--appendonly", appendOnly ? "yes" : "no", "--appendfsync", "always"],
    ...(users ? ["--aclfile", join(folder, USERS)] : []),
    ...settings,
  ], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  let output = "";
  const ready = await new Promise<boolean>((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", () => resolve(false));
    server.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (/Ready to accept connections|\+monitor master/.test(output)) resolve(true);
    });
  });
  if (!ready) return { server: undefined, output };
  server.stdout.removeAllListeners("data").resume();
  unref(server);
  return { server, output };
}

/** Writes the file of a Sentinel, which writes into it what it learns. */
function sentinelFile(folder: string, watched: string): string {
  const file = join(folder, "sentinel.conf"), { port } = new URL(watched);
  const settings = ["down-after-milliseconds main 500", "failover-timeout main 2000"];
  const lines = [`monitor main 127.0.0.1 ${port} 1`, ...settings].map((line) => `sentinel ${line}\n`);
  writeFileSync(file, lines.join(""));
  return file;
}

/** Resolves when a child has ended, and keeps the program alive until then. */
function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  child.ref();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

/** Lets the program end before the child does. */
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

// The command: options to serve(), signals to close().

import { readFileSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ProcessPoolExecutor } from "../../process/process_pool_executor.ts";
import { ThreadPoolExecutor } from "../../thread/thread_pool_executor.ts";
import { availableParallelism } from "../../runtime.ts";
import { BrokenExecutor } from "../../future/errors.ts";
import { background } from "../background.ts";
import type { RedisConnection } from "../connection.ts";
import type { HealthOptions } from "./health.ts";
import { serve } from "./serve.ts";

const HELP = `Runs the calls of a queue: a host of BullMQExecutor.

  --queue <name>            the queue
  --tasks [name=]<module>   a module of tasks, and the name by which executors ask for it; by default the file's name
                            without its extension; several by repeating the option
  --workers <number>        how many calls run at the same time (as many as the machine can run)
  --processes               in processes instead of threads
  --url <url>               Redis (REDIS_URL, or redis://127.0.0.1:6379), without a password: others could read it there
  --ca-file <file>          the certificate of the authority that has signed that of Redis, for a URL of rediss:
  --sentinel <host:port>    a Sentinel that knows the server, instead of the host in the URL; several by repeating the option
  --sentinel-name <name>    the name by which the Sentinels know the group of servers
  --password-file <file>    Redis' password, in the first line of a file (REDIS_PASSWORD, or that of REDIS_URL)
  --prefix <text>           what the keys in Redis begin with (bull)
  --name <name>             the host's name
  --stalled-interval <ms>   within this time the calls of a lost host are delivered again (30000)
  --drain-timeout <ms>      on SIGTERM or SIGINT it takes no more calls, and waits this long for those that run (20000)
  --keep-count <number>     how many finished jobs without a key stay in Redis (100000)
  --health-port <number>    the port of /live, /ready and /metrics, by HTTP (none)
  --health-hostname <name>  the address that listens there (all addresses)
  --help

It removes REDIS_URL and REDIS_PASSWORD from the environment: workers do not see them.

Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot go on, 2 when its options are wrong.`;

/** How often a host of npx looks whether that is still there, in milliseconds. */
const LOOK = 500;

/** Runs the command. */
export async function main(args: string[] = process.argv.slice(2)): Promise<void> {
  const options = read(args);
  if (!options) return;
  const { workers, processes, ...rest } = options;
  const Executor = processes ? ProcessPoolExecutor : ThreadPoolExecutor;
  const executor = new Executor({ maxWorkers: workers, inlineTasks: false }); // no source comes from a queue
  try {
    const host = await serve({ ...rest, executor });
    let asked = false;
    const close = (why: string) => {
      asked = true;
      print(`Host ${host.name} closes: ${why}`);
      background(host.close(), (error) => print(String(error)));
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      // Whoever asks twice does not want to wait.
      process.on(signal, () => asked ? process.exit(1) : close(signal));
    }
    if (process.env.npm_command === "exec") watchNpx(() => asked || close("npx, which started it, has ended"));
    print(`Host ${host.name} serves queue ${options.queue} with ${workers} ${processes ? "processes" : "threads"}`);
    await host.closed;
    process.exit(0); // nobody waits for what still runs
  } catch (error) {
    print(error instanceof BrokenExecutor ? error.message : String(error));
    process.exit(1);
  }
}

function read(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        queue: { type: "string" },
        tasks: { type: "string", multiple: true },
        workers: { type: "string" },
        processes: { type: "boolean", default: false },
        url: { type: "string" },
        "password-file": { type: "string" },
        "ca-file": { type: "string" },
        sentinel: { type: "string", multiple: true },
        "sentinel-name": { type: "string" },
        prefix: { type: "string" },
        name: { type: "string" },
        "stalled-interval": { type: "string" },
        "drain-timeout": { type: "string" },
        "keep-count": { type: "string" },
        "health-port": { type: "string" },
        "health-hostname": { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return void print(HELP);
    if (!values.queue || !values.tasks) throw new Error("--queue and --tasks are needed");
    const connection = {
      ...readConnection(values.url, values["password-file"]),
      ...(values["ca-file"] === undefined ? undefined : { tls: { ca: readFileSync(values["ca-file"], "utf8") } }),
      ...readSentinels(values.sentinel, values["sentinel-name"]),
    };
    return {
      queue: values.queue,
      tasks: Object.fromEntries(values.tasks.map(readModule)),
      workers: number("workers", values.workers) ?? availableParallelism(),
      processes: values.processes,
      connection,
      prefix: values.prefix,
      name: values.name,
      stalledInterval: number("stalled-interval", values["stalled-interval"]),
      drainTimeout: number("drain-timeout", values["drain-timeout"]),
      keepCount: number("keep-count", values["keep-count"]),
      health: readHealth(number("health-port", values["health-port"]), values["health-hostname"]),
    };
  } catch (error) {
    print(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exitCode = 2;
  }
}

/** How to reach Redis. Removes the secrets from the environment, so that no worker inherits them. */
function readConnection(url: string | undefined, passwordFile: string | undefined): RedisConnection {
  const [ownUrl, ownPassword] = ["REDIS_URL", "REDIS_PASSWORD"].map((name) => {
    const value = process.env[name];
    delete process.env[name];
    return value;
  });
  if (url !== undefined && hasPassword(url)) {
    throw new Error(
      "--url must not have a password as everybody on this machine can read the command line: pass it in a file, " +
        "--password-file, or in the environment, as REDIS_PASSWORD or in REDIS_URL",
    );
  }
  const password = passwordFile === undefined ? ownPassword : readFileSync(passwordFile, "utf8").split(/\r?\n/)[0];
  return {
    url: url ?? ownUrl ?? "redis://127.0.0.1:6379",
    password,
  };
}

/** Reads `10.0.0.1:26379`. */
function readSentinels(addresses: readonly string[] | undefined, name: string | undefined): RedisConnection {
  if (!addresses && name === undefined) return {};
  if (!addresses || name === undefined) throw new Error("--sentinel and --sentinel-name need each other");
  const sentinels = addresses.map((address) => {
    const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
    if (!host) throw new Error(`--sentinel must be a host and a port, as in 10.0.0.1:26379: received ${address}`);
    return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
  });
  return { sentinels, name };
}

/** Whether ioredis would find a password in a text, even one that is no proper URL. */
function hasPassword(url: string): boolean {
  return /:.*@/.test(url.replace(/^rediss?:\/\//i, "")) || /[?&]password=/.test(url);
}

/** Reads `words=./words.ts`, `./words.ts` or a URL. */
function readModule(text: string): [name: string, url: URL] {
  const [, name, module = ""] = /^(?:([\w-]+)=)?(.+)$/.exec(text) ?? [];
  const url = /^[a-z]{2,}:/i.test(module) ? new URL(module) : pathToFileURL(resolve(module));
  return [name ?? basename(url.pathname, extname(url.pathname)), url];
}

function readHealth(port: number | undefined, hostname: string | undefined): HealthOptions | undefined {
  if (port === undefined && hostname !== undefined) throw new Error("--health-hostname needs --health-port");
  return port === undefined ? undefined : { port, hostname };
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new Error(`--${name} must be a number: received ${text}`);
  return value;
}

/**
 * npx ends on SIGTERM and leaves the host alone: without this it would go on for ever, and nobody would know of it. The id of
 * the parent changes then, on Deno 2.9, Bun 1.4 and Node 24 alike.
 */
function watchNpx(onEnd: () => void): void {
  print(
    "npx does not pass on SIGTERM. Where others start and stop this host, as systemd and Docker do, have them run " +
      "node_modules/.bin/futures-serve itself",
  );
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onEnd();
  }, LOOK);
}

function print(text: string): void {
  process.stderr.write(`${text}\n`);
}

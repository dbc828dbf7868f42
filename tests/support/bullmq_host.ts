// Hosts that are programs of their own, on any runtime, and executors that use them. For tests and for chaos.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BullMQExecutor } from "../../src/bullmq/submit/bullmq_executor.ts";
import type { BullMQExecutorOptions } from "../../src/bullmq/submit/options.ts";
import { type Runtime, runtime } from "./runtime.ts";
import { MODULES, takingAll } from "./bullmq_tasks.ts";
import type { RedisServer } from "./redis_server.ts";
import { runtimeCommand } from "./runtime_commands.ts";
import { within } from "./until.ts";

/**
 * The `stalledInterval` of tests in which a host is lost, in milliseconds. With less, a slow moment of the machine looks like a
 * loss.
 */
export const STALLED = 3_000;

/** How a host is started. */
export interface HostOptions {
  readonly runtime?: Runtime;
  readonly workers?: number;
  /** What its workers are. */
  readonly kind?: "threads" | "processes";
  readonly name?: string;
  readonly stalledInterval?: number;
  readonly drainTimeout?: number;
  /** The modules that it serves, if not those of the tests. */
  readonly modules?: Readonly<Record<string, URL>>;
  /** How it reaches Redis, if not by `--url` alone. */
  readonly connection?: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
}

/** The command of a host on a runtime, and its first arguments. */
export function hostCommand(on: Runtime): readonly [command: string, ...args: string[]] {
  const [command, ...flags] = runtimeCommand(on);
  return [command!, ...flags, fileURLToPath(new URL("../../src/bullmq/host/serve_command.ts", import.meta.url))];
}

/** A queue that nobody else has, its executors and its hosts. */
export class Cluster implements AsyncDisposable {
  readonly queue: string = `test-${crypto.randomUUID()}`;
  readonly server: RedisServer;
  readonly #hosts: HostProcess[] = [];
  readonly #executors: BullMQExecutor[] = [];

  constructor(server: RedisServer) {
    this.server = server;
  }

  /** Makes an executor that takes inline tasks, too. */
  executor(options: Partial<BullMQExecutorOptions> = {}): BullMQExecutor {
    const executor = new BullMQExecutor({ queue: this.queue, connection: { url: this.server.url }, ...options });
    this.#executors.push(executor);
    return takingAll(executor);
  }

  /** Starts a host. */
  start(options: HostOptions = {}): HostProcess {
    const host = new HostProcess(this.server.url, this.queue, options);
    this.#hosts.push(host);
    return host;
  }

  /** Starts a host. Resolves when it takes jobs. */
  async host(options: HostOptions = {}): Promise<HostProcess> {
    const host = this.start(options);
    await within("A host's start", host.serving);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const executor of this.#executors) executor.killWorkers();
    await Promise.all(this.#executors.map((executor) => within("shutdown()", executor.shutdown())));
    await Promise.all(this.#hosts.map((host) => host.end("SIGKILL")));
  }
}

/** A host as a user starts it: by the command. */
export class HostProcess {
  readonly #child: ChildProcess;
  /** Resolves when it takes jobs. */
  readonly serving: Promise<void>;
  /** Resolves with its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** What it has printed. */
  output = "";

  constructor(url: string, queue: string, options: HostOptions) {
    const { runtime: on = runtime, workers = 1, kind, name, stalledInterval, drainTimeout, modules = MODULES } =
      options;
    const { connection = { args: ["--url", url], env: {} } } = options;
    const [command, ...args] = hostCommand(on);
    const tasks = Object.entries(modules).flatMap(([name, module]) => ["--tasks", `${name}=${module.href}`]);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    this.#child = spawn(command, [
      ...[...args, "--queue", queue, ...connection.args, ...tasks, "--workers", String(workers)],
      ...(stalledInterval === undefined ? [] : ["--stalled-interval", String(stalledInterval)]),
      ...(drainTimeout === undefined ? [] : ["--drain-timeout", String(drainTimeout)]),
      ...(name === undefined ? [] : ["--name", name]),
      ...(kind === "processes" ? ["--processes"] : []),
    ], { stdio: ["ignore", "inherit", "pipe"], env: { ...env, ...connection.env } });
    this.ended = new Promise((resolve) => this.#child.once("close", (code, signal) => resolve(signal ?? code ?? 0)));
    this.serving = new Promise((resolve, reject) => {
      this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        if (/^Host .* serves queue /m.test(this.output)) resolve();
      });
      void this.ended.then((how) => reject(new Error(`A host on ${on} has ended: ${how}\n${this.output}`)));
    });
    this.serving.catch(() => {}); // whoever waits for it is told
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Sends it a signal, unless it has ended. */
  signal(signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    // Not child.kill(): Deno (2.9) then says that the signal has ended the child, even if it exited with a code.
    if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(this.pid, signal);
  }

  /** Sends it a signal, and waits for its end. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | string> {
    this.signal(signal);
    return await within(`A host's end by ${signal}`, this.ended);
  }
}

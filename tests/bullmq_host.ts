// Hosts that are programs of their own, on any runtime, and executors that use them.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BullMQExecutor } from "../src/bullmq/bullmq_executor.ts";
import type { BullMQExecutorOptions } from "../src/bullmq/options.ts";
import type { ServeOptions } from "../src/bullmq/serve_options.ts";
import { type Runtime, runtime } from "../src/runtime.ts";
import { takingAll } from "./bullmq_tasks.ts";
import type { RedisServer } from "./redis_server.ts";
import { runtimeCommand } from "./runtime_commands.ts";
import { within } from "./until.ts";

/** So soon is the loss of a host noticed in tests, in milliseconds. */
export const STALLED = 1_000;

/** How a host is started. */
export interface HostOptions extends Pick<ServeOptions, "workers" | "name" | "stalledInterval" | "drainTimeout"> {
  readonly runtime?: Runtime;
  /** What runs its calls. */
  readonly kind?: "threads" | "processes";
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

  /** Makes an executor, which takes inline tasks as well. */
  executor(options: Partial<BullMQExecutorOptions> = {}): BullMQExecutor {
    const executor = new BullMQExecutor({ queue: this.queue, connection: { url: this.server.url }, ...options });
    this.#executors.push(executor);
    return takingAll(executor);
  }

  /** Starts a host; resolves when it takes jobs. */
  async host({ runtime: on = runtime, ...options }: HostOptions = {}): Promise<HostProcess> {
    const host = new HostProcess(on, {
      ...{ queue: this.queue, connection: { url: this.server.url }, stalledInterval: STALLED, workers: 1 },
      ...options,
    });
    this.#hosts.push(host);
    await within("A host's start", host.serving);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const executor of this.#executors) executor.killWorkers();
    await Promise.all(this.#executors.map((executor) => within("shutdown()", executor.shutdown())));
    await Promise.all(this.#hosts.map((host) => host.end("SIGKILL")));
  }
}

/** A host. */
export class HostProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | string>;
  /** Resolves when it takes jobs. */
  readonly serving: Promise<void>;

  constructor(on: Runtime, options: object) {
    const [command, ...flags] = runtimeCommand(on);
    const program = fileURLToPath(new URL("./programs/bullmq_host.ts", import.meta.url));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    this.#child = spawn(command!, [...flags, program, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
      env,
    });
    this.#ended = new Promise((resolve) => this.#child.once("exit", (code, signal) => resolve(signal ?? code ?? 0)));
    this.serving = new Promise((resolve, reject) => {
      this.#child.stdout!.setEncoding("utf8").once("data", () => resolve());
      void this.#ended.then((how) => reject(new Error(`A host on ${on} has ended: ${how}`)));
    });
    this.serving.catch(() => {}); // told to whoever waits
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Sends it a signal; resolves with its exit code, or the name of the signal that ended it. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | string> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return await within(`A host's end by ${signal}`, this.#ended);
  }

  /** Resolves when it has ended by itself. */
  get ended(): Promise<number | string> {
    return within("A host's end", this.#ended);
  }
}

// The hosts of a chaos run, each a program on any runtime, with threads or processes.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { delay } from "@std/async";
import type { HostStats } from "../../../src/bullmq/protocol.ts";
import { type Cluster, type HostOptions, type HostProcess, STALLED } from "../../../tests/support/bullmq_host.ts";
import { MODULES } from "../../../tests/support/bullmq_tasks.ts";
import type { Relay } from "../../../tests/support/relay.ts";
import type { Dice } from "../lib/dice.ts";
import { intime } from "./intime.ts";
import type { Passwords } from "./passwords.ts";

/** Hosts at a time that have all modules. */
const HOSTS = 2;

/** How long a host may finish on SIGTERM what it has, in milliseconds. */
const DRAIN = 1500;

/** How long a host that has something wrong is there, in milliseconds. */
const LONGEST_VISIT = 4000;

/** What hosts need. */
interface HostParts {
  readonly cluster: Cluster;
  readonly line: Relay;
  readonly passwords: Passwords;
  readonly dice: Dice;
  /** A folder for modules. */
  readonly folder: string;
}

/** The hosts. */
export class Hosts {
  /** From this time on a host that does not move loses its calls, in milliseconds. */
  readonly stallLimit = STALLED;
  /** The most lines that a host has printed. */
  longestLog = 0;
  readonly #parts: HostParts;
  readonly #hosts: { readonly name: string; readonly host: HostProcess }[] = [];
  #count = 0;

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** Starts them. */
  async begin(): Promise<void> {
    this.#hosts.push(...await Promise.all(Array.from({ length: HOSTS }, () => this.#start())));
  }

  /** Whether these are all. */
  serve(known: readonly HostStats[]): boolean {
    const names = new Set(known.map(({ name }) => name));
    return this.#hosts.every(({ name }) => names.has(name));
  }

  /** Ends one by a signal, and starts another. */
  async replace(signal: "SIGKILL" | "SIGTERM", place = this.#parts.dice.int(0, HOSTS - 1)): Promise<void> {
    const how = await this.#end(this.#hosts[place]!.host, signal);
    if (how !== "SIGKILL" && how !== 0) throw new Error(`A host that was told to end did so with ${how}`);
    this.#hosts[place] = await this.#start();
  }

  /** Ends all on SIGTERM, one after the other, and starts others. */
  async replaceAll(): Promise<void> {
    for (let place = 0; place < HOSTS; place++) await this.replace("SIGTERM", place);
  }

  /** One does not move for a time in milliseconds. */
  async freeze(time: number): Promise<void> {
    const { host } = this.#parts.dice.pick(this.#hosts);
    host.signal("SIGSTOP");
    await delay(time);
    host.signal("SIGCONT");
  }

  /** A host that cannot load one of its modules has to refuse to start, and say why. */
  async startBroken(): Promise<void> {
    const arithmetic = this.#module("broken", 'throw new Error("damaged on purpose");');
    const { host } = this.#open({ modules: { ...MODULES, arithmetic } });
    const how = await intime("The end of a host with a broken module", host.ended);
    if (how !== 1 || !host.output.includes("damaged on purpose") || /^Host .* serves queue /m.test(host.output)) {
      throw new Error(`A host with a broken module ended with ${how}, and said:\n${host.output}`);
    }
  }

  /** A host that lacks some exports hands on the calls that it cannot run. */
  async startOlder(): Promise<void> {
    const arithmetic = this.#module("older", "export const negate = (n) => -n;");
    const { host } = await this.#start({ modules: { ...MODULES, arithmetic } });
    await delay(this.#parts.dice.int(0, LONGEST_VISIT));
    const how = await this.#end(host, "SIGTERM");
    if (how !== 0) throw new Error(`A host with an older module that was told to end did so with ${how}`);
  }

  /** A host whose module does not load any more in a new worker hands on the calls, and takes itself out when that goes on. */
  async startBreaking(): Promise<void> {
    const name = `breaking-${this.#count}`;
    const broken = join(this.#parts.folder, `${name}.damaged`);
    const worker_tasks = this.#module(
      name,
      `import { existsSync } from "node:fs"; import process from "node:process";
      if (existsSync(${JSON.stringify(broken)})) throw new Error("damaged meanwhile");
      export const exit = (code) => process.exit(code);`,
    );
    const { host } = await this.#start({ modules: { ...MODULES, worker_tasks } });
    writeFileSync(broken, "");
    await Promise.race([delay(this.#parts.dice.int(0, 2 * LONGEST_VISIT)), host.ended]);
    const how = await this.#end(host, "SIGTERM");
    if (how !== 0 && how !== 1) throw new Error(`A host whose module was damaged ended with ${how}:\n${host.output}`);
  }

  async #end(host: HostProcess, signal: "SIGKILL" | "SIGTERM"): Promise<number | string> {
    host.signal(signal);
    const how = await intime(`A host's end by ${signal}`, host.ended);
    this.longestLog = Math.max(this.longestLog, host.output.split("\n").length - 1);
    return how;
  }

  async #start(options: HostOptions = {}): Promise<{ name: string; host: HostProcess }> {
    const started = this.#open(options);
    await intime("A host's start", started.host.serving);
    return started;
  }

  #open(options: HostOptions): { name: string; host: HostProcess } {
    const { cluster, line, passwords, dice } = this.#parts, name = `host-${++this.#count}`;
    const host = cluster.start({
      name,
      runtime: dice.pick(["deno", "bun", "node"]),
      workers: dice.int(1, 2),
      kind: dice.pick(["threads", "threads", "processes"]),
      stalledInterval: STALLED,
      drainTimeout: DRAIN,
      connection: { args: ["--url", line.url], env: { REDIS_PASSWORD: passwords.current } },
      ...options,
    });
    return { name, host };
  }

  #module(name: string, text: string): URL {
    const file = join(this.#parts.folder, `${name}.mjs`);
    writeFileSync(file, text);
    return pathToFileURL(file);
  }
}

// What befalls hosts and Redis in a chaos run.

import process from "node:process";
import { delay } from "@std/async";
import { type Cluster, type HostProcess, STALLED } from "../../../tests/support/bullmq_host.ts";
import type { RedisServer } from "../../../tests/support/redis_server.ts";
import type { Dice } from "../lib/dice.ts";

/** Hosts at a time. */
const HOSTS = 2;

/** How long a host may finish on SIGTERM what it has, in milliseconds. */
const DRAIN = 1500;

/** The longest that a host is stopped: it loses its calls, and then goes on; in milliseconds. */
const LONGEST_STOP = 2 * STALLED;

/** The hosts of a run. */
export class Faults {
  readonly #cluster: Cluster;
  readonly #server: RedisServer;
  readonly #dice: Dice;
  readonly #hosts: HostProcess[] = [];

  constructor(cluster: Cluster, server: RedisServer, dice: Dice) {
    this.#cluster = cluster;
    this.#server = server;
    this.#dice = dice;
  }

  /** Starts the hosts. */
  async begin(): Promise<void> {
    this.#hosts.push(...await Promise.all(Array.from({ length: HOSTS }, () => this.#start())));
  }

  /** Lets something happen; resolves with what, when everything is there again. */
  async strike(): Promise<string> {
    const dice = this.#dice;
    const place = dice.int(0, HOSTS - 1), host = this.#hosts[place]!;
    const what = dice.pick([
      "host killed",
      "host told to end",
      "host stopped for a while",
      "Redis killed",
      "Redis ended",
    ]);
    if (what === "host stopped for a while") {
      process.kill(host.pid, "SIGSTOP");
      await delay(dice.int(100, LONGEST_STOP));
      process.kill(host.pid, "SIGCONT");
    } else if (what.startsWith("host")) {
      const how = await host.end(what === "host killed" ? "SIGKILL" : "SIGTERM");
      if (how !== "SIGKILL" && how !== 0) throw new Error(`A host that was told to end did so with ${how}`);
      this.#hosts[place] = await this.#start();
    } else {
      if (what === "Redis killed") await this.#server.kill();
      else await this.#server.stop();
      await delay(dice.int(0, 3000));
      await this.#server.restart();
    }
    return what;
  }

  #start(): Promise<HostProcess> {
    const dice = this.#dice;
    return this.#cluster.host({
      runtime: dice.pick(["deno", "bun", "node"]),
      workers: dice.int(1, 2),
      kind: dice.pick(["threads", "threads", "processes"]),
      stalledInterval: STALLED,
      drainTimeout: DRAIN,
    });
  }
}

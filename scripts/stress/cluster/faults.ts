// What befalls hosts, Redis, its data, its password and the lines to it in a chaos run: one thing after the other.

import process from "node:process";
import { delay } from "@std/async";
import type { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import type { RedisServer } from "../../../tests/support/redis_server.ts";
import type { Relay } from "../../../tests/support/relay.ts";
import type { Dice } from "../lib/dice.ts";
import type { Hosts } from "./hosts.ts";
import { type Passwords, setPasswords } from "./passwords.ts";

/** The longest that Redis is of no use, in milliseconds: less than the time after which calls fail for that. */
const LONGEST = 6_000;

/** The longest that Redis does not answer, in milliseconds: more than `socketTimeout`. */
const LONGEST_SILENCE = 18_000;

/** What faults strike. */
export interface Targets {
  readonly dice: Dice;
  readonly server: RedisServer;
  readonly hosts: Hosts;
  /** The lines to Redis. */
  readonly lines: { readonly ofExecutors: Relay; readonly ofHosts: Relay };
  readonly passwords: Passwords;
  /** Makes new executors with the password of now, and resolves when the old ones have done their calls. */
  replaceExecutors(): Promise<void>;
  /** The executors of now. */
  executors(): readonly BullMQExecutor[];
}

/** Lets one thing happen, and resolves when everything is there again. */
type Fault = (targets: Targets) => Promise<void>;

/** Faults by which Redis loses data. */
export const LOSING: ReadonlySet<string> = new Set(["data dropped", "Redis restarted without its data"]);

/** All faults. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "host killed": ({ hosts }) => hosts.replace("SIGKILL"),
  "host told to end": ({ hosts }) => hosts.replace("SIGTERM"),
  "host stopped for a moment": ({ hosts, dice }) => hosts.freeze(dice.int(100, hosts.stallLimit)),
  "host frozen past the stall limit": ({ hosts, dice }) =>
    hosts.freeze(dice.int(hosts.stallLimit, 2 * hosts.stallLimit)),
  "host with a broken module": ({ hosts }) => hosts.startBroken(),
  "host with an older module": (targets) => allServe(targets).then(() => targets.hosts.startOlder()),
  "host whose module breaks": (targets) => allServe(targets).then(() => targets.hosts.startBreaking()),

  async "Redis killed"({ server, dice }) {
    await server.kill();
    await delay(dice.int(0, 3000));
    await server.restart();
  },
  async "Redis ended"({ server, dice }) {
    await server.stop();
    await delay(dice.int(0, 3000));
    await server.restart();
  },
  async "Redis silent"({ server, dice }) {
    process.kill(server.pid!, "SIGSTOP");
    await delay(dice.skewed(500, LONGEST_SILENCE));
    process.kill(server.pid!, "SIGCONT");
  },
  async "Redis full"({ passwords, dice }) {
    await passwords.operate(async (redis) => {
      // Nothing fits in any more, or a few jobs do.
      const used = Number(/used_memory:(\d+)/.exec(await redis.info("memory"))![1]);
      await redis.config("SET", "maxmemory", dice.oneIn(2) ? 1 : used + 30_000);
      await delay(dice.int(500, LONGEST));
      await redis.config("SET", "maxmemory", 0);
    });
  },
  async "data dropped"({ passwords }) {
    await passwords.operate((redis) => redis.flushall());
  },
  async "Redis restarted without its data"({ server, dice }) {
    await server.kill();
    server.forget();
    await delay(dice.int(0, 1000));
    await server.restart();
  },

  async "connections cut half-way"({ lines, dice }) {
    for (const line of dice.pick([[lines.ofExecutors], [lines.ofHosts], Object.values(lines)])) line.sever();
    await delay(500);
  },
  async "connections gone silent"({ lines, dice }) {
    for (const line of dice.pick([[lines.ofExecutors], [lines.ofHosts], Object.values(lines)])) line.cut();
    await delay(dice.int(0, LONGEST));
  },

  /** By mistake: nobody has the new one. */
  async "password changed for a while"({ passwords, dice }) {
    await passwords.operate(async (redis) => {
      await setPasswords(redis, ["nobody has this one"], true);
      await delay(dice.int(0, LONGEST));
      await setPasswords(redis, [passwords.current], true);
    });
  },
  /** As it should be done: both hold until everybody has the new one. */
  async "password rotated"({ passwords, hosts, replaceExecutors }) {
    await passwords.operate((redis) => setPasswords(redis, [passwords.current, passwords.next()], false));
    await Promise.all([replaceExecutors(), hosts.replaceAll()]);
    await passwords.operate((redis) => setPasswords(redis, [passwords.current], true));
  },
};

/**
 * Waits until all hosts are known. Only then is a call that one of them cannot run for another: their records are gone for some
 * seconds when Redis has lost its data.
 */
async function allServe({ executors, hosts }: Targets): Promise<void> {
  // Nothing is heard of it while its connection is silent since another fault, for up to `socketTimeout`.
  const known = () => executors()[0]!.cluster().then(({ hosts }) => hosts, () => []);
  while (!hosts.serve(await known())) await delay(200);
}

// A user of Redis who may do what executors and hosts do, and nothing else. The list stands in docs/cluster.md, too.

import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Redis } from "ioredis";
import { RedisClient } from "../../../src/bullmq/redis_client.ts";
import { task } from "../../../mod.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { echo } from "../../fixtures/tasks/cluster_tasks.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { TestCluster } from "../../support/bullmq_cluster.ts";
import { Gate } from "../../support/gate.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";
import { until, within } from "../../support/until.ts";

/** The commands, in alphabetical order: those that executors and hosts send, and those in the scripts of BullMQ that they run. */
const COMMANDS =
  "bzpopmin client|setname del eval evalsha exec exists get getrange hdel hexists hget hgetall hincrby hmget hmset " +
  "hset incr info lindex llen lpos lpush lrange lrem ltrim multi persist pexpire pttl rpop rpoplpush rpush sadd " +
  "scard set smembers srandmember srem time xadd xrange xread xrevrange xtrim zadd zcard zcount zpopmin zrange " +
  "zrangebyscore zrem zremrangebyrank zremrangebyscore zrevrange zrevrangebyscore zscore";

/**
 * They need no permission: whoever connects may say who they are, and leave. Of the information on the client, which Redis has taken since
 * 7.2, ioredis (6.0) ignores that it is refused.
 */
const FREE: ReadonlySet<string> = new Set(["auth", "hello", "quit", "client|setinfo"]);

/** Commands in a script of BullMQ: where they are called, and two whose names are handed to a function. */
const CALL = /\b(?:rcall|redis\.p?call)\(\s*["'](\w+)["']|["']([LR]PUSH)["']/g;

/** A command of ioredis. */
interface Sent {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What every client of this program sends, until it is ended. */
class Recorder implements Disposable {
  readonly #sent: Sent[] = [];
  readonly #send = RedisClient.prototype.sendCommand;

  constructor() {
    const sent = this.#sent, send = this.#send;
    RedisClient.prototype.sendCommand = function (...args) {
      sent.push(args[0] as unknown as Sent);
      return send.apply(this, args);
    };
  }

  /** The scripts: ioredis (6.0) sends the text of each once, and puts it into the command then. */
  get scripts(): string[] {
    return [...new Set(this.#sent.filter(({ name }) => name === "eval").map(({ args }) => String(args[0])))];
  }

  /** What has to be allowed. */
  get needed(): string[] {
    const sent = this.#sent.map(({ name, args }) => name === "client" ? `${name}|${args[0]}` : name);
    const called = this.scripts.flatMap((text) => [...text.matchAll(CALL)].map(([, name, other]) => name ?? other!));
    const names = [...sent, ...called].map((name) => name.toLowerCase());
    return [...new Set(names)].filter((name) => !FREE.has(name)).sort();
  }

  [Symbol.dispose](): void {
    RedisClient.prototype.sendCommand = this.#send;
  }
}

/** What Redis has refused the user: commands, or keys. */
async function refused(admin: Redis): Promise<string[]> {
  const entries = await admin.call("ACL", "LOG") as unknown[][];
  return entries.map((entry) => {
    const field = (name: string) => entry[entry.indexOf(name) + 1];
    return `${field("reason")} ${field("object")}`;
  }).filter((entry) => !FREE.has(entry.replace("command ", "")));
}

/** Does whatever executors and hosts can do. */
async function everything(cluster: TestCluster, url: string, recorder: Recorder): Promise<void> {
  const connection = { url };
  using gate = new Gate(), other = new Gate();
  const host = await cluster.serve({ connection, workers: 2, stalledInterval: 900, health: { port: 0 } });
  const executor = cluster.executor({ connection, orphans: "cancel" });
  assertEquals(await within("a call", executor.submit(square, 3)), 9);
  const running = [gate, other].map(({ folder }) => executor.submit(hold, folder, 1));
  await Promise.all([gate.noted(), other.noted()]);
  const [cancelled, expired] = [executor, executor.with({ expires: 1 })].map((one) => one.submit(note, gate.folder, 0));
  await within("a call that expires", expired!.exception());
  await until("what the host has taken ahead is taken back", () => cancelled!.cancel());
  other.open();
  assertEquals((await executor.cluster()).hosts.length, 1);
  await fetch(`http://127.0.0.1:${host.healthPort}/metrics`).then((page) => page.text());
  assertEquals(await within("calls", Promise.all([1, 2, 3].map((n) => executor.submit(square, n)))), [1, 4, 9]);
  assertEquals(await within("a call with a key", executor.with({ key: "one" }).submit(square, 4)), 16);
  await within("accepted()", executor.accepted());
  assertEquals(await within("its result", executor.result("one")), 16);
  assertEquals(await within("a call that waits", executor.with({ delay: 50 }).submit(square, 5)), 25);
  const long = "x".repeat(10_000);
  assertEquals(await within("a long reply", executor.submit(echo, long)), long);
  const missing = task(import.meta.url, function missing() {}, { module: "arithmetic" });
  assertEquals((await within("an unknown task", executor.submit(missing).exception()) as Error).name, "TypeError");
  // While a call runs, both sides look after it now and then.
  await until("all is sent", () => COMMANDS.split(" ").every((name) => recorder.needed.includes(name))).catch(() => {});
  gate.open();
  assertEquals(await within("the calls that ran", Promise.all(running)), [1, 1]);
  await within("shutdown()", executor.shutdown());
  await within("close()", host.close());
}

test(
  "BullMQExecutor and its hosts need exactly the commands of Redis that the documentation lists",
  needsRedis,
  async () => {
    await using server = await RedisServer.start();
    const admin = new Redis(server.url);
    try {
      using recorder = new Recorder();
      await using cluster = new TestCluster(server);
      const allowed = COMMANDS.split(" ");
      const keys = `~${cluster.keys.job("*")}`;
      await admin.acl("SETUSER", "words", "reset", "on", ">secret", keys, ...allowed.map((name) => `+${name}`));
      const failed = await everything(cluster, server.url.replace("//", "//words:secret@"), recorder).catch((error) =>
        error
      );
      const missing = recorder.needed.filter((name) => !allowed.includes(name));
      assertEquals([missing, await refused(admin)], [[], []], "missing in the list, and what Redis has refused");
      if (failed) throw failed;
      assertEquals(allowed.filter((name) => !recorder.needed.includes(name)), [], "not needed in the list");
    } finally {
      admin.disconnect();
    }
  },
);

test("the documentation lists the commands of Redis that executors and hosts need", () => {
  const page = readFileSync(new URL("../../../docs/cluster.md", import.meta.url), "utf8");
  const listed = page.split("<!-- acl:begin -->")[1]!.split("<!-- acl:end -->")[0]!.match(/\+\S+/g)!;
  assertEquals(listed.map((name) => name.slice(1)), COMMANDS.split(" "));
});

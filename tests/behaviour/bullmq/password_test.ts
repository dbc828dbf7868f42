// The password of Redis: it shows neither on a command line, nor in what workers inherit, nor in an error.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import { connect, holding } from "../../../src/bullmq/connection.ts";
import { serve } from "../../../src/bullmq/host/serve.ts";
import { MODULES } from "../../support/bullmq_tasks.ts";
import { run } from "../../../scripts/run.ts";
import { runProgram } from "../../support/run_program.ts";
import { runtime } from "../../support/runtime.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { hostCommand } from "../../support/bullmq_host.ts";
import { Gate } from "../../support/gate.ts";
import type { RedisServer } from "../../support/redis_server.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { CEILING, until, within } from "../../support/until.ts";

/** With characters that mean something in a URL. */
const PASSWORD = "t0p:s/e@c%41?ret#";

/** Makes a server ask for the password: of a user, and of whoever names none. */
async function guarded(server: RedisServer): Promise<void> {
  const redis = new Redis(server.url);
  await redis.acl("SETUSER", "someone", "on", `>${PASSWORD}`, "~*", "&*", "+@all");
  await redis.config("SET", "requirepass", PASSWORD);
  await redis.quit();
}

/** Its URL with a user, and a password or none. */
function urlOf(server: RedisServer, user: string, password?: string): string {
  return server.url.replace("//", `//${user}${password === undefined ? "" : `:${encodeURIComponent(password)}`}@`);
}

const WAYS = {
  "in REDIS_URL": (server: RedisServer) => ({ args: [], env: { REDIS_URL: urlOf(server, "", PASSWORD) } }),
  "in REDIS_PASSWORD": (server: RedisServer) => ({ args: ["--url", server.url], env: { REDIS_PASSWORD: PASSWORD } }),
  "in a file": (server: RedisServer, file: string) => ({
    args: ["--url", urlOf(server, "someone"), "--password-file", file],
    env: {},
  }),
};

for (const [way, connection] of Object.entries(WAYS)) {
  for (const kind of ["threads", "processes"] as const) {
    clusterTest(
      `The command of a host takes the password ${way}, and keeps it from ps and its ${kind}`,
      async (cluster) => {
        const { server } = cluster;
        using files = new Gate();
        await guarded(server);
        const file = join(files.folder, "password");
        writeFileSync(file, `${PASSWORD}\n`);
        const host = await cluster.host({ runtime, kind, connection: connection(server, file) });
        const executor = cluster.executor({ connection: { url: server.url, password: PASSWORD } });
        const environment = await executor.submit(async () => {
          const { default: process } = await import("node:process");
          return { ...process.env };
        });
        assert(environment["PATH"], "it is the environment");
        assertEquals([environment["REDIS_URL"], environment["REDIS_PASSWORD"]], [undefined, undefined]);
        assertKept(environment);
        assertKept(commandLine(host.pid));
      },
    );
  }
}

/** What everybody on the machine can read of a process. */
function commandLine(pid: number): string {
  if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
}

/** Fails if the password shows in a value, as it is or in a URL. */
function assertKept(shown: unknown): void {
  const text = inspect(shown, { depth: Infinity, maxStringLength: null, showHidden: true });
  for (const password of [PASSWORD, encodeURIComponent(PASSWORD)]) assert(!text.includes(password), text);
}

test("The command of a host refuses a password on its command line", async () => {
  const [command, ...first] = hostCommand(runtime);
  const host = "127.0.0.1:1";
  for (
    const url of [
      ...[`redis://:${encodeURIComponent(PASSWORD)}@${host}`, `rediss://someone:${PASSWORD}@${host}/0`],
      ...[`someone:${PASSWORD}@${host}`, `//:${PASSWORD}@${host}`, `redis://${host}/0?db=1&password=${PASSWORD}`],
    ]
  ) {
    const args = [...first, "--queue", "q", "--tasks", "./words.ts", "--url", url];
    const { code, output } = await run(command, args, { timeout: CEILING });
    assertMatch(output, /^--url must not have a password .*--password-file.*REDIS_PASSWORD/);
    assertEquals(code, 2, output);
    assertKept(output);
  }
});

clusterTest("BullMQExecutor and serve() do not show the password in their errors", async (cluster) => {
  const { server } = cluster;
  await guarded(server);
  const known = new Redis(server.url, { password: PASSWORD });
  await known.acl("SETUSER", "someone", ">another");
  await known.acl("SETUSER", "someone", `<${PASSWORD}`);
  await known.quit();
  const wrong = [
    { url: urlOf(server, "someone", PASSWORD) },
    { url: urlOf(server, "someone"), password: PASSWORD },
  ];
  for (const connection of wrong) {
    const executor = cluster.executor({ connection });
    const errors = await within(
      "the errors",
      Promise.all([
        executor.cluster().catch((error) => error),
        executor.submit(square, 3).exception(),
        cluster.serve({ connection }).catch((error) => error),
      ]),
    );
    for (const error of errors) {
      assertEquals((error as Error).name, "BrokenExecutor");
      assertMatch(String((error as Error).cause), /WRONGPASS/);
      assertKept(error);
    }
  }
});

test("BullMQExecutor and serve() refuse a malformed URL, and do not show the password in it", async () => {
  const escaped = encodeURIComponent(PASSWORD);
  const malformed = [
    { url: `redis://:${escaped}@127.0.0.1:notaport` },
    { url: `redis://:${escaped}@127.0.0.1:65599` },
    { url: `redis//:${escaped}@127.0.0.1:1` },
    { url: `rediss://someone:${escaped}@[::1:1` },
    { url: `redis://:${PASSWORD}@127.0.0.1:1` },
    { url: `redis://12#${escaped}` },
    { url: `redis://12?${escaped}@127.0.0.1:1` },
    `redis://:${escaped}@127.0.0.1:1`,
  ];
  for (const given of malformed) {
    const connection = given as { url: string };
    for (
      const refused of [
        () => new BullMQExecutor({ queue: "q", connection }),
        () => serve({ queue: "q", connection, tasks: MODULES }),
      ]
    ) {
      const error = await Promise.resolve().then<unknown>(refused).then(() => undefined, (error) => error);
      assert(error instanceof TypeError, inspect(given));
      assertMatch(error.message, /^Cannot .* as 'connection(\.url)?' must be .*; the value is not shown/);
      assertKept(error);
    }
  }
  const [command, ...first] = hostCommand(runtime);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { code, output } = await run(command, [...first, "--queue", "q", "--tasks", "./words.ts"], {
    timeout: CEILING,
    env: { ...env, REDIS_URL: `redis://:${escaped}@127.0.0.1:notaport` },
  });
  assertEquals(code, 1, output);
  assertMatch(output, /'connection\.url' must be/);
  assertKept(output);
});

clusterTest(
  "No output of a program shows the password that Redis does not take, or that of a malformed URL",
  async (cluster) => {
    const { server } = cluster;
    await guarded(server);
    const wrong = `${PASSWORD}!`;
    const connections = [
      { url: urlOf(server, "someone", wrong) },
      { url: urlOf(server, "someone"), password: wrong },
      { url: urlOf(server, "", wrong) },
      { url: `redis://:${encodeURIComponent(wrong)}@127.0.0.1:notaport` },
      { url: `redis://someone:${wrong}@127.0.0.1:1/x` },
    ];
    for (const connection of connections) {
      for (const how of ["executor", "serve", "inspect"]) {
        const { output, code } = await runProgram("secret_connection", how, JSON.stringify(connection), cluster.queue);
        assertMatch(output, /WRONGPASS|the value is not shown/, "it says why");
        if (how !== "executor") assertEquals(code, 1, output);
        assertKept(output);
      }
    }
  },
);

clusterTest("A host says once that Redis refuses its password, and goes on when it takes it again", async (cluster) => {
  const { server } = cluster, lines: string[] = [], errors: unknown[] = [];
  await guarded(server);
  const connection = { url: urlOf(server, "", PASSWORD) };
  const host = await cluster.serve({
    connection,
    name: "one",
    log: (line) => lines.push(line),
    onError: (error) => errors.push(error),
  });
  const redis = new Redis(server.url, { password: PASSWORD });
  try {
    await redis.config("SET", "requirepass", "changed");
    await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    const refusals = async () =>
      Number(/errorstat_WRONGPASS:count=(\d+)/.exec(await redis.info("errorstats"))?.[1] ?? 0);
    await until("each of its connections was refused again and again", async () => await refusals() >= 9);
    await redis.config("SET", "requirepass", PASSWORD);
    const executor = cluster.executor({ connection });
    assertEquals(await within("a call", executor.submit(square, 3)), 9);
    assertMatch(lines.join("\n"), /^Host one: WRONGPASS .*$/, "it is one line");
    assertKept([lines, errors]);
    await within("close()", host.close());
  } finally {
    redis.disconnect();
  }
});

clusterTest("No error of a connection shows what was sent, whichever way it comes", async ({ server }) => {
  const client = connect({ url: server.url });
  const duplicate = client.duplicate();
  try {
    for (const redis of [client, duplicate]) {
      const transaction = redis.multi().set("text", "2", PASSWORD as "NX").call("no-such-command", PASSWORD).exec();
      const errors = await within(
        "the errors",
        holding(Promise.all([
          redis.auth(PASSWORD).catch((error) => error),
          redis.set("text", "1").then(() => redis.lpush("text", PASSWORD)).catch((error) => error),
          transaction.catch((error) => error),
          redis.pipeline().lpush("text", PASSWORD).exec().then((answers) => answers![0]![0]),
          redis.call("no-such-command", PASSWORD).catch((error) => error),
        ])),
      );
      for (const error of errors) {
        assert(error instanceof Error);
        assertEquals(error.name, "ReplyError");
        assertKept(error);
      }
    }
  } finally {
    client.disconnect();
    duplicate.disconnect();
  }
});

// The Redis server of the tests: it can be ended, killed and restarted, and ends with its program.

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { canSeeWorkers, isAlive } from "./leaks.ts";
import { needsRedis, RedisServer } from "./redis_server.ts";
import { until } from "./until.ts";

for (const how of ["kill", "stop"] as const) {
  test(`RedisServer.${how}() and restart() lose nothing with appendOnly`, needsRedis, async () => {
    await using server = await RedisServer.start({ appendOnly: true });
    const { url } = server;
    const client = connect(url);
    try {
      for (let n = 0; n < 100; n++) await client.set(`key ${n}`, n);
      await server[how]();
      await server.restart();
      assertStrictEquals(server.url, url);
      assertEquals(await client.dbsize(), 100);
    } finally {
      client.disconnect();
    }
  });
}

test("RedisServer.start() starts several servers, each with its own data", needsRedis, async () => {
  await using one = await RedisServer.start();
  await using other = await RedisServer.start();
  const clients = [connect(one.url), connect(other.url)];
  try {
    await clients[0]!.set("key", "value");
    assertEquals([await clients[0]!.dbsize(), await clients[1]!.dbsize()], [1, 0]);
  } finally {
    for (const client of clients) client.disconnect();
  }
});

for (const how of ["ends by itself", "is killed"] as const) {
  test(`RedisServer ends when its program ${how}`, needsRedis, async () => {
    const temporary = mkdtempSync(join(tmpdir(), "futures-redis-test-"));
    try {
      const program = fileURLToPath(new URL("../fixtures/programs/redis_server.ts", import.meta.url));
      const child = spawn(process.execPath, ["Deno" in globalThis ? ["run", "-A"] : [], program, how].flat(), {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TMPDIR: temporary },
      });
      const [url, pid] = (await firstLine(child)).trim().split(" ");
      const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
      if (how === "is killed") child.kill("SIGKILL");
      assertStrictEquals(await exit, how === "is killed" ? "SIGKILL" : 0);
      await until("its folder is removed", () => readdirSync(temporary).length === 0);
      if (canSeeWorkers) await until("the server has ended", () => !isAlive(Number(pid)));
      assertMatch(url!, /^redis:/);
    } finally {
      if (existsSync(temporary)) rmSync(temporary, { recursive: true });
    }
  });
}

function connect(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 20, retryStrategy: () => 5 });
  client.on("error", () => {}); // retried
  return client;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout!.setEncoding("utf8").once("data", resolve);
    child.once("exit", () => reject(new Error("The program has ended before it wrote anything")));
  });
}

// Bad options of executors and hosts, a Redis that is not there, and how programs with either end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { asCompleted, BrokenExecutor, ThreadPoolExecutor, wait } from "../../../mod.ts";
import { run } from "../../../scripts/run.ts";
import { BullMQExecutor, serve } from "../../../src/bullmq/mod.ts";
import { runtime } from "../../../src/runtime.ts";
import { Cluster } from "../../support/bullmq_host.ts";
import { MODULES } from "../../support/bullmq_tasks.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";
import { otherRuntimes, runtimeCommand } from "../../support/runtime_commands.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { CEILING, within } from "../../support/until.ts";

// What a type checker would refuse is tried all the same.
// deno-lint-ignore no-explicit-any
type Anything = any;

/** `[option, value, class of the error]` */
type Wrong = readonly (readonly [string, Anything, "TypeError" | "RangeError"])[];

const SHARED: Wrong = [
  ["queue", undefined, "TypeError"],
  ["queue", 1, "TypeError"],
  ["queue", "", "RangeError"],
  ["queue", "a:b", "RangeError"],
  ["connection", 1, "TypeError"],
  ["connection", null, "TypeError"],
  ["prefix", 1, "TypeError"],
  ["name", 1, "TypeError"],
  ["keepJobs", -1, "RangeError"],
  ["keepJobs", "1", "TypeError"],
  ["maxPayload", 0, "RangeError"],
  ["connectTimeout", NaN, "RangeError"],
];

const OF_EXECUTORS: Wrong = [
  ["maxQueue", 0, "RangeError"],
  ["maxQueue", "1", "TypeError"],
  ["orphans", "kill", "RangeError"],
  ["onUnobserved", 1, "TypeError"],
  ["errorTypes", [Date], "TypeError"],
];

const OF_HOSTS: Wrong = [
  ["tasks", undefined, "TypeError"],
  ["tasks", {}, "TypeError"],
  ["tasks", { words: "./words.ts" }, "TypeError"],
  ["executor", {}, "TypeError"],
  ["workers", 0, "RangeError"],
  ["stalledInterval", 0, "RangeError"],
  ["drainTimeout", -1, "RangeError"],
];

function message(option: string): RegExp {
  return option === "tasks" ? /^Cannot / : new RegExp(`^Cannot .*'${option}'.*: received `);
}

test("BullMQExecutor refuses wrong options when it is made", () => {
  for (const [option, value, name] of [...SHARED, ...OF_EXECUTORS]) {
    const make = () => new BullMQExecutor({ queue: "q", [option]: value } as Anything);
    assert.throws(make, { name, message: message(option) }, `${option}: ${String(value)}`);
  }
  for (const bad of [undefined, null, 1] as Anything[]) assert.throws(() => new BullMQExecutor(bad), TypeError);
});

test("serve() refuses wrong options", async () => {
  for (const [option, value, name] of [...SHARED, ...OF_HOSTS]) {
    const options = { queue: "q", tasks: MODULES, [option]: value } as Anything;
    await assert.rejects(() => serve(options), { name, message: message(option) }, `${option}: ${String(value)}`);
  }
});

test("BullMQExecutor and serve() say so when Redis cannot be reached", async () => {
  const connection = { url: "redis://127.0.0.1:1" };
  const executor = new BullMQExecutor({ queue: "q", connection, connectTimeout: 50 });
  const cluster = new Cluster({ url: connection.url } as RedisServer);
  const future = cluster.executor({ connectTimeout: 50 }).submit(square, 2);
  const error = await within("a call without Redis", future.exception());
  assert.ok(error instanceof BrokenExecutor && error.cause instanceof Error, String(error));
  await assert.rejects(serve({ queue: "q", tasks: MODULES, connection, connectTimeout: 50 }), BrokenExecutor);
  await within("shutdown()", executor.shutdown());
  await cluster[Symbol.asyncDispose]();
});

test("BullMQExecutor has Futures that mix with those of local executors", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await cluster.host({ runtime: otherRuntimes[0]! });
  await using local = new ThreadPoolExecutor({ maxWorkers: 1 });
  const futures = [cluster.executor().submit(square, 2), local.submit(square, 3)];
  assert.equal((await within("both", wait(futures))).done.size, 2);
  const results: number[] = [];
  for await (const future of asCompleted(futures)) results.push(await future);
  assert.deepEqual(results.sort(), [4, 9]);
});

/** Runs a program of tests/fixtures/programs/ with this runtime, to its end. */
function program(name: string, ...args: string[]) {
  const [command, ...flags] = runtimeCommand(runtime);
  const file = fileURLToPath(new URL(`../../fixtures/programs/${name}.ts`, import.meta.url));
  return run(command!, [...flags, file, ...args], { timeout: CEILING });
}

test("BullMQExecutor lets its program end when its work is done, with or without shutdown()", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using cluster = new Cluster(server);
  await cluster.host({ runtime: otherRuntimes[0]! });
  for (const how of ["falls off its end", "await using"]) {
    const { code, output } = await program("bullmq_end", server.url, cluster.queue, how);
    assert.deepEqual([output, code], ["result 9\n", 0], how);
  }
});

test("the command of a host says what it takes, and what is wrong", async () => {
  const command = fileURLToPath(new URL("../../../src/bullmq/host/serve_command.ts", import.meta.url));
  const [own, ...flags] = runtimeCommand(runtime);
  const cases: [args: string[], code: number, output: RegExp][] = [
    [["--help"], 0, /--queue <name>/],
    [[], 2, /--queue and --tasks are needed/],
    [["--queue", "q", "--tasks", "./a.ts", "--workers", "many"], 2, /--workers must be a number: received many/],
    [["--loud"], 2, /--loud/],
  ];
  for (const [args, expected, output] of cases) {
    const result = await run(own!, [...flags, command, ...args], { timeout: CEILING });
    assert.match(result.output, output);
    assert.equal(result.code, expected, args.join(" "));
  }
});

// Wrong options of executors and hosts, and tasks that hosts do not know. No Redis is needed.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { BrokenExecutor, ThreadPoolExecutor } from "../../../mod.ts";
import { BullMQExecutor, serve, type ServeOptions } from "../../../src/bullmq/mod.ts";
import { Cluster } from "../../support/bullmq_host.ts";
import { MODULES } from "../../support/bullmq_tasks.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { within } from "../../support/until.ts";
import { assertError } from "../../support/assert_error.ts";

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
  ["connection", [], "TypeError"],
  ["prefix", 1, "TypeError"],
  ["name", 1, "TypeError"],
  ["maxPayload", 0, "RangeError"],
  ["connectTimeout", NaN, "RangeError"],
  ["log", "console", "TypeError"],
  ["onError", 1, "TypeError"],
];

const OF_EXECUTORS: Wrong = [
  ["keepJobs", -1, "RangeError"],
  ["keepJobs", "1", "TypeError"],
  ["maxQueue", 0, "RangeError"],
  ["maxQueue", "1", "TypeError"],
  ["orphans", "kill", "RangeError"],
  ["redisTimeout", -1, "RangeError"],
  ["onUnobserved", 1, "TypeError"],
  ["errorTypes", [Date], "TypeError"],
];

const OF_HOSTS: Wrong = [
  ["tasks", undefined, "TypeError"],
  ["tasks", {}, "TypeError"],
  ["tasks", { words: "./words.ts" }, "TypeError"],
  ["tasks", [new URL("file:///words.ts")], "TypeError"],
  ["health", [], "TypeError"],
  ["executor", {}, "TypeError"],
  ["workers", 0, "RangeError"],
  ["stalledInterval", 0, "RangeError"],
  ["drainTimeout", -1, "RangeError"],
  ["keepCount", -1, "RangeError"],
  ["keepCount", "1", "TypeError"],
];

function message(option: string): RegExp {
  return option === "tasks" ? /^Cannot / : new RegExp(`^Cannot .*'${option}'.*: received `);
}

test("BullMQExecutor refuses wrong options when it is made", () => {
  for (const [option, value, name] of [...SHARED, ...OF_EXECUTORS]) {
    const make = () => new BullMQExecutor({ queue: "q", [option]: value } as Anything);
    assertError(assertThrows(make, `${option}: ${String(value)}`), { name, message: message(option) });
  }
  for (const bad of [undefined, null, 1] as Anything[]) assertThrows(() => new BullMQExecutor(bad), TypeError);
});

test("BullMQExecutor and serve() refuse a socketTimeout with which no connection would stay", async () => {
  for (const [socketTimeout, name] of [[0, "RangeError"], [-1, "RangeError"], ["1", "TypeError"]] as Anything[]) {
    const options = { queue: "q", connection: { socketTimeout } };
    const wanted = { name, message: message("connection.socketTimeout") };
    assertError(assertThrows(() => new BullMQExecutor(options)), wanted);
    assertError(await assertRejects(() => serve({ ...options, tasks: MODULES })), wanted);
  }
});

test("serve() refuses wrong options", async () => {
  for (const [option, value, name] of [...SHARED, ...OF_HOSTS]) {
    const options = { queue: "q", tasks: MODULES, [option]: value } as Anything;
    assertError(await assertRejects(() => serve(options), `${option}: ${String(value)}`), {
      name,
      message: message(option),
    });
  }
});

test("BullMQExecutor.submit() and map() refuse what has no registered name, whatever it is", () => {
  const executor = new BullMQExecutor({ queue: "nowhere" });
  for (const bad of [() => 1, function named() {}, Math.max, class {}, "source", null, square] as Anything[]) {
    assertThrows(() => executor.submit(bad), TypeError);
    assertThrows(() => executor.map(bad, [1]), TypeError);
  }
});

test("BullMQExecutor and serve() refuse options that there are not, and say which was meant", async () => {
  const unknown = (action: string, name: string, meant: string) => ({
    name: "TypeError",
    message: `Cannot ${action} as there is no option '${name}': did you mean '${meant}'?`,
  });
  const make = (options: Anything) => new BullMQExecutor({ queue: "q", ...options });
  assertError(assertThrows(() => make({ keep_jobs: 1 })), unknown("create BullMQExecutor", "keep_jobs", "keepJobs"));
  const executor = make({}), withOptions = executor.with.bind(executor) as Anything;
  assertError(assertThrows(() => withOptions({ keys: "a" })), unknown("apply options to calls", "keys", "key"));
  assertError(
    assertThrows(() => withOptions({ key: "a" }).with({ Key: "b" })),
    unknown("apply options to calls", "Key", "key"),
  );
  const options = { queue: "q", tasks: MODULES, maxWorkers: 1 } as Anything;
  assertError(await assertRejects(() => serve(options)), unknown("serve", "maxWorkers", "workers"));
  await executor.shutdown();
});

test("BullMQExecutor.with() refuses onReport, as hosts send no reports", () => {
  const executor = new BullMQExecutor({ queue: "q" }), onReport = () => {};
  for (const view of [() => executor.with({ onReport }), () => executor.with({ priority: 1 }).with({ onReport })]) {
    assertError(assertThrows(view), { name: "TypeError", message: /'onReport'/ });
  }
});

test("BullMQExecutor knows its calls, and of the workers of its hosts neither how many nor what they do", async () => {
  const executor = new BullMQExecutor({ queue: "q" });
  assertStrictEquals(executor.maxWorkers, Infinity);
  const failedBy = { task: 0, lost: 0, timeout: 0, unsendable: 0, broken: 0, host: 0, expired: 0, refused: 0 };
  assertEquals(executor.stats(), { queued: 0, running: 0, completed: 0, failed: 0, failedBy, cancelled: 0, lost: 0 });
  await executor.shutdown();
});

test("BullMQExecutor refuses what only an executor with workers of its own can do", async () => {
  const executor = new BullMQExecutor({ queue: "q" });
  assertError(assertThrows(() => executor.warmUp()), {
    name: "TypeError",
    message:
      /^Cannot warm up workers as this executor has no workers in this program: do it in the programs of its hosts$/,
  });
  assertThrows(() => executor.resize(2), TypeError, "Cannot resize an executor as this executor has no workers");
  assertThrows(
    () => executor.broadcast(square, 2),
    TypeError,
    "Cannot broadcast a task as this executor has no workers",
  );
  await executor.shutdown();
});

test("serve() runs as many calls at the same time as its executor does", needsRedis, async () => {
  await using server = await RedisServer.start();
  await using executor = new ThreadPoolExecutor({ maxWorkers: 3 });
  const options = { queue: "q", tasks: MODULES, executor, connection: { url: server.url } };
  for (const [more, expected] of [[{}, 3], [{ workers: undefined }, 3], [{ workers: 2 }, 2]] as const) {
    await using host = await serve({ ...options, ...more } as ServeOptions);
    assertStrictEquals(host.stats().workers, expected);
  }
});

test("BullMQExecutor and serve() reject with BrokenExecutor when Redis cannot be reached", async () => {
  const connection = { url: "redis://127.0.0.1:1" };
  const executor = new BullMQExecutor({ queue: "q", connection, connectTimeout: 50 });
  const cluster = new Cluster({ url: connection.url } as RedisServer);
  const future = cluster.executor({ connectTimeout: 50 }).submit(square, 2);
  const error = await within("a call without Redis", future.exception());
  assert(error instanceof BrokenExecutor && error.cause instanceof Error, String(error));
  await assertRejects(() => serve({ queue: "q", tasks: MODULES, connection, connectTimeout: 50 }), BrokenExecutor);
  await within("shutdown()", executor.shutdown());
  await cluster[Symbol.asyncDispose]();
});

test("BullMQExecutor has no streams, and says so at the call", async () => {
  const executor = new BullMQExecutor({ queue: "nowhere" });
  for (const taker of [executor, executor.with({})]) {
    assertThrows(() => taker.stream(() => [1]), Error, "Cannot stream a task as this executor has no streams");
  }
  assertThrows(() => executor.with({ buffersize: 16 } as Anything), TypeError, "there is no option 'buffersize'");
  await executor.shutdown();
});

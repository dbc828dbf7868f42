// What the package exports: its names are the contract.

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as mod from "../../mod.ts";
import * as inlineEntry from "../../src/inline/inline_executor.ts";
import * as processEntry from "../../src/process/process_pool_executor.ts";
import * as threadEntry from "../../src/thread/thread_pool_executor.ts";
import * as taskEntry from "../../src/task/mod.ts";
import * as syncEntry from "../../src/sync/mod.ts";
import * as workerEntry from "../../src/own_worker/mod.ts";

/** The members that instances of a class have, inherited ones included. */
function membersOf(type: { prototype: object }): string[] {
  const members = new Set<string | symbol>();
  for (let at = type.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) members.add(key);
  }
  return [...members].map(String).sort();
}

test("mod.ts exports the documented names and no others", () => {
  assertEquals(Object.keys(mod).sort(), [
    ...["ALL_COMPLETED", "BrokenExecutor", "BrokenProcessPool", "BrokenThreadPool", "CancelledError", "Executor"],
    ...[
      "FIRST_COMPLETED",
      "FIRST_EXCEPTION",
      "Future",
      "InlineExecutor",
      "InvalidStateError",
      "ProcessPoolExecutor",
      "QueueFullError",
    ],
    ...["ShutdownError", "TaskTimeoutError", "ThreadPoolExecutor", "TimeoutError", "WorkerLostError"],
    ...["asCompleted", "currentTask", "isWorker", "task", "taskModule", "transfer", "wait"],
  ]);
});

test("the entry points export the same things as mod.ts, and deno.json names them", () => {
  assertStrictEquals(threadEntry.ThreadPoolExecutor, mod.ThreadPoolExecutor);
  assertStrictEquals(processEntry.ProcessPoolExecutor, mod.ProcessPoolExecutor);
  assertStrictEquals(inlineEntry.InlineExecutor, mod.InlineExecutor);
  assertStrictEquals(workerEntry.currentTask, mod.currentTask);
  assertStrictEquals(workerEntry.isWorker, mod.isWorker);
  for (const [name, exported] of Object.entries(taskEntry)) {
    assertStrictEquals(exported, mod[name as keyof typeof mod], name);
  }
  const { exports } = JSON.parse(readFileSync(new URL("../../deno.json", import.meta.url), "utf8"));
  const names = [".", "./thread", "./process", "./inline", "./task", "./worker", "./sync"];
  assertEquals(names.map((name) => exports[name]), [
    "./mod.ts",
    "./src/thread/thread_pool_executor.ts",
    "./src/process/process_pool_executor.ts",
    "./src/inline/inline_executor.ts",
    "./src/task/mod.ts",
    "./src/own_worker/mod.ts",
    "./src/sync/mod.ts",
  ]);
  assertEquals(Object.keys(syncEntry).sort(), [
    ...[
      "ALL_COMPLETED",
      "FIRST_COMPLETED",
      "FIRST_EXCEPTION",
      "exceptionSync",
      "iterateSync",
      "resultSync",
      "waitSync",
    ],
  ]);
});

test("all local executors are Executors, with the same members", () => {
  const { Executor, InlineExecutor, ProcessPoolExecutor, ThreadPoolExecutor } = mod;
  for (const Type of [ThreadPoolExecutor, ProcessPoolExecutor, InlineExecutor]) {
    assertEquals(membersOf(Type), membersOf(ThreadPoolExecutor));
    assert(Type.prototype instanceof Executor);
    assertEquals(Reflect.ownKeys(Type.prototype), ["constructor"]);
  }
  for (
    const name of [
      "submit",
      "map",
      "with",
      "shutdown",
      "terminateWorkers",
      "killWorkers",
      "stats",
      "warmUp",
      "resize",
      "broadcast",
    ]
  ) {
    assert(membersOf(ThreadPoolExecutor).includes(name), name);
  }
  assert(Symbol.asyncDispose in Executor.prototype);
});

test("Future has Python's methods, and a promise's", () => {
  const members = membersOf(mod.Future);
  const python = ["cancel", "cancelled", "running", "done", "result", "exception", "addDoneCallback"];
  const executors = ["setRunningOrNotifyCancel", "setResult", "setException"];
  for (const name of [...python, ...executors, "then", "catch", "finally", "outcome"]) {
    assert(members.includes(name), name);
  }
});

test("the constants are strings equal to their names [E7]", () => {
  const { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION } = mod;
  assertEquals({ ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION }, {
    ALL_COMPLETED: "ALL_COMPLETED",
    FIRST_COMPLETED: "FIRST_COMPLETED",
    FIRST_EXCEPTION: "FIRST_EXCEPTION",
  });
});

test("errors have the names of their classes, a message and a cause [E1, E2, E3, E5, test_class_str]", () => {
  const cause = new Error("why");
  const { CancelledError, InvalidStateError, QueueFullError, ShutdownError, TaskTimeoutError, TimeoutError } = mod;
  const { BrokenExecutor, BrokenProcessPool, BrokenThreadPool } = mod;
  const types = { CancelledError, InvalidStateError, QueueFullError, ShutdownError, TaskTimeoutError, TimeoutError };
  for (const [name, Type] of Object.entries({ ...types, BrokenExecutor, BrokenProcessPool, BrokenThreadPool })) {
    const error = new Type("what", { cause });
    assert(error instanceof Error);
    assertEquals([error.name, error.constructor.name, error.message], [name, name, "what"]);
    assertStrictEquals(error.cause, cause);
    assertEquals(Object.hasOwn(new Type(), "cause"), false);
  }
  assertEquals(new TimeoutError().message, ""); // [E2]
  assert(new TaskTimeoutError() instanceof TimeoutError);
  assertEquals(new ShutdownError().message, "cannot schedule new futures after shutdown"); // [E5]
});

test("broken executors' errors have one base, as the loss of a worker has [E4]", () => {
  const { BrokenExecutor, BrokenProcessPool, BrokenThreadPool, WorkerLostError } = mod;
  for (const Type of [BrokenProcessPool, BrokenThreadPool, WorkerLostError]) {
    assertStrictEquals(Object.getPrototypeOf(Type), BrokenExecutor);
  }
});

test("WorkerLostError tells how the worker ended", () => {
  const { WorkerLostError } = mod;
  const error = new WorkerLostError({ workerName: "pool_0", exitCode: 3, started: true });
  assertEquals({ ...error, name: error.name }, {
    name: "WorkerLostError",
    workerName: "pool_0",
    exitCode: 3,
    signal: undefined,
    started: true,
  });
  const killed = new WorkerLostError({ workerName: "pool_0", signal: "SIGKILL", started: "unknown" });
  assertMatch(killed.message, /pool_0 .*SIGKILL/);
  const cause = new RangeError("crash");
  const crashed = new WorkerLostError({ workerName: "pool_0", error: cause, started: true });
  assertStrictEquals(crashed.cause, cause);
  assertMatch(crashed.message, /crash/);
  const unknown = new WorkerLostError({ error: new Error("3 hosts were lost"), started: "unknown" });
  assertEquals(unknown.message, "The call's worker was lost: 3 hosts were lost");
  assertEquals(unknown.workerName, undefined);
});

// How a host and a connection tell errors apart: by class and code, never by a word in a message.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { ErrorCode } from "bullmq";
import { ReplyError } from "ioredis";
import { BrokenThreadPool, ShutdownError, WorkerLostError } from "../../../mod.ts";
import { isConnectionError } from "../../../src/bullmq/connection.ts";
import { hostsLost, isExecutorEnd, isLockLost, isTaskNotFound } from "../../../src/bullmq/host/host_errors.ts";
import { TASK_NOT_FOUND } from "../../../src/wire/messages.ts";

const coded = (code: unknown, message = "") => Object.assign(new Error(message), { code });

test("isLockLost() goes by BullMQ's codes: what sounds like a lock is none", () => {
  for (const code of [ErrorCode.JobLockNotExist, ErrorCode.JobLockMismatch]) assert(isLockLost(coded(code)));
  for (const text of ["deadlock", "block", "clock", "Lock mismatch for job 1", "could not renew lock for job 1"]) {
    assertEquals(isLockLost(new Error(text)), false, text);
  }
  assertEquals(isLockLost(coded(ErrorCode.JobNotExist, "Missing key for job deadlock")), false);
});

test("isConnectionError() takes errors of sockets, of closed connections and of a Redis that is starting", () => {
  const aborted = Object.assign(new Error("Command aborted due to connection close"), { name: "AbortError" });
  const lost = [
    ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"].map((code) => coded(code)),
    ...[new AggregateError([], "several addresses"), aborted, new Error("Connection is closed.")],
    new ReplyError("LOADING Redis is loading the dataset in memory"),
  ];
  Object.assign(lost[4]!, { code: "ECONNREFUSED" });
  for (const error of lost) assert(isConnectionError(error), String(error));
  const others: unknown[] = [
    ...[
      new Error("ECONNREFUSED"),
      new Error("the connection lost its way"),
      new Error("LOADING"),
      "Connection is closed.",
    ],
    new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value"),
    new ReplyError("ERR Connection is closed."),
  ];
  for (const error of others) assertEquals(isConnectionError(error), false, String(error));
});

test("isTaskNotFound() goes by the code of the error", () => {
  assert(isTaskNotFound(Object.assign(new TypeError("whatever"), { code: TASK_NOT_FOUND })));
  assertEquals(
    isTaskNotFound(new TypeError("Cannot find the task 'missing' as module words.ts exports nothing")),
    false,
  );
});

test("isExecutorEnd() is true of an executor that runs nothing more, not of one lost worker", () => {
  for (const error of [new ShutdownError(), new BrokenThreadPool("broken")]) assert(isExecutorEnd(error));
  for (const error of [new WorkerLostError({ started: true }), new Error("shut down"), undefined]) {
    assertEquals(isExecutorEnd(error), false);
  }
});

test("hostsLost() says how often, and invents no name, exit code or signal", () => {
  const { message, workerName, exitCode, signal, started } = hostsLost(4);
  assertMatch(message, /delivered to 4 hosts, and all were lost/);
  assertEquals([workerName, exitCode, signal, started], [undefined, undefined, undefined, "unknown"]);
});

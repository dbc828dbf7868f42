// The places in a queue: whoever awaits ready() has one.

import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { QueueLimit } from "../../../src/executor/queue_limit.ts";
import { QueueFullError } from "../../../src/future/errors.ts";

test("a producer has the place that ready() gave it, although workers have given back calls since", async () => {
  let size = 1;
  const limit = new QueueLimit(2, () => size, () => true);
  const ready = limit.ready();
  size = 5; // a call that runs long gives back those behind it
  await ready;
  limit.admit();
  assertThrows(() => limit.admit(), QueueFullError, "2 calls wait already");
});

test("producers that await ready() at once get their places one after another", async () => {
  const limit = new QueueLimit(1, () => 0, () => true);
  const served: string[] = [];
  const produce = async (name: string) => {
    await limit.ready();
    limit.admit();
    served.push(name);
  };
  await Promise.all([produce("first"), produce("second")]);
  assertEquals(served, ["first", "second"]);
});

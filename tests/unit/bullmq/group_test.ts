// Groups of a BullMQExecutor, as far as they need no Redis.

import { assertThrows } from "@std/assert";
import { test } from "node:test";
import { BullMQExecutor } from "../../../src/bullmq/mod.ts";

test("BullMQExecutor.with({ key }) makes no group, and a group takes no key", async () => {
  await using executor = new BullMQExecutor({ queue: "groups" });
  assertThrows(
    () => executor.with({ key: "a" }).group(),
    TypeError,
    "a call with a 'key' belongs to all who submit it",
  );
  const group = executor.with({ priority: 1 }).group();
  // deno-lint-ignore no-explicit-any
  assertThrows(() => group.with({ key: "a" } as any), TypeError, "there is no option 'key'");
});

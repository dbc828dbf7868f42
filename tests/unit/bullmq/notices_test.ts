// One line for each cause, and again only when it changes; both hooks are told.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { ReplyError } from "ioredis";
import { causeOf, Notices } from "../../../src/bullmq/notices.ts";
import { reportsOf } from "../../support/observe.ts";

test("An error is told once, and again only when another one or none came in between", () => {
  const lines: string[] = [], errors: unknown[] = [];
  const notices = new Notices("Host", "one", {
    log: (line) => lines.push(line),
    onError: (error) => errors.push(error),
  });
  const full = () => new Error("OOM used memory"), busy = new Error("BUSY a script runs");
  for (let n = 0; n < 99; n++) notices.error(full());
  notices.error(busy);
  notices.error(full());
  assertEquals(lines, ["OOM used memory", "BUSY a script runs", "OOM used memory"].map((text) => `Host one: ${text}`));
  assertEquals(errors.length, 3);
  notices.over();
  notices.error(full());
  assertEquals(lines.length, 4, "it has gone and come again");
  // Each subject for itself.
  for (let n = 0; n < 9; n++) for (const subject of ["lost", "Redis"]) notices.error(full(), subject);
  assertEquals(lines.length, 5);
});

test("An error of Redis is told once, whichever command gets it", () => {
  const lines: string[] = [];
  const notices = new Notices("Host", "one", { log: (line) => lines.push(line) });
  const errors = ["NOPERM no 'eval'", "NOPERM no 'get'", "ERR one thing", "ERR another"].map((text) =>
    new ReplyError(text)
  );
  for (const error of [...errors, errors[0]!, errors[1]!]) notices.error(error);
  assertEquals(lines, [0, 2, 3, 0].map((n) => `Host one: ${errors[n]!.message}`));
});

test("A hook that throws is told, and ends nothing", async () => {
  const lines: string[] = [];
  const notices = new Notices("Host", "one", {
    log(line) {
      lines.push(line);
      throw new Error("of log");
    },
    onError() {
      throw new Error("of onError");
    },
  });
  const reports = await reportsOf(() => notices.error(new Error("OOM")));
  assertEquals([lines, reports.length], [["Host one: OOM"], 2]);
});

test("What ioredis and scripts add to an error is not part of its cause", () => {
  const script = `OOM full script: ${"a".repeat(40)}, on @user_script:2.`;
  assertEquals(causeOf(new Error(script)), "OOM full");
  const [first, second] = [10, 20].map((ms) =>
    causeOf(new Error(`All sentinels are unreachable. Retrying from scratch after ${ms}ms. Last error: none`))
  );
  assertEquals([first, second], Array(2).fill("All sentinels are unreachable. Last error: none"));
});

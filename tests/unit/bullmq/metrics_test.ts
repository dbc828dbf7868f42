// The text of numbers, and the words for why calls have failed.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { BrokenThreadPool, TaskTimeoutError, TimeoutError, WorkerLostError } from "../../../mod.ts";
import { answeredFailure } from "../../../src/bullmq/errors.ts";
import { metricsOf } from "../../../src/bullmq/mod.ts";

const FAILED_BY = { task: 4, lost: 3, timeout: 2, unsendable: 1, broken: 0 };
const STATS = { queued: 1, running: 2, completed: 3, failed: 10, cancelled: 5, lost: 6 };

/** The lines of a text with calls that are done. */
function doneIn(text: string): string[] {
  return text.split("\n").filter((line) => line.startsWith("futures_calls_total"));
}

test("metricsOf() writes calls that have failed by why, also the kinds of which there were none", () => {
  const text = metricsOf({ stats: () => ({ ...STATS, failedBy: FAILED_BY }) }, { executor: "one" });
  assertEquals(doneIn(text), [
    'futures_calls_total{executor="one",outcome="completed"} 3',
    'futures_calls_total{executor="one",outcome="failed",by="task"} 4',
    'futures_calls_total{executor="one",outcome="failed",by="lost"} 3',
    'futures_calls_total{executor="one",outcome="failed",by="timeout"} 2',
    'futures_calls_total{executor="one",outcome="failed",by="unsendable"} 1',
    'futures_calls_total{executor="one",outcome="failed",by="broken"} 0',
    'futures_calls_total{executor="one",outcome="cancelled"} 5',
  ]);
});

test("metricsOf() writes the kinds of a cluster where there are some", () => {
  const failedBy = { ...FAILED_BY, host: 7, expired: 8, refused: 9 };
  const lines = doneIn(metricsOf({ stats: () => ({ ...STATS, failedBy }) }));
  assertEquals(lines.slice(6, 9), [
    'futures_calls_total{outcome="failed",by="host"} 7',
    'futures_calls_total{outcome="failed",by="expired"} 8',
    'futures_calls_total{outcome="failed",by="refused"} 9',
  ]);
});

test("answeredFailure() goes by whose failure it is, then by its class", () => {
  const lost = new WorkerLostError({ started: true }), late = new TaskTimeoutError("late");
  assertEquals(answeredFailure("host", lost), "lost");
  assertEquals(answeredFailure("host", late), "timeout");
  for (const other of [new TypeError("no"), new TimeoutError("no"), new BrokenThreadPool("no"), undefined]) {
    assertEquals(answeredFailure("host", other), "host", String(other));
  }
  for (const thrown of [lost, late, new TypeError("no"), undefined]) {
    assertEquals(answeredFailure("task", thrown), "task", String(thrown));
  }
});

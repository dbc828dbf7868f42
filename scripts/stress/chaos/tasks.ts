// What the workers of a chaos run are given. Each call notes its begin and its end in the ledger: a file, to which it
// appends without asking anybody, so that the notes of a worker that is gone are there.

import { appendFileSync } from "node:fs";
import process from "node:process";
import { delay } from "@std/async";
import { currentTask } from "../../../src/task/current_task.ts";
import { block } from "./block.ts";
import type { StreamPlan } from "./longer.ts";
import type { Crash, Job } from "./plan.ts";
import type { ReportsPlan } from "./heard.ts";
import { answerTo, invert, reportOf } from "./values.ts";

/** A call of which nothing but its id crosses. */
export function quick(ledger: string, id: number): number {
  note(ledger, `b ${id} ${currentTask().attempt}\n`);
  note(ledger, `e ${id} ${currentTask().attempt}\n`);
  return answerTo(id);
}

/** A call that takes as long as it is told, in milliseconds, which nobody can know before: its worker does nothing else. */
export function lie(ledger: string, id: number, ms: number): number {
  note(ledger, `b ${id} ${currentTask().attempt}\n`);
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  note(ledger, `e ${id} ${currentTask().attempt}\n`);
  return answerTo(id);
}

/** A stream, which notes its end in its `finally`, as it may be left. It reports before each of its first values. */
export async function* count(ledger: string, plan: StreamPlan): AsyncGenerator<number> {
  const { attempt, report } = currentTask(), { id, reports } = plan;
  note(ledger, `b ${id} ${attempt}\n`);
  try {
    for (let n = 0; n < Math.max(plan.count, reports?.count ?? 0); n++) {
      if (reports && n < reports.count) report(reportOf(id, attempt, n, reports));
      if (n >= plan.count) continue;
      if (plan.taskPause > 0 && n % 10 === 9) await delay(plan.taskPause);
      yield n;
    }
    if (plan.way === "throws") throw new RangeError(`stream ${id} has failed`);
    if (plan.way !== "ends") await crash(plan.way, 0);
  } finally {
    note(ledger, `e ${id} ${attempt}\n`);
  }
}

/** What every worker is asked. */
export function tell(id: number): number {
  return answerTo(id);
}

/** Any other call. */
export async function perform(ledger: string, job: Job, payload?: Uint8Array): Promise<unknown> {
  const { id, way, ms } = job;
  const { attempt, signal } = currentTask();
  const end = () => {
    note(ledger, `e ${id} ${attempt}\n`);
    if (job.reports?.leaves) reportLate(id);
  };
  note(ledger, `b ${id} ${attempt}\n`);
  if (job.reports) await reportAll(id, job.reports, () => way === "cooperative" && signal.aborted);
  const fails = attempt <= job.times;
  switch (way) {
    case "throw":
      if (!fails) break;
      end();
      throw new RangeError(`job ${id} has failed`);
    case "async":
      await delay(ms);
      break;
    case "busy":
      block(ms);
      break;
    case "cooperative":
      for (const last = performance.now() + ms; performance.now() < last && !signal.aborted;) await delay(2);
      end();
      signal.throwIfAborted();
      return answerTo(id);
    case "echo":
      end();
      return { answer: answerTo(id), bytes: invert(payload!) };
    case "bad result":
      end();
      return end;
    case "quick":
    case "lying":
    case "bad argument":
      break;
    default:
      if (fails) await crash(way, ms);
  }
  end();
  return answerTo(id);
}

async function reportAll(id: number, plan: ReportsPlan, isOver: () => boolean): Promise<void> {
  const { attempt, report } = currentTask();
  for (let n = 0; n < plan.count && !isOver(); n++) {
    if (plan.pause > 0 && n % plan.pause === plan.pause - 1) await delay(0);
    report(reportOf(id, attempt, n, plan));
  }
}

/** Reports when the call has ended: nobody may hear it. */
function reportLate(id: number): void {
  const { report } = currentTask();
  setTimeout(() => {
    try {
      report(`late, of call ${id}`);
    } catch {
      // Its worker is being ended.
    }
  }, 1);
}

/** Loses the worker; resolves only where that is to come later. */
async function crash(way: Crash, ms: number): Promise<void> {
  const scope = globalThis as unknown as { Deno: { exit(code: number): never }; close(): void };
  const strike = () => {
    throw new Error("struck");
  };
  if (way !== "timer" && way !== "rejection" && way !== "stray") block(ms);
  switch (way) {
    case "exit":
      process.exit(7);
      break; // a thread of Bun goes on for a moment
    case "Deno.exit":
      scope.Deno.exit(7);
      break;
    case "close":
      scope.close();
      break;
    case "SIGKILL":
      process.kill(process.pid, "SIGKILL");
      break;
    case "timer":
      setTimeout(strike, ms);
      break;
    case "rejection":
      setTimeout(() => void Promise.reject(new Error("struck")), ms);
      break;
    case "memory":
      for (const kept: unknown[] = [];;) kept.push(new Array(10_000).fill(0.5));
    case "stray":
      setTimeout(strike, ms);
      return;
  }
  await new Promise(() => {});
}

/** One write at the end of the file, whole: a thread of Bun (1.4) that is ended between opening and closing leaves the file open. */
function note(ledger: string, line: string): void {
  appendFileSync(ledger, line);
}

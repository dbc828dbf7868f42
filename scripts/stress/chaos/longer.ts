// What lasts longer than a call, in a round: streams, groups, broadcasts. How the program plays them, and whether what came
// of them may be.

import {
  CancelledError,
  type Executor,
  type ExecutorView,
  type Group,
  QueueFullError,
  TaskTimeoutError,
  WorkerLostError,
} from "../../../mod.ts";
import { count, type Counts } from "../lib/verdict.ts";
import { type Entry, isBroken } from "./entry.ts";
import type { Heard, ReportsPlan } from "./heard.ts";
import type { Ledger } from "./ledger.ts";
import type { Crash, Limits } from "./plan.ts";
import { answerTo } from "./values.ts";

/** A stream: its task yields 0, 1, 2, ... and its reader takes them. */
export interface StreamPlan {
  readonly id: number;
  readonly count: number;
  readonly buffersize: number;
  /** What the task does when it has yielded that many. */
  readonly way: "ends" | "throws" | Crash;
  /** Pauses of the task and of its reader, every ten values, in milliseconds. */
  readonly taskPause: number;
  readonly readerPause: number;
  /** The reader leaves after so many. */
  readonly leave?: number;
  readonly reports?: ReportsPlan;
}

/** A group: its calls, and how its block ends. */
export interface GroupPlan {
  readonly throws: boolean;
  /** Whether its calls are in a group inside. */
  readonly inside: boolean;
  /** A stream of the group that nobody reads. */
  readonly unread?: StreamPlan;
}

/** What has been done in a round that may fail others. */
export interface Circumstances {
  readonly kills: number;
  /** The round's end cancels calls. */
  readonly cancels: boolean;
  /** Workers were ended on purpose. */
  readonly forces: boolean;
  /** Calls have left an error behind that comes up later, when their worker runs something else. */
  readonly strays: boolean;
  readonly ledger: Ledger;
  readonly heard: Heard;
}

/** What the program knows of one of them, when the round is over. */
export interface Longer {
  /** The ids of streams, which note their begin and their end. */
  readonly ids: readonly number[];
  /** A stream has failed: its executor may have ended, and told so, before the reader came to the error. */
  readonly failed?: boolean;
  /** Says what is wrong. */
  judge(of: Circumstances, injected: Counts, survived: Counts): string[];
}

/** Reads a stream, or leaves it. `open` starts it. */
export async function playStream(
  open: () => AsyncIterableIterator<number>,
  plan: StreamPlan,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<Longer> {
  let came = 0, how: "complete" | "left" | "failed" = "complete", reason: unknown;
  const problems: string[] = [];
  try {
    for await (const n of open()) {
      if (n !== came) problems.push(`the stream ${plan.id} gave ${n} after ${came} values`);
      came++;
      if (came === plan.leave) {
        how = "left";
        break;
      }
      if (plan.readerPause > 0 && came % 10 === 0) await pause(plan.readerPause);
    }
  } catch (error) {
    how = "failed";
    reason = error;
  }
  return {
    ids: [plan.id],
    failed: how === "failed",
    judge({ kills, cancels, forces, strays, ledger, heard }, injected, survived) {
      const notes = ledger.of(plan.id), { begun, ended } = notes;
      const hasItsEnd = how === "complete" || how === "failed" && reason instanceof RangeError;
      problems.push(
        ...heard.judge(plan.id, limits.listens && plan.reports, notes, hasItsEnd && !forces ? begun.slice(-1) : []),
      );
      count(injected, "streams", 1);
      count(survived, `streams: ${how}`);
      if (isCrash(plan.way)) count(injected, plan.way, begun.length);
      if (came > plan.count) problems.push(`the stream ${plan.id} gave too much`);
      if (how === "complete" && (came !== plan.count || plan.way !== "ends" || ended.length !== 1)) {
        problems.push(`the stream ${plan.id} (${plan.way}) ended after ${came} values of ${plan.count}`);
      }
      if (how !== "failed") return problems;
      const allowed = reason instanceof WorkerLostError && (kills > 0 || forces || strays || isCrash(plan.way)) ||
        reason instanceof TaskTimeoutError && limits.timeout !== undefined ||
        signal?.aborted && reason === signal.reason ||
        reason instanceof CancelledError && cancels ||
        isRefused(reason, kills) ||
        plan.way === "throws" && came === plan.count && reason instanceof RangeError;
      if (!allowed) problems.push(`the stream ${plan.id} (${plan.way}) has failed: ${String(reason)}`);
      return problems;
    },
  };
}

/** Runs a group whose block has `submit` add its calls, which are `entries` then, and `open` a stream that nobody reads. */
export async function playGroup(
  executor: Executor,
  plan: GroupPlan,
  open: (view: ExecutorView, plan: StreamPlan) => unknown,
  entries: readonly Entry[],
  submit: (view: ExecutorView, signal: AbortSignal) => void,
): Promise<Longer> {
  const thrown = new Error("the block throws"), problems: string[] = [];
  let end: { value: unknown } | { error: unknown };
  let began = false;
  try {
    const value = await executor.group(async (group) => {
      if (plan.unread) {
        open(group, plan.unread);
        began = true;
      }
      const add = (inner: Group) => submit(inner, inner.signal);
      if (plan.inside) void group.group((inner) => add(inner));
      else add(group);
      await pause(1);
      if (plan.throws) throw thrown;
      return "left";
    });
    end = { value };
  } catch (error) {
    end = { error };
  }
  const left = entries.filter(({ future }) => future?.done() === false).length;
  if (left > 0) problems.push(`a group has ended before ${left} of its calls`);
  return {
    ids: plan.unread ? [plan.unread.id] : [],
    judge({ kills, ledger }, injected, survived) {
      count(injected, "groups", 1);
      if (plan.unread && isCrash(plan.unread.way)) {
        count(injected, plan.unread.way, ledger.of(plan.unread.id).begun.length);
      }
      const failures = entries.flatMap(({ future }) =>
        future?.outcome?.status === "rejected" ? [future.outcome.reason as unknown] : []
      );
      if ("value" in end) {
        if (failures.length > 0) problems.push(`a group has not thrown ${failures.length} failures of its calls`);
        if (plan.throws) problems.push("a group has not thrown the error of its block");
        return problems;
      }
      count(survived, "groups that have failed");
      const { error } = end, all = leavesOf(error);
      if (plan.throws && !plan.inside && error !== thrown && !isRefused(error, kills)) {
        problems.push(`a group has thrown ${String(error)}, and not the error of its block`);
      }
      for (const reason of all) {
        const known = reason === thrown || failures.includes(reason) || isRefused(reason, kills) ||
          // Its stream's error, which nobody else is told.
          began && (reason instanceof WorkerLostError || reason instanceof RangeError);
        if (!known) problems.push(`a group has thrown what nobody has: ${String(reason)}`);
      }
      return problems;
    },
  };
}

/** Judges what a broadcast resolves to: every worker has answered. */
export async function playBroadcast(told: Promise<number[]>, id: number): Promise<Longer> {
  const end = await told.then((values) => ({ values }), (error: unknown) => ({ error }));
  return {
    ids: [],
    judge({ kills, cancels }, injected, survived) {
      count(injected, "broadcasts", 1);
      if ("values" in end) {
        return end.values.every((value) => value === answerTo(id)) ? [] : [`a broadcast has told ${end.values}`];
      }
      count(survived, "broadcasts that have failed");
      const { error } = end;
      // The worker may be lost by the call before it.
      const allowed = error instanceof WorkerLostError || error instanceof CancelledError && cancels ||
        isRefused(error, kills);
      return allowed ? [] : [`a broadcast has failed: ${String(error)}`];
    },
  };
}

/** The failures in an AggregateError, and in those of groups inside. */
function leavesOf(error: unknown): unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(leavesOf) : [error];
}

/** What an executor throws that is broken, or has no room. */
function isRefused(error: unknown, kills: number): boolean {
  return error instanceof QueueFullError || isBroken(error) && kills >= 3;
}

function isCrash(way: StreamPlan["way"]): way is Crash {
  return way !== "ends" && way !== "throws";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

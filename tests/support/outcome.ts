// How a call may end: the one oracle of outcomes, for random programs (tests/properties), the fault matrix
// (tests/faults) and chaos runs. It knows what was submitted, what was done to the call and how often it ran; of
// executors, it knows the error classes alone. What only one of these can know as well (which outcome a cell of the
// matrix has, whether a chaos run has killed enough workers) stays there. map() has a model of its own, map_world.ts:
// an iteration ends once for all its calls.

import { BrokenExecutor, CancelledError, type FutureOutcome, TaskTimeoutError, WorkerLostError } from "../../mod.ts";

/** The ways in which a call can end. */
export type Ending =
  | "fulfilled"
  /** Cancelled, with the reason of its signal. */
  | "aborted"
  /** Cancelled, with a CancelledError. */
  | "cancelled"
  /** Its executor is broken. */
  | "broken"
  /** Its worker was lost. */
  | "lost"
  | "timed out"
  /** An argument or its result cannot be copied. */
  | "uncloneable"
  /** Anything else: the error of its task. */
  | "failed";

/** What others than the executor know of a call. */
export interface CallFacts {
  /** How many attempts have begun, or the number of the last that has. */
  readonly attempts: number;
  /** Whether every attempt that has begun is in the record: a worker may die between the begin and its note. */
  readonly recordIsComplete: boolean;
  readonly retries: number;
  readonly hasTimeout: boolean;
  readonly signal: AbortSignal | undefined;
  /** It was taken back before it began, as cancel() or the abort of its signal has shown at once. */
  readonly withdrawn: boolean;
  /** Whether something was done that cancels calls which have not begun: shutdown(), terminateWorkers(), killWorkers(). */
  readonly allCancelled: boolean;
  /** Whether something has happened that may have broken the executor. */
  readonly mayBeBroken: boolean;
  /** Whether the executor cannot always tell whether a call has begun, as with processes. */
  readonly beginMayBeUnknown: boolean;
  /** Whether a worker may need seconds to begin a call that it was handed: such a call times out, too. */
  readonly mayBeginLate?: boolean;
  /** What cannot be copied. */
  readonly uncloneable: "argument" | "result" | undefined;
  /** Whether its task returns or throws this, when it gets that far. */
  readonly isOwn: (outcome: FutureOutcome<unknown>) => boolean;
}

/** How a call has ended. */
export function endingOf(outcome: FutureOutcome<unknown>, signal?: AbortSignal): Ending {
  if (outcome.status === "fulfilled") return "fulfilled";
  const { reason } = outcome;
  if (signal?.aborted && reason === signal.reason) return "aborted";
  if (reason instanceof CancelledError) return "cancelled";
  if (reason instanceof WorkerLostError) return "lost"; // which is a BrokenExecutor, too
  if (reason instanceof BrokenExecutor) return "broken";
  if (reason instanceof TaskTimeoutError) return "timed out";
  if (reason instanceof Error && reason.name === "DataCloneError") return "uncloneable";
  return "failed";
}

/** The outcome of a call of which only a promise tells, or a map() with `settled`. */
export function outcomeOf(settled: PromiseSettledResult<unknown>, signal?: AbortSignal): FutureOutcome<unknown> {
  const ending = endingOf(settled, signal);
  if (settled.status === "fulfilled" || (ending !== "aborted" && ending !== "cancelled")) return settled;
  return { status: "cancelled", reason: settled.reason };
}

/** What is wrong about the outcome of a call: nothing, or why it cannot have ended so. */
export function problemsOf(facts: CallFacts, outcome: FutureOutcome<unknown>): string[] {
  const { attempts, retries, withdrawn } = facts;
  const ending = endingOf(outcome, facts.signal);
  const wasCancelled = ending === "aborted" || ending === "cancelled";
  /** Whether the record does not rule out that an attempt has begun. */
  const mayHaveBegun = attempts > 0 || !facts.recordIsComplete;
  const problems: string[] = [];
  const claim = (holds: boolean, problem: string) => void (holds || problems.push(problem));

  claim(attempts <= 1 + retries, `was run more often than ${1 + retries} times`);
  claim(wasCancelled === (outcome.status === "cancelled"), `is ${outcome.status}, and was ${ending}`);
  if (withdrawn) claim(wasCancelled, "was cancelled before it had begun, and has another outcome");
  if (withdrawn || ending === "cancelled") {
    claim(attempts <= retries, "was cancelled before it had begun, and has run");
  }
  switch (ending) {
    case "fulfilled":
      claim(attempts > 0, "has a result, and has not run");
      claim(facts.uncloneable === undefined, "has a result, and something of it cannot be copied");
      claim(facts.isOwn(outcome), "has a result that is not its own");
      break;
    case "aborted":
      break;
    case "cancelled":
      claim(withdrawn || facts.allCancelled, "was cancelled by nobody");
      break;
    case "broken":
      claim(facts.mayBeBroken, "failed by a broken executor, and nothing has broken it");
      break;
    case "lost": {
      const { started } = (outcome as { reason: WorkerLostError }).reason;
      claim(
        started === true || started === "unknown" && facts.beginMayBeUnknown,
        `was lost, and had begun: ${started}`,
      );
      if (started === true) claim(mayHaveBegun, "was lost when it had begun, and has not run");
      break;
    }
    case "timed out":
      claim(facts.hasTimeout, "has no timeout, and timed out");
      claim(mayHaveBegun || facts.mayBeginLate === true, "timed out, and has not run");
      break;
    case "uncloneable":
      claim(facts.uncloneable !== undefined, "failed as it cannot be copied, and it can");
      if (facts.uncloneable === "argument") claim(attempts === 0, "has run without its argument");
      if (facts.uncloneable === "result") claim(attempts > 0, "has failed by its result, and has not run");
      break;
    case "failed":
      claim(attempts > 0, "has failed by an error of its own, and has not run");
      claim(facts.isOwn(outcome), "has failed by an error that is not its own");
  }
  return problems;
}

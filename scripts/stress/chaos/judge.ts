// Whether what happened in a round may happen: each call's outcome against the notes of its task, and all of them against
// what was done to the workers.

import { CancelledError, type FutureOutcome, TimeoutError, WorkerLostError } from "../../../mod.ts";
import { type CallFacts, type Ending, endingOf, problemsOf } from "../../../tests/support/outcome.ts";
import { type Entry, isBroken, type MapEnd, outcomeOf, type Told } from "./entry.ts";
import { Ledger, type Notes } from "./ledger.ts";
import { type Crash, CRASHES, type Job, type Round } from "./plan.ts";
import type { PlayedRound } from "./round.ts";
import { answerTo, invert, payloadOf, sameBytes } from "./values.ts";
import { count, type Counts, type Verdict } from "../lib/verdict.ts";

/** Judges a round that is over. */
export function judge(round: Round, played: PlayedRound, ledgerPath: string): Verdict {
  return new Judge(round, played, new Ledger(ledgerPath)).verdict();
}

class Judge {
  readonly #injected: Counts = {};
  readonly #survived: Counts = {};
  readonly #problems: string[] = [];
  readonly #round: Round;
  readonly #played: PlayedRound;
  readonly #ledger: Ledger;
  /** The errors that Futures have got from lost workers, each of which is one call's own. */
  readonly #lost = new Set<WorkerLostError>();
  /** Calls that were lost with their worker while they ran. */
  #victims = 0;

  constructor(round: Round, played: PlayedRound, ledger: Ledger) {
    this.#round = round;
    this.#played = played;
    this.#ledger = ledger;
  }

  verdict(): Verdict {
    this.#problems.push(...this.#played.problems, ...this.#ledger.problems, ...this.#played.heard.problems);
    const known = new Set(this.#played.entries.map(({ job }) => job.id));
    for (const { ids } of this.#played.longer) for (const id of ids) known.add(id);
    for (const id of this.#ledger.ids) if (!known.has(id)) this.#problem(`call ${id} has run, and was not submitted`);
    for (const id of this.#played.heard.ids) {
      if (!known.has(id)) this.#problem(`call ${id} has reported, and was not submitted`);
    }
    for (const entry of this.#played.entries) this.#judgeCall(entry);
    for (const map of this.#played.maps) this.#judgeMap(map);
    const { kills, longer, heard } = this.#played;
    const strays = (this.#injected.stray ?? 0) > 0;
    const circumstances = { kills, cancels: this.#cancels, forces: this.#forces, strays, ledger: this.#ledger, heard };
    for (const it of longer) this.#problems.push(...it.judge(circumstances, this.#injected, this.#survived));
    count(this.#injected, "resizes", this.#played.resizes);
    count(this.#survived, "reports", heard.count);
    this.#judgeWorkers();
    this.#judgeReport();
    return { injected: this.#injected, survived: this.#survived, problems: this.#problems };
  }

  #judgeCall(entry: Entry): void {
    const { job, limits, future, told, signal } = entry;
    const notes = this.#ledger.of(job.id);
    count(this.#injected, ...injected(entry, notes));
    count(this.#survived, "calls");
    const outcome = outcomeOf(entry);
    this.#judgeReports(entry, outcome && endingOf(outcome, signal), notes);
    if (!outcome) {
      const most = 1 + (limits.retries ?? 0);
      if (notes.begun.some((attempt) => attempt > most)) {
        this.#problem(`call ${job.id} was run more than ${most} times`);
      }
      if (!future) count(this.#survived, "not taken from a map");
      return; // a Future that is not done is a problem of the round's
    }
    if (future && told) {
      // What the Future says now is what its promise has told, and it has told once.
      const same = told.status === "fulfilled"
        ? outcome.status === "fulfilled" && outcome.value === told.value
        : outcome.status !== "fulfilled" && outcome.reason === told.reason;
      if (!same) this.#problem(`call ${job.id} has told ${show(told)}, and then ${show(outcome)}`);
    } else if (future && entry.looked) this.#problem(`the promise of call ${job.id} has told nothing`);

    for (const problem of problemsOf(this.#factsOf(entry, notes), outcome)) {
      this.#problem(`call ${job.id} (${job.way}) ${problem}: ${show(outcome)}`);
    }
    this.#judgeByNotes(entry, endingOf(outcome, signal), notes);
    this.#countEnd(outcome, endingOf(outcome, signal), notes);
  }

  /** Of an attempt that has come to its end, and was not stopped, all reports have come. */
  #judgeReports({ job, limits, future }: Entry, ending: Ending | undefined, notes: Notes): void {
    const hasItsEnd = ending === "fulfilled" || ending === "failed" || ending === "uncloneable";
    // Of attempts before the last one, nobody has told whether they were stopped or struck at their end.
    const mayBeStopped = limits.timeout !== undefined || limits.signal || isCrash(job.way) || this.#mayStrikeOthers;
    const whole = !hasItsEnd || this.#forces ? [] : mayBeStopped ? notes.ended.slice(-1) : notes.ended;
    const reports = limits.listens && job.reports;
    this.#problems.push(...this.#played.heard.judge(job.id, reports, notes, whole, future));
  }

  #factsOf({ job, limits, withdrawn = false, signal }: Entry, { begun }: Notes): CallFacts {
    return {
      attempts: Math.max(0, ...begun),
      recordIsComplete: false, // a worker may be killed before it has written its note
      retries: limits.retries ?? 0,
      hasTimeout: limits.timeout !== undefined,
      signal,
      withdrawn,
      allCancelled: this.#cancels,
      mayBeBroken: this.#played.kills >= 3,
      beginMayBeUnknown: true,
      uncloneable: job.way === "bad argument" ? "argument" : job.way === "bad result" ? "result" : undefined,
      isOwn: (outcome) => isOwn(job, outcome),
    };
  }

  /** What the oracle cannot know: which attempts have come to their end, and how far a task gets. */
  #judgeByNotes({ job, limits }: Entry, ending: Ending, { begun, ended }: Notes): void {
    const last = begun.at(-1), retries = limits.retries ?? 0;
    switch (ending) {
      case "fulfilled": {
        if (last === undefined || !ended.includes(last)) {
          this.#problem(`call ${job.id} has a result, and has not ended`);
        }
        const survives = isCrash(job.way) && job.way !== "stray" || job.way === "throw";
        if (survives && last! <= job.times) this.#problem(`call ${job.id} has a result, and has never got so far`);
        return;
      }
      case "uncloneable":
        if (job.way === "bad result" && ended.length === 0) this.#problem(`call ${job.id} has failed before its end`);
        return;
      case "failed": {
        if (ended.length === 0) this.#problem(`call ${job.id} has thrown, and has not`);
        // What fails after shutdown({ cancelFutures: true }) is not run again.
        const again = retries > 0 && job.times > retries && !this.#forces && !this.#cancels && this.#played.kills < 3;
        if (again && Math.max(...begun) <= retries) this.#problem(`call ${job.id} was not tried again`);
      }
    }
  }

  #countEnd(outcome: FutureOutcome<unknown>, ending: Ending, { begun, ended }: Notes): void {
    switch (ending) {
      case "fulfilled":
        count(this.#survived, "fulfilled");
        if ((begun.at(-1) ?? 0) > 1) count(this.#survived, "by a retry");
        return;
      case "lost": {
        const { reason } = outcome as { reason: WorkerLostError };
        count(this.#survived, reason.started === true ? "lost with their worker" : "lost, perhaps begun");
        if (this.#lost.has(reason)) this.#problem(`a call shares its error with another: ${String(reason)}`);
        this.#lost.add(reason);
        // A worker that is killed takes finished results with it, too, those of its last few milliseconds.
        const last = begun.at(-1);
        if (reason.started === true && last !== undefined && !ended.includes(last)) this.#victims++;
        return;
      }
      case "broken":
        return count(this.#survived, "failed by a broken executor");
      case "failed":
      case "uncloneable":
        return count(this.#survived, "failed by their own error");
      default:
        return count(this.#survived, ending);
    }
  }

  #judgeMap({ plan, limits, signal, entries, came, how, reason }: MapEnd): void {
    count(this.#injected, "maps");
    if (how === "left") count(this.#injected, "maps left early");
    const first = entries[0]!.job.id;
    const named = came.filter((entry) => entry !== undefined);
    if (new Set(named).size < named.length) this.#problem(`the map from ${first} on gave a result twice`);
    if (!plan.settled && named.length < came.length) {
      this.#problem(`the map from ${first} on gave a result of nobody's`);
    }
    if (how === undefined) this.#problem(`the map from ${first} on has not ended`);
    if (how === "complete" && came.length !== entries.length) {
      this.#problem(`the map from ${first} on ended after ${came.length} of ${entries.length} results`);
    }
    if (how !== "failed") return;
    const allowed = signal?.aborted && reason === signal.reason ||
      reason instanceof TimeoutError && (plan.timeout ?? limits.timeout) !== undefined ||
      reason instanceof Error && reason.name === "ShutdownError" && (plan.buffersize || this.#round.options.maxQueue) ||
      reason instanceof CancelledError && this.#cancels ||
      isBroken(reason) && this.#played.kills >= 3 ||
      !plan.settled && (reason instanceof WorkerLostError || this.#isOwnError(entries, reason));
    if (!allowed) this.#problem(`the map from ${first} on has failed: ${String(reason)}`);
    else count(this.#survived, "maps ended by an error");
    if (reason instanceof WorkerLostError) this.#lost.add(reason);
  }

  #isOwnError(entries: readonly Entry[], reason: unknown): boolean {
    if (reason instanceof DOMException) return entries.some(({ job }) => job.way.startsWith("bad"));
    const [, id] = /^job (\d+) has failed$/.exec(reason instanceof RangeError ? reason.message : "") ?? [];
    return entries.some(({ job }) => job.id === Number(id) && job.way === "throw");
  }

  /** Only what happened to a worker can be told of it; a thread takes no other call with it. */
  #judgeWorkers(): void {
    const { kills, ended, executor } = this.#played;
    const { lost, abandoned, workers } = executor.stats();
    count(this.#injected, "killed from outside", kills);
    count(this.#injected, this.#round.ending);
    count(this.#injected, "submits to a full queue", this.#played.refused);
    count(this.#survived, "workers lost", lost);
    count(this.#survived, "workers abandoned", abandoned);
    const struck = kills + CRASHES.reduce((sum, crash) => sum + (this.#injected[crash] ?? 0), 0);
    if (lost > struck) this.#problem(`${lost} workers were lost, and only ${struck} were struck`);
    // Workers that are ended on purpose take with them what they run, too.
    if (ended === 0 && this.#victims > lost) this.#problem(`${this.#victims} calls were lost with ${lost} workers`);
    if (workers > 0) this.#problem(`${workers} workers are left after shutdown()`);
  }

  /** Failures that nobody looked at are told, all of them. Those that a map or a stream had not handed out yet may be, too. */
  #judgeReport(): void {
    const { entries, longer, unobserved, firstUnobserved } = this.#played;
    const unseen =
      entries.filter(({ future, looked, grouped }) => !looked && !grouped && future?.outcome?.status === "rejected")
        .length;
    const maps = entries.filter(({ future, told }) => !future && told?.status !== "fulfilled").length;
    const unread = maps + longer.filter(({ failed }) => failed).length;
    if (unobserved < unseen || unobserved > unseen + unread) {
      this.#problem(
        `${unobserved} failures were reported that nobody had looked at: there were ${unseen} and ${unread}; the first: ${firstUnobserved}`,
      );
    }
  }

  /** Whether something has struck workers, whatever they ran. */
  get #mayStrikeOthers(): boolean {
    const { kills, entries } = this.#played;
    return kills > 0 || entries.some(({ job }) => job.way === "stray");
  }

  /** Whether the round's end leaves nothing to run calls again. */
  get #forces(): boolean {
    return this.#round.ending === "terminateWorkers" || this.#round.ending === "killWorkers";
  }

  /** Whether the round's end cancels calls. */
  get #cancels(): boolean {
    return this.#round.ending !== "shutdown";
  }

  #problem(problem: string): void {
    this.#problems.push(problem);
  }
}

/** What a call has done to its workers, or was to undergo, and how often. */
function injected({ job, withdrawn, signal }: Entry, { begun }: Notes): [what: string | undefined, times?: number] {
  if (isCrash(job.way)) return [job.way, begun.filter((attempt) => attempt <= job.times).length];
  if (withdrawn) return [signal?.aborted ? "aborts before the begin" : "cancels"];
  return [signal?.aborted ? "aborts" : undefined];
}

/** Whether a call's task returns or throws this, when it gets that far. */
function isOwn(job: Job, outcome: FutureOutcome<unknown>): boolean {
  if (outcome.status !== "fulfilled") {
    const { reason } = outcome;
    return job.way === "throw" && reason instanceof RangeError && reason.message === `job ${job.id} has failed`;
  }
  if (job.way !== "echo") return outcome.value === answerTo(job.id);
  const { answer, bytes } = outcome.value as { answer?: number; bytes: Uint8Array };
  return answer === answerTo(job.id) && sameBytes(bytes, invert(payloadOf(job.id, job.size)));
}

function isCrash(way: string): way is Crash {
  return (CRASHES as readonly string[]).includes(way);
}

function show(outcome: Told | { status: string }): string {
  return `${outcome.status} ${String("value" in outcome ? outcome.value : "reason" in outcome ? outcome.reason : "")}`;
}

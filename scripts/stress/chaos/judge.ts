// Whether what happened in a round may happen: each call's outcome against the notes of its task, and all of them against
// what was done to the workers.

import { CancelledError, TimeoutError, WorkerLostError } from "../../../mod.ts";
import { type Entry, isBroken, type MapEnd, outcomeOf, type Told } from "./entry.ts";
import { Ledger, type Notes } from "./ledger.ts";
import { type Crash, CRASHES, type Round } from "./plan.ts";
import type { Scene } from "./round.ts";
import { answerTo, invert, payloadOf, sameBytes } from "./values.ts";
import { count, type Counts, type Verdict } from "../lib/verdict.ts";

/** Judges a round that is over. */
export function judge(round: Round, scene: Scene, ledgerPath: string): Verdict {
  return new Judge(round, scene, new Ledger(ledgerPath)).verdict();
}

class Judge {
  readonly #injected: Counts = {};
  readonly #survived: Counts = {};
  readonly #problems: string[] = [];
  readonly #round: Round;
  readonly #scene: Scene;
  readonly #ledger: Ledger;
  /** The errors that Futures have got from lost workers, each of which is one call's own. */
  readonly #lost = new Set<WorkerLostError>();

  constructor(round: Round, scene: Scene, ledger: Ledger) {
    this.#round = round;
    this.#scene = scene;
    this.#ledger = ledger;
  }

  verdict(): Verdict {
    this.#problems.push(...this.#scene.problems, ...this.#ledger.problems);
    const known = new Set(this.#scene.entries.map(({ job }) => job.id));
    for (const id of this.#ledger.ids) if (!known.has(id)) this.#problem(`call ${id} has run, and was not submitted`);
    for (const entry of this.#scene.entries) this.#judgeCall(entry);
    for (const map of this.#scene.maps) this.#judgeMap(map);
    this.#judgeWorkers();
    this.#judgeReport();
    return { injected: this.#injected, survived: this.#survived, problems: this.#problems };
  }

  #judgeCall(entry: Entry): void {
    const { job, limits, future, told } = entry;
    const notes = this.#ledger.of(job.id);
    const { begun } = notes, most = 1 + (limits.retries ?? 0);
    if (begun.some((attempt) => attempt > most)) this.#problem(`call ${job.id} was run more often than ${most} times`);
    count(this.#injected, ...injected(entry, notes));
    count(this.#survived, "calls");
    const outcome = outcomeOf(entry);
    if (!outcome) {
      if (!future) count(this.#survived, "not taken from a map");
      return; // a Future that is not done is a problem of the scene's
    }
    if (future && told) {
      // What the Future says now is what its promise has told, and it has told once.
      const same = told.status === "fulfilled"
        ? outcome.status === "fulfilled" && outcome.value === told.value
        : outcome.status !== "fulfilled" && outcome.reason === told.reason;
      if (!same) this.#problem(`call ${job.id} has told ${show(told)}, and then ${show(outcome)}`);
    } else if (future && entry.looked) this.#problem(`the promise of call ${job.id} has told nothing`);

    if (outcome.status === "fulfilled") this.#judgeValue(entry, outcome.value, notes);
    else this.#judgeReason(entry, outcome.reason, outcome.status === "cancelled", notes);
  }

  #judgeValue({ job }: Entry, value: unknown, { begun, ended }: Notes): void {
    count(this.#survived, "fulfilled");
    const right = job.way === "echo"
      ? (value as { answer?: number })?.answer === answerTo(job.id) &&
        sameBytes((value as { bytes: Uint8Array }).bytes, invert(payloadOf(job.id, job.size)))
      : value === answerTo(job.id);
    if (!right) this.#problem(`call ${job.id} has a result that is not its own: ${String(value)}`);
    const last = begun.at(-1);
    if (last === undefined || !ended.includes(last)) this.#problem(`call ${job.id} has a result, and has not ended`);
    const survives = isCrash(job.way) && job.way !== "stray" || job.way === "throw";
    if (last !== undefined && last > 1) count(this.#survived, "by a retry");
    if (survives && last! <= job.times) this.#problem(`call ${job.id} has a result, and has never got so far`);
    if (job.way.startsWith("bad")) this.#problem(`call ${job.id} has a result that cannot be copied`);
  }

  #judgeReason(
    { job, limits, future, withdrawn, signal }: Entry,
    reason: unknown,
    cancelled: boolean,
    notes: Notes,
  ): void {
    const { begun, ended } = notes;
    const retries = limits.retries ?? 0;
    if (signal?.aborted && reason === signal.reason) {
      count(this.#survived, "aborted");
      if (withdrawn) this.#judgeWithdrawn(job.id, begun, retries);
      if (future && !cancelled) this.#problem(`call ${job.id} was aborted, and does not count as cancelled`);
    } else if (reason instanceof CancelledError) {
      count(this.#survived, "cancelled");
      if (!withdrawn && !this.#cancels) this.#problem(`call ${job.id} was cancelled by nobody`);
      this.#judgeWithdrawn(job.id, begun, retries);
    } else if (withdrawn) {
      this.#problem(`call ${job.id} was cancelled, and has ${String(reason)}`);
    } else if (reason instanceof WorkerLostError) {
      count(this.#survived, reason.started === true ? "lost with their worker" : "lost, perhaps begun");
      if (this.#lost.has(reason)) this.#problem(`call ${job.id} shares its error with another`);
      this.#lost.add(reason);
      if (reason.started === false) this.#problem(`call ${job.id} was lost, and had not begun`);
    } else if (reason instanceof TimeoutError) {
      count(this.#survived, "timed out");
      if (limits.timeout === undefined) this.#problem(`call ${job.id} has no timeout: ${reason.message}`);
    } else if (reason instanceof DOMException && reason.name === "DataCloneError") {
      count(this.#survived, "failed by their own error");
      if (!job.way.startsWith("bad")) this.#problem(`call ${job.id}: ${reason.message}`);
      if (job.way === "bad argument" && begun.length > 0) this.#problem(`call ${job.id} has run without its argument`);
      if (job.way === "bad result" && ended.length === 0) this.#problem(`call ${job.id} has failed before its end`);
    } else if (reason instanceof RangeError && reason.message === `job ${job.id} has failed`) {
      count(this.#survived, "failed by their own error");
      if (job.way !== "throw" || ended.length === 0) this.#problem(`call ${job.id} has thrown, and has not`);
      const again = retries > 0 && job.times > retries && !this.#forces && this.#scene.kills < 3;
      if (again && Math.max(...begun) <= retries) this.#problem(`call ${job.id} was not tried again`);
    } else if (isBroken(reason) && this.#scene.kills >= 3) {
      count(this.#survived, "failed by a broken executor");
    } else this.#problem(`call ${job.id} (${job.way}) has failed: ${String(reason)}`);
  }

  /** What was cancelled before it began has no notes, but of earlier attempts. */
  #judgeWithdrawn(id: number, begun: readonly number[], retries: number): void {
    if (begun.length > retries) this.#problem(`call ${id} was cancelled before it had begun, and has run`);
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
      isBroken(reason) && this.#scene.kills >= 3 ||
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
    const { kills, ended, executor } = this.#scene;
    const { lost, abandoned, workers } = executor.stats();
    count(this.#injected, "killed from outside", kills);
    count(this.#injected, this.#round.ending);
    count(this.#injected, "submits to a full queue", this.#scene.refused);
    count(this.#survived, "workers lost", lost);
    count(this.#survived, "workers abandoned", abandoned);
    const struck = kills + CRASHES.reduce((sum, crash) => sum + (this.#injected[crash] ?? 0), 0);
    if (lost > struck) this.#problem(`${lost} workers were lost, and only ${struck} were struck`);
    // Workers that are ended on purpose take with them what they have done and not told.
    const victims = [...this.#lost].filter(({ started }) => started === true).length;
    if (ended === 0 && victims > lost) this.#problem(`${victims} calls were lost with ${lost} workers`);
    if (workers > 0) this.#problem(`${workers} workers are left after shutdown()`);
  }

  /** Failures that nobody looked at are told, all of them. Those that a map had not handed out yet may be, too. */
  #judgeReport(): void {
    const { entries, unobserved } = this.#scene;
    const unseen = entries.filter(({ future, looked }) => !looked && future?.outcome?.status === "rejected").length;
    const maps = entries.filter(({ future, told }) => !future && told?.status !== "fulfilled").length;
    if (unobserved < unseen || unobserved > unseen + maps) {
      this.#problem(`${unobserved} failures were reported that nobody had looked at: there were ${unseen} and ${maps}`);
    }
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

function isCrash(way: string): way is Crash {
  return (CRASHES as readonly string[]).includes(way);
}

function show(outcome: Told | { status: string }): string {
  return `${outcome.status} ${String("value" in outcome ? outcome.value : "reason" in outcome ? outcome.reason : "")}`;
}

// Judges a chaos run across machines: what came of each call, and whether a fault explains it.

import { setTimeout as delay } from "node:timers/promises";
import { STALLED } from "../../../tests/support/bullmq_host.ts";
import { entryCounts } from "../../../tests/support/entry_counts.ts";
import { count, type Counts } from "../lib/verdict.ts";
import { HOSTS_LOST, JOB_LOST, NOTING, REDELIVERIES } from "./calls.ts";
import { LOSING } from "./faults.ts";
import { PATIENCE } from "./intime.ts";

/** How long a fault has consequences, in milliseconds: a silent connection is given up after 15 s, lost calls are found later. */
const AFTERMATH = 15_000 + 2 * STALLED;

/** From this time on no more calls are made until one is done, in milliseconds. */
const LONG = 20_000;

/** How many faults, and how many lines of the executors, a problem shows. */
const SHOWN = 6, LINES = 20;

/** A time, by `performance.now()`. */
interface Span {
  readonly name: string;
  readonly since: number;
  until: number;
}

/** Follows calls and faults. */
export class Judge {
  /** What is wrong. */
  readonly problems: string[] = [];
  /** How many lines the executors have told. */
  lines = 0;
  readonly #ledger: string;
  readonly #calls = new Map<number, Span>();
  readonly #out = new Set<number>();
  readonly #faults: Span[] = [];
  readonly #said: string[] = [];
  /** Calls that have returned, and whose task notes that in the ledger. */
  readonly #noted: number[] = [];

  constructor(ledger: string) {
    this.#ledger = ledger;
  }

  /** Calls that are not settled. */
  get out(): number {
    return this.#out.size;
  }

  /** Whether more calls than so many are out, or the oldest is out for long. */
  isBehind(most: number): boolean {
    const [oldest] = this.#out;
    return this.out > most || (oldest !== undefined && this.#calls.get(oldest)!.since < performance.now() - LONG);
  }

  /** An executor has told a line. */
  said(line: string): void {
    this.lines++;
    this.#said.push(`${seconds(performance.now())} ${line}`);
    if (this.#said.length > LINES) this.#said.shift();
  }

  /** Follows a call; resolves with what came of it, `undefined` when that was wrong. */
  async follow(serial: number, kind: string, call: Promise<string>): Promise<string | undefined> {
    const span = { name: kind, since: performance.now(), until: Infinity };
    this.#calls.set(serial, span);
    this.#out.add(serial);
    try {
      const what = await call;
      span.until = performance.now();
      this.#checkLoss(span, what);
      if (what === "returned" && NOTING.has(kind)) this.#noted.push(serial);
      return `${kind}: ${what}`;
    } catch (error) {
      this.#wrong(`${kind} ${serial}: ${error instanceof Error ? error.message : error}`, span);
    } finally {
      span.until = performance.now();
      this.#out.delete(serial);
    }
  }

  /** Notes a fault while it lasts. */
  async during(name: string, fault: Promise<void>): Promise<void> {
    const span = { name, since: performance.now(), until: Infinity };
    this.#faults.push(span);
    try {
      await fault;
    } catch (error) {
      this.#wrong(`${name}: ${error}`, span);
    }
    span.until = performance.now();
  }

  /** Finds calls that are out for too long. */
  checkHanging(): void {
    const before = performance.now() - PATIENCE;
    for (const serial of this.#out) {
      const span = this.#calls.get(serial)!;
      if (span.since < before) this.#wrong(`${span.name} ${serial} hangs`, span);
    }
  }

  /** Waits for all calls, now that nothing befalls anybody any more. */
  async allSettled(): Promise<void> {
    while (this.#out.size > 0 && this.problems.length === 0) {
      await delay(50);
      this.checkHanging();
    }
  }

  /** What has returned has run; what ran to its end more than once was struck. */
  checkRuns(survived: Counts): void {
    const runs = entryCounts(this.#ledger);
    for (const serial of this.#noted) {
      if (!runs.has(serial)) this.problems.push(`call ${serial} returned and has not run`);
    }
    for (const [serial, times] of runs) {
      if (times === 1) continue;
      const span = this.#calls.get(serial)!;
      if (this.#faultsOf(span).length === 0) this.#wrong(`call ${serial} ran ${times} times for no reason`, span);
      count(survived, "ran to its end more than once");
    }
  }

  /** A call fails for lost hosts or a lost job only after more losses than it may have. */
  #checkLoss(call: Span, what: string): void {
    const most = REDELIVERIES[call.name] ?? 3;
    if (what !== JOB_LOST && (what !== HOSTS_LOST || call.name === "exits")) return;
    const faults = this.#faultsOf(call).filter(({ name }) => what === HOSTS_LOST || LOSING.has(name));
    if (faults.length <= most) throw new Error(`it is ${what} after ${faults.length} losses`);
  }

  #faultsOf({ since, until }: Span): Span[] {
    return this.#faults.filter((fault) => fault.since < until && fault.until + AFTERMATH > since);
  }

  /** Only what is wrong first is of interest: the run ends, and with it all other calls. */
  #wrong(what: string, { since }: Span): void {
    if (this.problems.length > 0) return;
    const faults = this.#faults.slice(-SHOWN).map((fault) =>
      `${fault.name} (${seconds(fault.since)} to ${seconds(fault.until)})`
    );
    this.problems.push(
      `${what}, from ${seconds(since)} to ${seconds(performance.now())}; last faults: ${faults.join(", ")}` +
        `; last lines: ${this.#said.map((line) => `\n    ${line}`).join("")}`,
    );
  }
}

/** A time as seconds from the beginning. */
function seconds(time: number): string {
  return time === Infinity ? "now" : `${(time / 1000).toFixed(1)} s`;
}

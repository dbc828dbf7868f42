// What the program hears of the tasks of a round: what they report, and whether that can be.

import type { CallOptions, Future } from "../../../mod.ts";
import { block } from "./block.ts";
import type { Notes } from "./ledger.ts";
import { readReport } from "./values.ts";

/** What a task reports while it runs. */
export interface ReportsPlan {
  readonly count: number;
  /** Texts travel together, objects one by one. */
  readonly kind: "text" | "object" | "bytes";
  /** Bytes of each. */
  readonly size: number;
  /** After so many, the event loop of the worker comes round; 0: it never does. */
  readonly pause: number;
  /** The task leaves something behind that reports later. */
  readonly leaves: boolean;
}

/** What a listener does, beside hearing. */
export const LISTENERS = ["plain", "plain", "slow", "throws", "cancels", "aborts", "resizes"] as const;
export type ListenerPlan = typeof LISTENERS[number];

/** How long a slow listener takes for each report, in milliseconds, and for how many of them. */
const SLOW = 0.3, SLOW_FOR = 2000;

/** How many errors a listener throws: each is written to the console. */
const THROWN = 4;

/** After so many reports a listener aborts its calls, or resizes their executor. */
const ENOUGH = 20;

/** What was heard of one call. */
interface HeardCall {
  readonly id: number;
  readonly future: Future<unknown>;
  /** How many reports have come of each attempt. */
  readonly attempts: Map<number, number>;
}

/** What a listener may do to the program. */
export interface Means {
  abort(): void;
  resize(): void;
}

/** All reports of a round. */
export class Heard {
  readonly problems: string[] = [];
  count = 0;
  readonly #byFuture = new Map<Future<unknown>, HeardCall>();
  readonly #byId = new Map<number, HeardCall>();

  /** Makes an `onReport`. */
  listener(plan: ListenerPlan, { abort, resize }: Means): NonNullable<CallOptions["onReport"]> {
    let heard = 0;
    return (value, future) => {
      this.#hear(value, future);
      heard++;
      if (plan === "slow" && heard <= SLOW_FOR) block(SLOW);
      else if (plan === "cancels" && future.cancel()) this.#problem("a call was cancelled whose task has reported");
      else if (plan === "aborts" && heard === ENOUGH) abort();
      else if (plan === "resizes" && heard === ENOUGH) resize();
      else if (plan === "throws" && heard <= THROWN) {
        const error = new Error("a listener of chaos throws");
        if (heard % 2 === 1) throw error;
        return Promise.reject(error);
      }
    };
  }

  /** The calls of which something was heard. */
  get ids(): Iterable<number> {
    return this.#byId.keys();
  }

  /**
   * Judges what was heard of one call.
   *
   * @param id The call.
   * @param plan What each attempt reports that comes to its end; `undefined` when nothing may come.
   * @param notes What its task has noted.
   * @param whole The attempts whose reports must have come, all of them.
   * @param future Its Future, if it is known.
   */
  judge(
    id: number,
    plan: ReportsPlan | undefined,
    notes: Notes,
    whole: readonly number[],
    future?: Future<unknown>,
  ): string[] {
    const call = this.#byId.get(id), problems: string[] = [];
    const most = plan?.count ?? 0;
    if (call && future && call.future !== future) problems.push(`reports of call ${id} came with another Future`);
    for (const [attempt, count] of call?.attempts ?? []) {
      if (!notes.begun.includes(attempt)) {
        problems.push(`call ${id} has reported in attempt ${attempt}, which has not begun`);
      }
      if (count > most) problems.push(`${count} reports came of attempt ${attempt} of call ${id}, which makes ${most}`);
    }
    for (const attempt of whole) {
      const count = call?.attempts.get(attempt) ?? 0;
      if (count < most) problems.push(`${count} reports of ${most} came of attempt ${attempt} of call ${id}`);
    }
    return problems;
  }

  #hear(value: unknown, future: Future<unknown>): void {
    this.count++;
    const report = readReport(value);
    if (!report) return this.#problem(`a report is ${String(value).slice(0, 80)}`);
    const { id, attempt, n } = report, what = `report ${n} of attempt ${attempt} of call ${id}`;
    let call = this.#byFuture.get(future);
    if (!call) {
      if (this.#byId.has(id)) this.#problem(`${what} came with a Future of its own`);
      call = { id, future, attempts: new Map() };
      this.#byFuture.set(future, call);
      this.#byId.set(id, call);
    }
    if (call.id !== id) this.#problem(`${what} came with the Future of call ${call.id}`);
    if (future.done()) this.#problem(`${what} came when its Future was done`);
    const { attempts } = call, before = attempts.get(attempt) ?? 0;
    if (n !== before) this.#problem(`${what} came after ${before} others`);
    if (attempt < Math.max(...attempts.keys())) this.#problem(`${what} came after those of a later attempt`);
    attempts.set(attempt, before + 1);
  }

  #problem(problem: string): void {
    if (this.problems.length < 20) this.problems.push(problem);
  }
}

// A call that was sent: it is a job in Redis, or about to be one. The calls of a chunk are one job.

import type { Call, CallHolder } from "../../executor/call.ts";
import type { Delayed, NewJob } from "./call_job.ts";

/** What a sent call asks of its engine. */
export interface SentCallActions {
  /** Takes a call back. With the last one, removes the job, or has it stopped if a host has it after all. */
  withdraw(sent: SentCall, call: Call): void;
  /** Tells the host to stop the job. */
  abort(sent: SentCall): void;
}

/** Stands for the worker of the calls that are one job. */
export class SentCall implements CallHolder {
  readonly id: string;
  /** The first that it had, even if it was taken back: all of them have the same options. */
  readonly first: Call;
  readonly #actions: SentCallActions;
  /** Each at the place that it has in the job, which is its number; `undefined` when it was taken back. */
  #calls: (Call | undefined)[];
  /** How many calls it has. */
  size: number;
  /** Resolves when Redis has added the job, or has refused it. */
  adding: Promise<void> | undefined;
  /**
   * When Redis had added the job, by `performance.now()`; Infinity before. An answer to an older question knows nothing of it.
   */
  addedAt = Infinity;
  /** When it was made of its calls, by `performance.now()`. */
  readonly since: number = performance.now();
  /** How often Redis has lost the job. */
  losses = 0;
  /** Whether a host has the job, which BullMQ calls active. */
  active = false;
  /** How long its job waits, and since when. */
  readonly delayed: Delayed | undefined;
  #stopping = false;

  constructor({ id, delayed }: Pick<NewJob, "id" | "delayed">, calls: readonly Call[], actions: SentCallActions) {
    this.id = id;
    this.delayed = delayed;
    this.first = calls[0]!;
    this.#calls = this.#number(calls);
    this.size = calls.length;
    this.#actions = actions;
  }

  /** Whether Redis has added the job. */
  get added(): boolean {
    return this.addedAt !== Infinity;
  }

  /** Its calls. */
  get calls(): Call[] {
    return this.#calls.filter((call) => call !== undefined);
  }

  /** How many calls the job has, those included that were taken back. */
  get places(): number {
    return this.#calls.length;
  }

  /** The call at a place, unless it was taken back. */
  at(place: number): Call | undefined {
    return this.#calls[place];
  }

  /** Whether the host was told to stop the job. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** A call was taken back. */
  drop(call: Call): void {
    this.#calls[call.number] = undefined;
    this.size--;
  }

  /** The job is made again, of the calls that are left. */
  renew(): void {
    this.#calls = this.#number(this.calls);
  }

  /**
   * Takes a call back, unless it is known that a host has it. A host that takes it at this moment is told to stop it, and its
   * result is ignored.
   */
  withdraw(call: Call): boolean {
    if (this.active) return false;
    this.#actions.withdraw(this, call);
    return true;
  }

  begun(): boolean {
    return this.active;
  }

  /** The signal is that of all its calls. */
  abort(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#actions.abort(this);
  }

  /** Nobody wants its results any more: of a chunk, no further item is to begin. */
  recall(): void {
    if (this.places > 1) this.abort();
  }

  #number(calls: readonly Call[]): Call[] {
    for (const [place, call] of calls.entries()) call.number = place;
    return [...calls];
  }
}

// A call that was sent: it is a job in Redis, or about to be one.

import type { Call, CallHolder } from "../../executor/call.ts";
import type { Delayed, NewJob } from "./call_job.ts";

/** What a sent call asks of its engine. */
export interface SentCallActions {
  /** Removes the job, or has it stopped if a host has it after all. */
  withdraw(sent: SentCall): void;
  /** Tells the host to stop the call. */
  abort(sent: SentCall): void;
}

/** Stands for the worker of a call that is a job. */
export class SentCall implements CallHolder {
  readonly id: string;
  readonly call: Call;
  readonly #actions: SentCallActions;
  /** Resolves when Redis has added the job, or has refused it. */
  adding: Promise<void> | undefined;
  /** Whether Redis has added the job. */
  added = false;
  /** How often Redis has lost the job. */
  losses = 0;
  /** Whether a host has the job, which BullMQ calls active. */
  active = false;

  /** How long its job waits, and since when. */
  readonly delayed: Delayed | undefined;

  constructor({ id, delayed }: NewJob, call: Call, actions: SentCallActions) {
    this.id = id;
    this.delayed = delayed;
    this.call = call;
    this.#actions = actions;
  }

  /**
   * Takes the call back, unless it is known that a host has it. A host that takes it at this moment is told to stop it, and its
   * result is ignored.
   */
  withdraw(): boolean {
    if (this.active) return false;
    this.#actions.withdraw(this);
    return true;
  }

  begun(): boolean {
    return this.active;
  }

  abort(): void {
    this.#actions.abort(this);
  }
}

// A call that is a job in Redis.

import type { Call, CallHolder } from "../../executor/call.ts";

/** What can be done about it. */
export interface SentCallActions {
  /** Takes the job back, or stops it. */
  withdraw(sent: SentCall): void;
  /** Tells its host to stop it. */
  abort(sent: SentCall): void;
}

/** The job of a call. */
export class SentCall implements CallHolder {
  readonly id: string;
  readonly call: Call;
  readonly #actions: SentCallActions;
  /** Resolves when Redis has it, or has refused it. */
  adding: Promise<void> | undefined;
  /** Redis has it for certain. */
  added = false;
  /** A host has it. */
  taken = false;

  constructor(id: string, call: Call, actions: SentCallActions) {
    this.id = id;
    this.call = call;
    this.#actions = actions;
  }

  /**
   * Takes it back unless a host has said that it has it. One that takes it at this moment stops it, and what it may
   * have done by then is lost.
   */
  withdraw(): boolean {
    if (this.taken) return false;
    this.#actions.withdraw(this);
    return true;
  }

  begun(): boolean {
    return this.taken;
  }

  abort(): void {
    this.#actions.abort(this);
  }
}

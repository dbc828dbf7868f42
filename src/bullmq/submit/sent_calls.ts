// The calls of an executor that were sent.

import type { Call } from "../../executor/call.ts";
import type { SentCall } from "./sent_call.ts";

/** Sent calls, by the ids of their jobs. */
export class SentCalls {
  readonly #jobs = new Map<string, SentCall>();
  #size = 0;
  #active = 0;

  /** How many calls there are; a job may have several. */
  get size(): number {
    return this.#size;
  }

  /** How many of them a host has. */
  get active(): number {
    return this.#active;
  }

  /** The jobs of all calls, the oldest first. */
  get all(): SentCall[] {
    return [...this.#jobs.values()];
  }

  get(id: string): SentCall | undefined {
    return this.#jobs.get(id);
  }

  add(sent: SentCall): void {
    for (const call of sent.calls) call.worker = sent;
    this.#jobs.set(sent.id, sent);
    this.#size += sent.size;
  }

  /** Removes the calls of a job. False when it is not here: it was settled before. */
  forget(sent: SentCall): boolean {
    if (!this.#jobs.delete(sent.id)) return false;
    for (const call of sent.calls) call.worker = undefined;
    this.#count(sent, -sent.size);
    return true;
  }

  /** Removes one call. Returns whether none is left of its job. */
  drop(sent: SentCall, call: Call): boolean {
    call.worker = undefined;
    sent.drop(call);
    this.#count(sent, -1);
    return sent.size === 0 && this.#jobs.delete(sent.id);
  }

  /** Notes whether a host has a job. */
  setActive(sent: SentCall, active: boolean): void {
    if (sent.active === active) return;
    sent.active = active;
    this.#active += active ? sent.size : -sent.size;
  }

  /** The jobs that were sent first, at most `most`. */
  oldest(most: number): SentCall[] {
    const oldest: SentCall[] = [];
    for (const sent of this.#jobs.values()) if (oldest.push(sent) === most) break;
    return oldest;
  }

  #count(sent: SentCall, change: number): void {
    this.#size += change;
    if (sent.active) this.#active += change;
  }
}

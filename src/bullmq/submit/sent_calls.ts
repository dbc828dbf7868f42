// The calls of an executor that were sent.

import type { SentCall } from "./sent_call.ts";

/** Sent calls, by the ids of their jobs. */
export class SentCalls {
  readonly #calls = new Map<string, SentCall>();
  #active = 0;

  get size(): number {
    return this.#calls.size;
  }

  /** How many of them a host has. */
  get active(): number {
    return this.#active;
  }

  /** All sent calls, the oldest first. */
  get all(): SentCall[] {
    return [...this.#calls.values()];
  }

  get(id: string): SentCall | undefined {
    return this.#calls.get(id);
  }

  add(sent: SentCall): void {
    sent.call.worker = sent;
    this.#calls.set(sent.id, sent);
  }

  /** Removes a call. False when it is not here: it was settled before. */
  forget(sent: SentCall): boolean {
    if (!this.#calls.delete(sent.id)) return false;
    if (sent.active) this.#active--;
    sent.call.worker = undefined;
    return true;
  }

  /** Notes whether a host has a call. */
  setActive(sent: SentCall, active: boolean): void {
    if (sent.active === active) return;
    sent.active = active;
    this.#active += active ? 1 : -1;
  }

  /** The calls that were sent first, at most `most`. */
  oldest(most: number): SentCall[] {
    const oldest: SentCall[] = [];
    for (const sent of this.#calls.values()) if (oldest.push(sent) === most) break;
    return oldest;
  }
}

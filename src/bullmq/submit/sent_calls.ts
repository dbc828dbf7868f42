// The calls that are jobs in Redis.

import type { SentCall } from "./sent_call.ts";

/** All of them, by the ids of their jobs. */
export class SentCalls {
  readonly #calls = new Map<string, SentCall>();
  #taken = 0;

  get size(): number {
    return this.#calls.size;
  }

  /** How many of them a host has. */
  get taken(): number {
    return this.#taken;
  }

  /** All of them, the oldest first. */
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

  /** A call has no job any more. False when it had none. */
  forget(sent: SentCall): boolean {
    if (!this.#calls.delete(sent.id)) return false;
    if (sent.taken) this.#taken--;
    sent.call.worker = undefined;
    return true;
  }

  /** A host has it, or has it no more. */
  setTaken(sent: SentCall, taken: boolean): void {
    if (sent.taken === taken) return;
    sent.taken = taken;
    this.#taken += taken ? 1 : -1;
  }

  /** Those that are out for longest. */
  oldest(most: number): SentCall[] {
    const oldest: SentCall[] = [];
    for (const sent of this.#calls.values()) if (oldest.push(sent) === most) break;
    return oldest;
  }
}

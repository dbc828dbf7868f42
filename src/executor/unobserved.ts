// The failures of an executor that nobody has looked at: reported once, when it has shut down, so that none vanishes.

import type { FailureLedger } from "./future.ts";
import { report } from "./report.ts";

/** How many failures are remembered one by one; of more, the number is known. */
const REMEMBERED = 100;

/** Counts failures until somebody looks at them. */
export class Unobserved implements FailureLedger {
  #count = 0;
  readonly #reasons = new Map<object, unknown>();

  /** A call failed, and nobody had asked for its result. */
  add(call: object, reason: unknown): void {
    this.#count++;
    if (this.#reasons.size < REMEMBERED) this.#reasons.set(call, reason);
  }

  /** Somebody has asked for it now. */
  remove(call: object): void {
    this.#count--;
    this.#reasons.delete(call);
  }

  /** Reports what is left, once. */
  report(executorName: string): void {
    if (this.#count === 0) return;
    const [first] = this.#reasons.values();
    report(`${this.#count} failed ${this.#count === 1 ? "call" : "calls"} that nobody looked at; the first, in`, executorName, first);
    this.#count = 0;
    this.#reasons.clear();
  }
}

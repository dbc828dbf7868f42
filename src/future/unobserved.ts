// Failures of an executor that nothing has observed: they are reported once, so that none is lost in silence.

import { offExit, onExit } from "../runtime.ts";
import { report } from "../report.ts";

/** How many failures are kept; the others are only counted. */
const REMEMBERED = 100;

/** Failures that nothing has observed: nobody asked for the result, the error or the outcome of their Futures. */
export interface UnobservedReport {
  /** Number of failed calls. */
  readonly count: number;
  /** The error of the first. */
  readonly first: unknown;
}

/** Called after a shutdown with the failures that nothing has observed, instead of `console.error`. */
export type UnobservedHandler = (failures: UnobservedReport) => void;

/** Counts failures until they are observed. */
export class UnobservedFailures {
  readonly #executorName: string;
  readonly #tell: UnobservedHandler | undefined;
  #count = 0;
  readonly #reasons = new Map<object, unknown>();

  constructor(executorName: string, tell: UnobservedHandler | undefined) {
    this.#executorName = executorName;
    this.#tell = tell;
  }

  /** Counts a call that has failed; nothing had asked for its result. */
  add(call: object, reason: unknown): void {
    if (this.#count++ === 0) onExit(this.report);
    if (this.#reasons.size < REMEMBERED) this.#reasons.set(call, reason);
  }

  /** Stops counting a call: its failure is observed. */
  remove(call: object): void {
    if (this.#count === 0) return; // it has been reported
    this.#reasons.delete(call);
    if (--this.#count === 0) offExit(this.report);
  }

  /** Reports the failures that are left, once: after the shutdown, or when the program ends without one. */
  readonly report = (): void => {
    const count = this.#count;
    if (count === 0) return;
    const [first] = this.#reasons.values();
    this.#count = 0;
    this.#reasons.clear();
    offExit(this.report);
    if (!this.#tell) {
      const what = count === 1 ? "1 call of" : `${count} calls of`;
      const observed = count === 1 ? "its error was never observed" : "their errors were never observed; the first";
      return report(what, `${this.#executorName} failed and ${observed}`, first);
    }
    try {
      this.#tell({ count, first });
    } catch (error) {
      report("Exception calling onUnobserved of", this.#executorName, error);
    }
  };
}

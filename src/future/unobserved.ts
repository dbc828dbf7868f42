// The failures of an executor that nobody has looked at: reported once, so that none vanishes.

import { offExit, onExit } from "../runtime.ts";
import { report } from "../report.ts";

/** How many failures are remembered one by one; of more, the number is known. */
const REMEMBERED = 100;

/** What is told of failures that nobody looked at. */
export interface UnobservedReport {
  /** How many calls failed. */
  readonly count: number;
  /** What one of them failed with. */
  readonly first: unknown;
}

/** Is told of failures that nobody looked at, in place of the console. */
export type UnobservedHandler = (failures: UnobservedReport) => void;

/** Counts failures until somebody looks at them. */
export class UnobservedFailures {
  readonly #executorName: string;
  readonly #tell: UnobservedHandler | undefined;
  #count = 0;
  readonly #reasons = new Map<object, unknown>();

  constructor(executorName: string, tell: UnobservedHandler | undefined) {
    this.#executorName = executorName;
    this.#tell = tell;
  }

  /** A call failed, and nobody had asked for its result. */
  add(call: object, reason: unknown): void {
    if (this.#count++ === 0) onExit(this.report);
    if (this.#reasons.size < REMEMBERED) this.#reasons.set(call, reason);
  }

  /** Somebody has asked for it now. */
  remove(call: object): void {
    if (this.#count === 0) return; // it was reported
    this.#reasons.delete(call);
    if (--this.#count === 0) offExit(this.report);
  }

  /** Reports what is left, once: when the executor has shut down, or the program ends without. */
  readonly report = (): void => {
    const count = this.#count;
    if (count === 0) return;
    const [first] = this.#reasons.values();
    this.#count = 0;
    this.#reasons.clear();
    offExit(this.report);
    if (!this.#tell) {
      const calls = count === 1 ? "call" : "calls";
      return report(`${count} failed ${calls} that nobody looked at; one, of`, this.#executorName, first);
    }
    try {
      this.#tell({ count, first });
    } catch (error) {
      report("Exception calling onUnobserved of", this.#executorName, error);
    }
  };
}

// What goes wrong in finalizers fails no call, so it is reported: each kind of failure once for an executor.

import { describeExit } from "../future/errors.ts";
import { report } from "../report.ts";
import { type Failure, revive } from "../wire/failure.ts";
import { STOP_LIMIT, type WorkerExit } from "../wire/channel.ts";

/** The reports of one executor. */
export class FinalizerReports {
  readonly #reported = new Set<string>();

  /** A finalizer has ended; `failure`: by an error. */
  ended(workerName: string, failure: Failure | undefined, types: Parameters<typeof revive>[1]): void {
    if (!failure) return;
    const error = revive(failure, types);
    const kind = error instanceof Error ? error.name : typeof error;
    if (this.#isNew(kind)) report("A finalizer failed in", workerName, error);
  }

  /** A worker is gone before its finalizer has run to its end. */
  unfinished(workerName: string, exit: WorkerExit): void {
    if (!this.#isNew("")) return;
    const limit = `a finalizer has ${STOP_LIMIT / 1000} s, then its worker is killed`;
    report("A finalizer did not run to its end in", workerName, `the worker ${describeExit(exit)}; ${limit}`);
  }

  #isNew(kind: string): boolean {
    if (this.#reported.has(kind)) return false;
    this.#reported.add(kind);
    return true;
  }
}

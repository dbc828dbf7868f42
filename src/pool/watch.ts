// Notices a call that takes much longer than was expected while it runs, for the sake of those behind it.

import type { Call } from "../executor/call.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/**
 * Time between two looks, in milliseconds, and how many in a row have to find that a worker has begun no other call. What is
 * behind waits for 20 to 30 ms at most then. It does not pay to look earlier: an idle worker takes what is behind anyway, and
 * calls of 20 ms among quick ones took 1.17 of the ideal time on four busy workers when what was behind them was taken back
 * after 8 to 16 ms, 1.04 when it was left (Node 24). A worker that is not let onto a core is taken for a slow one less often,
 * too.
 */
const INTERVAL = 10, LOOKS = 2;

/** How far a worker was at the last look. */
interface Seen {
  readonly upcoming: Call;
  readonly looks: number;
}

/** Looks at the workers that hold calls behind another, and only while there are any. */
export class Watch {
  readonly #workers: Iterable<WorkerHandle>;
  readonly #onStuck: (worker: WorkerHandle) => void;
  #seen = new Map<WorkerHandle, Seen>();
  #timer: Timer | undefined;

  /**
   * @param workers The workers.
   * @param onStuck Told of a worker that runs a long call, and has others behind it.
   */
  constructor(workers: Iterable<WorkerHandle>, onStuck: (worker: WorkerHandle) => void) {
    this.#workers = workers;
    this.#onStuck = onStuck;
  }

  /** A worker holds a call behind another: the looks begin, unless they have. */
  begin(): void {
    // It never keeps the program alive: a worker that holds a call does.
    this.#timer ??= startTimer(INTERVAL, this.#look, false);
  }

  readonly #look = (): void => {
    const before = this.#seen, stuck: WorkerHandle[] = [];
    this.#timer = undefined;
    this.#seen = new Map();
    for (const worker of this.#workers) {
      const { calls } = worker;
      const upcoming = calls.behind > 0 ? calls.upcoming : undefined;
      if (!upcoming) continue;
      const last = before.get(worker);
      const looks = last?.upcoming === upcoming ? last.looks + 1 : 0;
      if (looks >= LOOKS) stuck.push(worker);
      else this.#seen.set(worker, { upcoming, looks });
    }
    if (this.#seen.size > 0) this.begin();
    for (const worker of stuck) this.#onStuck(worker);
  };
}

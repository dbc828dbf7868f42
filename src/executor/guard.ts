// Who may give work in a worker: its tasks, but no module that it loads (wire/place.ts).

import { asyncContext } from "../runtime.ts";
import { currentPlace, type Place } from "../wire/place.ts";

/** Stands before an executor that was made in a worker. */
export class Guard {
  readonly #place: Place;
  /** A task has made the executor, or given it work: from then on, whatever calls belongs to the task's doing. */
  #open: boolean;

  /** The guard of a new executor; none in a program. */
  static here(): Guard | undefined {
    const place = currentPlace();
    return place && new Guard(place);
  }

  constructor(place: Place) {
    follow(place);
    this.#place = place;
    this.#open = isTask(place);
  }

  /**
   * Checks that work may be given here.
   *
   * @param action What cannot be done otherwise, for the message.
   * @throws {Error} when no task does it.
   */
  check(action: string): void {
    this.#open ||= isTask(this.#place);
    if (this.#open) return;
    const { loading, modules, refused } = this.#place;
    const error = new Error(`Cannot ${action} ${describe(this.#place)}`);
    for (const module of loading === undefined ? modules : [loading]) refused.set(module, error);
    this.#place.onRefusal(error);
    throw error;
  }
}

function isTask(place: Place): boolean {
  return place.inTask() || place.runsUnfollowed();
}

/** From here on, what a task starts is known for the task's. */
function follow(place: Place): void {
  if (place.follow) return;
  const context = asyncContext<boolean>();
  if (!context) return;
  place.follow = (isTask, fn) => context.run(isTask, fn);
  place.inTask = () => context.getStore() === true;
}

function describe({ loading, modules }: Place): string {
  if (loading === undefined && modules.size === 0) {
    return "in a worker that has not begun: what `--import`, `--preload` and `--require` name runs in workers, too, and " +
      "leaves that to the program by `if (!isWorker) { ... }`, with isWorker of @concurrent/futures. " +
      "An executable that was compiled from a program cannot be a worker process: use ThreadPoolExecutor";
  }
  const where = loading === undefined
    ? `outside of a task, in what the worker's module ${[...modules].join(" or ")} has started when it was loaded`
    : `while a worker loads ${loading}`;
  return `${where}: it would start workers of its own, and so would they. Put what starts the work into ` +
    "`if (import.meta.main) { ... }`, or `if (!isWorker) { ... }` with isWorker of @concurrent/futures, " +
    "or move the tasks to a file of their own";
}

// A module of tasks that imports executors has this run before it does anything itself, and before any of its tasks.
const here = currentPlace();
if (here) follow(here);

// In a worker, lets tasks give work to executors, but not the modules that the worker loads (wire/place.ts).

import { asyncContext } from "../runtime.ts";
import { currentPlace, type Place } from "../wire/place.ts";

/** Guards an executor that was made in a worker. */
export class Guard {
  readonly #place: Place;
  /** A task has made the executor, or given it work: from then on, every caller is taken for a task. */
  #open: boolean;

  /** The guard of a new executor; `undefined` in a program. */
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
   * @param action What the caller wants to do, for the message: "submit a task".
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

/** From here on, whatever a task starts is known as the task's. */
function follow(place: Place): void {
  if (place.follow) return;
  const context = asyncContext<boolean>();
  if (!context) return;
  place.follow = (isTask, fn) => context.run(isTask, fn);
  place.inTask = () => context.getStore() === true;
}

function describe({ loading, modules }: Place): string {
  if (loading === undefined && modules.size === 0) {
    return "in a worker that has not begun: modules that `--import`, `--preload` and `--require` name run in workers, too. " +
      "Put what starts the work into `if (!isWorker) { ... }`, with isWorker of @concurrent/futures. " +
      "An executable that was compiled from a program cannot be a worker process: use ThreadPoolExecutor there";
  }
  const where = loading === undefined
    ? `outside of a task, in what the worker's module ${[...modules].join(" or ")} has started when it was loaded`
    : `while a worker loads ${loading}`;
  return `${where}: that would start workers, which would start workers, without end. Put what starts the work into ` +
    "`if (import.meta.main) { ... }`, or `if (!isWorker) { ... }` with isWorker of @concurrent/futures, " +
    "or move the tasks to a file of their own";
}

// When a module of tasks imports executors, this runs before the rest of that module, and before any of its tasks.
const here = currentPlace();
if (here) follow(here);

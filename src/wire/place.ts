// Where code runs: in a program, or in a worker of an executor, which loads modules and runs their tasks.
//
// If a module submitted work while a worker loads it, workers would start workers without end. So a worker notes here what it
// does, and executors look before they accept a call. A task may submit work; code that a module runs when it is loaded, and
// what that starts, may not.

/** What code in a worker can know about it. */
export interface Place {
  /** The module of tasks that the worker is loading. */
  loading: string | undefined;
  /** All modules of tasks that it has loaded, or tried to. */
  readonly modules: Set<string>;
  /** Whether the worker's loop has begun, or is being loaded. */
  served: boolean;
  /** Whether the worker's file is the user's own: its tasks are there, and modules may have other URLs than in the program. */
  readonly own: boolean;
  /** Whether it is the program itself, which has loaded its tasks. */
  readonly isProgram: boolean;
  /** Modules that used an executor while they were loaded, by URL, and the error that refused it. Their tasks fail. */
  readonly refused: Map<string, Error>;
  /**
   * Runs a function that belongs to a task, or does not, so that {@linkcode inTask} can tell. Set as soon as code in this
   * worker can make an executor.
   */
  follow: (<T>(isTask: boolean, fn: () => T) => T) | undefined;
  /** Whether the caller belongs to a task, also after it has awaited something. */
  inTask: () => boolean;
  /** Whether a task runs that had begun before {@linkcode follow} was set. */
  runsUnfollowed: () => boolean;
  /** Called with each error that refuses an executor. */
  onRefusal: (error: Error) => void;
}

/** The last argument of a worker process, and of a thread on Node: by it, files of `--import` and `--require` know a worker. */
export const WORKER_ARGUMENT = "--futures-worker";

/** The last argument of a worker process whose file is the user's own. */
export const OWN_WORKER_ARGUMENT: string = `${WORKER_ARGUMENT}=own`;

/** The name of the note that an executor leaves for a thread of Node or Bun whose file is the user's own. */
export const OWN_THREAD = "@concurrent/futures/own";

// A registered symbol, so that a task's copy of this package finds what the worker's copy has put there.
const PLACE: unique symbol = Symbol.for("@concurrent/futures/place") as never;
const realm = globalThis as {
  [PLACE]?: Place;
  readonly Deno?: { readonly mainModule: string | undefined; readonly args: readonly string[] };
  readonly process?: { readonly argv: readonly string[] };
};

/** The worker in which this runs; `undefined` in a program. */
export function currentPlace(): Place | undefined {
  return realm[PLACE] ?? (startedAsWorker() ? enterPlace(startedAsOwnProcess()) : undefined);
}

/**
 * Declares that this is a worker.
 *
 * @param own Whether its file is the user's own.
 */
export function enterPlace(own = false): Place {
  return realm[PLACE] ??= newPlace(own);
}

/** Makes the place of a worker that has not done anything yet. */
export function newPlace(own = false, isProgram = false): Place {
  return {
    loading: undefined,
    modules: new Set(),
    own,
    isProgram,
    served: false,
    refused: new Map(),
    follow: undefined,
    inTask: () => false,
    runsUnfollowed: () => false,
    onRefusal: () => {},
  };
}

/** Whether the worker in which this runs has a loop already; false in a program. */
export function isServed(): boolean {
  return realm[PLACE]?.served ?? false;
}

/** Whether an executor has started this process from a file of the user's own. */
export function startedAsOwnProcess(): boolean {
  return (realm.Deno ? realm.Deno.args : realm.process?.argv)?.at(-1) === OWN_WORKER_ARGUMENT;
}

/**
 * Whether the loop of a worker will run here, and does not yet. On Deno (2.9), where reading `process` would load it, the main
 * module tells. A thread there has none, but loads nothing before its loop.
 */
function startedAsWorker(): boolean {
  if (startedAsOwnProcess()) return true;
  if (realm.Deno) {
    // Where the file is missing, the first module is a text that enters the place itself.
    const { url } = import.meta;
    return URL.canParse("../process/entry.js", url) &&
      realm.Deno.mainModule === new URL("../process/entry.js", url).href;
  }
  return realm.process?.argv.at(-1) === WORKER_ARGUMENT;
}

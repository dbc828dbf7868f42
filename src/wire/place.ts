// Where code runs: in a program, or in a worker of an executor, which loads modules and runs their tasks.
//
// A module that gave work to an executor while a worker loads it would have workers start workers without end. So a worker
// notes here what it does, and executors look before they take anything. A task may give work; what a module does when it
// is loaded, or has started then, may not.

/** A worker, as what runs in it sees it. */
export interface Place {
  /** The module of tasks that it is loading. */
  loading: string | undefined;
  /** All that it has loaded, or tried to. */
  readonly modules: Set<string>;
  /** Functions of task(), by the URL of their module and their name there: build tools rename what a module exports. */
  readonly tasks: Map<string, (...args: never[]) => unknown>;
  /** What executors were asked for by a module, by its URL: its tasks do not run here any more. */
  readonly refused: Map<string, Error>;
  /** Runs what belongs to a task, or does not, so that {@linkcode inTask} knows it. There as soon as an executor can be. */
  follow: (<T>(isTask: boolean, fn: () => T) => T) | undefined;
  /** Whether the code that asks belongs to a task, whatever it has awaited. */
  inTask: () => boolean;
  /** Whether a task runs that had begun before anything could follow it. */
  runsUnfollowed: () => boolean;
  /** Told of each refusal. */
  onRefusal: (error: Error) => void;
}

/** The last argument of a worker process, and of a thread on Node: files of `--import` and `--require` run before its loop. */
export const WORKER_ARGUMENT = "--futures-worker";

// A registered symbol: a task's copy of this package finds what the worker's copy has put there.
const PLACE: unique symbol = Symbol.for("@concurrent/futures/place") as never;
const realm = globalThis as {
  [PLACE]?: Place;
  readonly Deno?: { readonly mainModule: string | undefined };
  readonly process?: { readonly argv: readonly string[] };
};

/** The worker that this runs in; none in a program. */
export function currentPlace(): Place | undefined {
  return realm[PLACE] ?? (startedAsWorker() ? enterPlace() : undefined);
}

/** Makes this a worker, if it is not known for one. */
export function enterPlace(): Place {
  return realm[PLACE] ??= newPlace();
}

/** A worker that has not begun. */
export function newPlace(): Place {
  return {
    loading: undefined,
    modules: new Set(),
    tasks: new Map(),
    refused: new Map(),
    follow: undefined,
    inTask: () => false,
    runsUnfollowed: () => false,
    onRefusal: () => {},
  };
}

/**
 * Whether a worker's loop will run here, which does not yet. On Deno (2.9), where to look at `process` would load it, the
 * main module tells; a thread, which loads nothing before its loop, has none.
 */
function startedAsWorker(): boolean {
  if (realm.Deno) return realm.Deno.mainModule === new URL("../process/entry.js", import.meta.url).href;
  return realm.process?.argv.at(-1) === WORKER_ARGUMENT;
}

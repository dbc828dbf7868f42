// The errors that callers catch. Every executor throws the same classes.

/** How a worker ended, as far as its runtime can tell. */
export interface WorkerExit {
  /** The exit code, when there was one. */
  readonly exitCode?: number | undefined;
  /** The signal that ended a process, such as `"SIGKILL"`. */
  readonly signal?: string | undefined;
  /** The error that ended the worker, when one is known. */
  readonly error?: unknown;
}

/**
 * The call was cancelled before it began; see {@linkcode Future.cancel}.
 *
 * @example A cancelled Future rejects with it
 * ```ts
 * import { CancelledError, Future } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * const future = new Future<number>();
 * future.cancel();
 * await assert.rejects(future.result(), CancelledError);
 * ```
 */
export class CancelledError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message = "The call was cancelled", options?: ErrorOptions) {
    super(message, options);
    this.name = "CancelledError";
  }
}

/**
 * Something was not there in time: a result, or a result of `map`, or a future of `asCompleted`. The calls go on, except for
 * those of `map`, which cancels the rest. A {@linkcode TaskTimeoutError} is another matter: the task was stopped.
 *
 * @example Waiting for at most ten milliseconds
 * ```ts
 * import { Future, TimeoutError } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(new Future<number>().result(10), TimeoutError);
 * ```
 */
export class TimeoutError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "TimeoutError";
  }
}

/**
 * A task ran for longer than the `timeout` of its call (see {@linkcode CallOptions.timeout}) and was stopped: its worker was
 * ended and replaced.
 *
 * @example A task that never ends
 * ```ts
 * import { ProcessPoolExecutor, TaskTimeoutError } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
 * const endless = executor.with({ timeout: 50 }).submit(() => {
 *   for (;;);
 * });
 * await assert.rejects(endless.result(), TaskTimeoutError);
 * ```
 */
export class TaskTimeoutError extends TimeoutError {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TaskTimeoutError";
  }
}

/**
 * A Future was asked for a step that its state does not allow, such as a second result.
 *
 * @example A result is set once
 * ```ts
 * import { Future, InvalidStateError } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * const future = new Future<number>();
 * future.setResult(1);
 * assert.throws(() => future.setResult(2), InvalidStateError);
 * ```
 */
export class InvalidStateError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InvalidStateError";
  }
}

/**
 * A call was submitted to an executor that has been shut down, to a group that has ended, or while the program exits.
 *
 * @example No calls after `shutdown()`
 * ```ts
 * import { ShutdownError, ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * const executor = new ThreadPoolExecutor();
 * await executor.shutdown();
 * assert.throws(() => executor.submit(() => 1), ShutdownError);
 * ```
 */
export class ShutdownError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message = "cannot schedule new futures after shutdown", options?: ErrorOptions) {
    super(message, options);
    this.name = "ShutdownError";
  }
}

/**
 * `maxQueue` calls wait for a worker already: the call was not taken. `await executor.ready()` before you submit.
 *
 * @example A full queue
 * ```ts
 * import { QueueFullError, ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor({ maxQueue: 1 });
 * executor.submit(() => 1);
 * assert.throws(() => executor.submit(() => 2), QueueFullError);
 * ```
 */
export class QueueFullError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "QueueFullError";
  }
}

/** The executor cannot run calls any more; `cause` says why. Each kind of executor throws a subclass of its own. */
export class BrokenExecutor extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BrokenExecutor";
  }
}

/** A {@linkcode ThreadPoolExecutor} cannot run calls any more; `cause` says why. */
export class BrokenThreadPool extends BrokenExecutor {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BrokenThreadPool";
  }
}

/** A {@linkcode ProcessPoolExecutor} cannot run calls any more; `cause` says why. */
export class BrokenProcessPool extends BrokenExecutor {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BrokenProcessPool";
  }
}

/** What a {@linkcode WorkerLostError} tells about its worker. */
export interface WorkerLostDetails extends WorkerExit {
  /** The worker's name, such as `"ThreadPoolExecutor-0_1"`; `undefined` when it is not known which host had the call. */
  readonly workerName?: string | undefined;
  /** Whether the call had begun; `"unknown"` where nobody can say: on other machines, or of a process without a page. */
  readonly started: boolean | "unknown";
}

/**
 * The worker that had this call ended before it could answer. Each call gets an error of its own.
 *
 * @example The evidence that it carries
 * ```ts
 * import { ProcessPoolExecutor, WorkerLostError } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
 * const future = executor.submit(async () => {
 *   const { default: process } = await import("node:process");
 *   process.exit(3);
 * });
 * const error = await future.exception();
 * assert.ok(error instanceof WorkerLostError);
 * assert.equal(error.exitCode, 3);
 * ```
 */
export class WorkerLostError extends BrokenExecutor {
  /** The worker's name, such as `"ThreadPoolExecutor-0_1"`; `undefined` when it is not known which host had the call. */
  readonly workerName: string | undefined;
  /** The worker's exit code, when there was one. */
  readonly exitCode: number | undefined;
  /** The signal that ended the process, when there was one. */
  readonly signal: string | undefined;
  /** Whether the call had begun; `"unknown"` where nobody can say: on other machines, or of a process without a page. */
  readonly started: boolean | "unknown";

  /**
   * For executors, and for tests of your own code.
   *
   * @param details How the worker ended.
   */
  constructor(details: WorkerLostDetails) {
    const { workerName, exitCode, signal, started, error } = details;
    super(describeLoss(details), error === undefined ? undefined : { cause: error });
    this.name = "WorkerLostError";
    this.workerName = workerName;
    this.exitCode = exitCode;
    this.signal = signal;
    this.started = started;
  }
}

/** The message of a {@linkcode WorkerLostError}. When the worker is not known, neither is how it ended. */
function describeLoss({ workerName, ...exit }: WorkerLostDetails): string {
  if (workerName !== undefined) return `Worker ${workerName} ${describeExit(exit)}`;
  return exit.error === undefined ? "The call's worker was lost" : `The call's worker was lost: ${textOf(exit.error)}`;
}

/** One clause on how a worker ended, for messages: "was ended by signal SIGKILL". */
export function describeExit({ exitCode, signal, error }: WorkerExit): string {
  const why = error === undefined ? "" : `: ${textOf(error)}`;
  if (signal) return `was ended by signal ${signal}${why}`;
  if (exitCode !== undefined) return `ended with exit code ${exitCode}${why}`;
  return `ended unexpectedly${why}`;
}

/** What ended a worker is anything that a task may throw: nothing in it is called. */
function textOf(error: unknown): string {
  if ((typeof error !== "object" && typeof error !== "function") || error === null) return String(error);
  const { message } = error as { readonly message?: unknown };
  return typeof message === "string" ? message : Object.prototype.toString.call(error);
}

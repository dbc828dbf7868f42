// The type of what currentTask() returns, in a file of its own: to JSR, whatever else is in the file of a public type is gone.

/** What a task can know about its call. */
export interface CurrentTask {
  /**
   * Aborts when the signal of the call does (see {@linkcode CallOptions.signal}). It does not abort when the `timeout` of the
   * call is over: the worker is ended then.
   */
  readonly signal: AbortSignal;
  /** The worker's name, such as `"ThreadPoolExecutor-0_1"`. */
  readonly workerName: string;
  /**
   * The worker's number among the workers that the executor has: 0 to `maxWorkers - 1`. No two of them have the same, and a
   * worker that takes the place of another has that one's: a port or a database can be its own.
   */
  readonly workerIndex: number;
  /** 1 for the first run of the call, 2 for its first retry, and so on. */
  readonly attempt: number;
  /**
   * Sends something to the program while the task runs: how far it has come, or what it would print. The program gets it by
   * {@linkcode CallOptions.onReport}, in order; without that option nothing is sent, and the value is not looked at. After
   * the end of the call, and in an initializer, nothing happens.
   *
   * The value is copied now, by structured clone; what {@linkcode transfer} marks is moved. A task that reports faster than
   * the program listens waits here: in a thread, and in a process on Node, which has a pipe that waits, but not on Windows.
   *
   * @param value Anything that can be copied.
   * @throws {DOMException} a DataCloneError, when the value cannot be copied.
   * @throws {Error} when the worker, a thread, is being ended: the call was stopped, or its executor ends its workers.
   */
  report(value: unknown): void;
}

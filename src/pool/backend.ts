// What an executor needs to know of the kind of worker that it runs: everything else is the same for all.

import type { ChannelEvents, WorkerChannel } from "../wire/channel.ts";
import type { BrokenClass } from "../executor/engine.ts";

/** A kind of worker. */
export interface Backend {
  /** The executor's name, for its messages and its workers' names. */
  readonly name: string;
  /** The class of the error when the executor is broken. */
  readonly Broken: BrokenClass;
  /** The names of the options that its executor has besides those of all. */
  readonly ownOptions?: readonly string[];
  /**
   * Checks what workers shall be allowed, when their executor is made.
   *
   * @param action What is refused, for the message of what is thrown.
   * @param options What they shall be allowed.
   * @returns The same, such that it means the same whenever and wherever a worker starts.
   */
  checkWorkerOptions?(action: string, options: WorkerOptions): WorkerOptions;
  /** Starts a worker. What goes wrong is told to `events.onClose`, nothing is thrown. */
  start(workerName: string, options: WorkerOptions, events: ChannelEvents): WorkerChannel;
}

/** What Deno lets a worker do: everything the program may, nothing, or a list of permissions that the program has too. */
export type WorkerPermissions = "inherit" | "none" | Readonly<Record<string, boolean | readonly string[]>>;

/** What workers may use. */
export interface WorkerOptions {
  /** Memory, in MiB. */
  readonly memoryLimit: number | undefined;
  readonly permissions: WorkerPermissions;
  /** For processes. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd: string | URL | undefined;
  readonly execArgv: readonly string[] | undefined;
}

// What differs between kinds of workers, threads and processes; everything else in pool/ is the same for both.

import type { ChannelEvents, WorkerChannel } from "../wire/channel.ts";
import type { BrokenClass } from "../executor/engine.ts";
import type { OwnWorker } from "./own_worker.ts";

/** A kind of worker. */
export interface Backend {
  /** The name of the executor's class, for messages and the names of workers. */
  readonly name: string;
  /** The class of the error when the executor is broken. */
  readonly Broken: BrokenClass;
  /** The names of the options that its executor has besides those of all. */
  readonly ownOptions?: readonly string[];
  /** How many workers its executor has at most, whatever `maxWorkers` says. */
  readonly mostWorkers?: number;
  /** Why its workers cannot be waited for without the event loop; absent if they can. */
  readonly refusesToBlock?: string | undefined;
  /**
   * Checks the options of workers when their executor is created.
   *
   * @param action What fails, for the message of an error.
   * @param options The options.
   * @returns The options with what is relative made absolute, so that they mean the same whenever a worker starts.
   */
  checkWorkerOptions?(action: string, options: WorkerOptions): WorkerOptions;
  /** Starts a worker. Never throws: if a worker cannot start, `events.onClose` says why, after this has returned. */
  start(workerName: string, options: WorkerOptions, events: ChannelEvents): WorkerChannel;
}

/** What Deno lets a worker do: everything the program may, nothing, or a list of permissions that the program has too. */
export type WorkerPermissions = "inherit" | "none" | Readonly<Record<string, boolean | readonly string[]>>;

/** How workers are started, and what they may use. */
export interface WorkerOptions {
  /** Maximum memory of each, in MiB. */
  readonly memoryLimit: number | undefined;
  readonly permissions: WorkerPermissions;
  /** Starts a thread from a file of the user's own. */
  readonly worker?: (() => OwnWorker) | undefined;
  /** A file of the user's own from which a process starts. */
  readonly entry?: URL | undefined;
  /** For processes, as are those that follow. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd: string | URL | undefined;
  readonly execArgv: readonly string[] | undefined;
}

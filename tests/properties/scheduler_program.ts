// The steps of a random program for an executor.

import type { TASKS } from "./ledger.ts";
import type { ClaimsKind } from "../support/memory_channel.ts";
import type { NetworkStep } from "./network_steps.ts";

/** Options of Executor.with(). */
export interface Options {
  priority?: number;
  retries?: number;
  retryOn?: boolean;
  /** The number of a signal. */
  signal?: number;
  timeout?: number;
}

/** The name of a task of the ledger. */
export type TaskName = keyof typeof TASKS;

/** An argument that cannot be sent, or that runs user code, a reaction, while it is. */
export type Touchy = "function" | "getter" | "throwing getter" | "proxy" | "revoked proxy";

/** What user code does when the executor calls it. */
export type Reaction =
  | "nothing"
  | "submit"
  | "submitMany"
  | "cancel"
  | "abort"
  | "shutdown"
  | "cancelAll"
  | "kill"
  | "leave"
  | "warmUp"
  | "resize"
  | "broadcast";

/** Something for all workers. */
export type ControlStep =
  | { readonly kind: "warmUp" }
  | { readonly kind: "resize"; readonly maxWorkers: number }
  | { readonly kind: "broadcast"; readonly task: TaskName };

/** One step of a program. A `choice` is taken modulo the number of things to choose from. */
export type Step =
  | { readonly kind: "submit"; readonly task: TaskName; readonly count: number; readonly options?: Options }
  | {
    readonly kind: "submitTouchy";
    readonly argument: Touchy;
    readonly reaction: Reaction;
    readonly choice: number;
    readonly neighbours: number;
  }
  | {
    readonly kind: "submitReacting";
    readonly task: TaskName;
    readonly place: "callback" | "retryOn";
    readonly reaction: Reaction;
    readonly choice: number;
  }
  | { readonly kind: "submitDeadly"; readonly share: number }
  | { readonly kind: "map"; readonly task: TaskName; readonly count: number; readonly chunksize: number }
  | { readonly kind: "leave"; readonly choice: number }
  | ControlStep
  | NetworkStep
  | { readonly kind: "cancel"; readonly choice: number }
  | { readonly kind: "abort"; readonly signal: number }
  | { readonly kind: "babble"; readonly choice: number }
  | { readonly kind: "end"; readonly how: "terminate" | "kill" }
  | { readonly kind: "shutdown"; readonly cancelFutures: boolean };

/** An executor, and what a program does with it. */
export interface Program {
  readonly claims: ClaimsKind;
  readonly maxWorkers: number;
  readonly maxTasksPerWorker: number | undefined;
  /** Whether each worker has a finalizer. */
  readonly finalizes: boolean;
  readonly onWorkerLost: "replace" | "break";
  readonly refused: readonly boolean[];
  /** Tasks that run once first, so that the executor knows how long they take. */
  readonly known: readonly TaskName[];
  readonly steps: readonly Step[];
}

// What a program that blocks and its relay thread say to each other.

import type { MessagePort } from "node:worker_threads";
import type { WorkerExit } from "../wire/channel.ts";
import type { FromWorker } from "../wire/messages.ts";
import type { Command } from "./child.ts";

/** The first message to the thread. */
export interface RelayInit {
  readonly port: MessagePort;
  /** The memory of the program's bell. */
  readonly bell: SharedArrayBuffer;
}

/** From the program to the relay, about the worker process with a number. */
export type ToRelay =
  & { readonly id: number }
  & (
    | { readonly kind: "start"; readonly command: Command }
    /** A message as the channel carries it (pack.ts). */
    | { readonly kind: "send"; readonly packed: unknown }
    | { readonly kind: "keepAlive"; readonly alive: boolean }
    | { readonly kind: "stop"; readonly finalizes: boolean }
    | { readonly kind: "terminate" | "kill" }
  );

/** From the relay to the program. */
export type FromRelay =
  /** It has begun. */
  | { readonly kind: "up" }
  | { readonly kind: "message"; readonly id: number; readonly message: FromWorker }
  | { readonly kind: "close"; readonly id: number; readonly exit: WorkerExit };

// The relay thread of a program that blocks: the channels of processes need an event loop, and it has one. It starts and ends
// the worker processes, and passes on what they and the program say to each other.

import { loadBuiltin, onPortMessage } from "../runtime.ts";
import { Bell } from "../wire/bell.ts";
import type { WorkerExit } from "../wire/channel.ts";
import type { FromWorker } from "../wire/messages.ts";
import { type Command, type ProcessChannel, spawnWorker } from "./child.ts";
import type { FromRelay, RelayInit, ToRelay } from "./relay_messages.ts";

/** Serves the program that has started this thread. */
export function serveRelay(): void {
  loadBuiltin<typeof import("node:worker_threads")>("node:worker_threads").parentPort!.once("message", serve);
}

function serve({ port, bell: memory }: RelayInit): void {
  const bell = new Bell(memory), channels = new Map<number, ProcessChannel>();
  const tell = (message: FromRelay) => {
    port.postMessage(message);
    bell.ring();
  };
  const { spawn } = loadBuiltin<typeof import("node:child_process")>("node:child_process");
  const start = (id: number, command: Command) => {
    const onClose = (exit: WorkerExit) => {
      channels.delete(id);
      try {
        tell({ id, kind: "close", exit });
      } catch {
        tell({ id, kind: "close", exit: { ...exit, error: new Error(String(exit.error)) } });
      }
    };
    const onMessage = (message: FromWorker) => {
      try {
        tell({ id, kind: "message", message });
      } catch {
        tell({ id, kind: "message", message: undefined as never }); // nothing that we would have sent
      }
    };
    try {
      channels.set(id, spawnWorker(spawn, command, { onMessage, onClose }));
    } catch (error) {
      onClose({ error });
    }
  };
  tell({ kind: "up" });
  onPortMessage<ToRelay>(port as never, (message) => {
    if (message.kind === "start") return start(message.id, message.command);
    const channel = channels.get(message.id);
    if (message.kind === "send") {
      try {
        channel?.forward(message.packed as object);
      } catch {
        // It has ended, and is about to say so.
      }
    } else if (message.kind === "keepAlive") channel?.keepAlive(message.alive);
    else if (message.kind === "stop") channel?.stop(message.finalizes);
    else channel?.[message.kind]();
  });
}

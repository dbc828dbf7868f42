// The relay thread of a program that blocks: the channels of processes need an event loop, and it has one. It starts and ends
// the worker processes, and passes on what they and the program say to each other.

import { loadBuiltin, onPortMessage } from "../runtime.ts";
import { Bell } from "../wire/bell.ts";
import { type ProcessChannel, startHere } from "./start.ts";
import type { FromRelay, RelayedOptions, RelayInit, ToRelay } from "./relay_messages.ts";

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
  const start = (id: number, { entry, ...options }: RelayedOptions) => {
    const channel = startHere({ ...options, entry: entry === undefined ? undefined : new URL(entry) }, {
      onMessage(message) {
        try {
          tell({ id, kind: "message", message });
        } catch {
          tell({ id, kind: "message", message: undefined as never }); // nothing that we would have sent
        }
      },
      onClose(exit) {
        channels.delete(id);
        try {
          tell({ id, kind: "close", exit });
        } catch {
          tell({ id, kind: "close", exit: { ...exit, error: new Error(String(exit.error)) } });
        }
      },
    }, false);
    channels.set(id, channel);
  };
  tell({ kind: "up" });
  onPortMessage<ToRelay>(port as never, (message) => {
    if (message.kind === "start") return start(message.id, message.options);
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

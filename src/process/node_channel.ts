// Node trusts what comes through the channel of a child: by a few bytes, a task could end the whole program. Deno (2.9) and
// Bun (1.4) end the channel instead, or take no notice.

import type { ChildProcess } from "node:child_process";
import { runtime } from "../runtime.ts";

/** The inside of a channel, as far as it is known (Node 20, 24). */
interface Channel {
  onread?: (...args: unknown[]) => void;
  readonly buffering?: boolean;
}

/** What a handle is that a task has sent, a socket for instance. */
interface Handle {
  close?(): void;
}

/**
 * Has a channel survive what a task may do to it.
 *
 * @param child The worker.
 * @param onRubbish Called when something came that is no message. What comes after it cannot be told from it.
 */
export function harden(child: ChildProcess, onRubbish: (error: Error) => void): void {
  if (runtime !== "node") return;
  // Node (24) asserts that it waits for an acknowledgement when one comes, and fails over a handle of an unknown type. We
  // send no handles, and want none. One that is not acknowledged would have the worker send nothing more.
  child.removeAllListeners("internalMessage");
  child.on("internalMessage", (_message: unknown, handle: Handle | undefined) => {
    if (!handle) return;
    handle.close?.();
    if (child.connected) child.send({ cmd: "NODE_HANDLE_ACK" }, undefined, undefined, () => {});
  });
  const channel = inside<Channel>(child, "kChannelHandle");
  const read = channel?.onread;
  if (!channel || typeof read !== "function") return;
  channel.onread = function (...args) {
    try {
      read.apply(this, args);
      // Rubbish is mostly taken for the length of a huge message, which never comes to its end.
      if (channel.buffering && !beginsMessage(channel)) onRubbish(new Error("It sent what is no message"));
    } catch (error) {
      onRubbish(error as Error);
    }
  };
}

/** Whether what has come of the next message is how one begins: its length, then 0xFF for the header of V8's format. */
function beginsMessage(channel: Channel): boolean {
  const [head] = inside<Uint8Array[]>(channel, "kMessageBuffer") ?? [];
  return head?.[4] === undefined || head[4] === 0xFF;
}

/** What an object of Node's keeps to itself. */
function inside<T>(object: object, name: string): T | undefined {
  const symbol = Object.getOwnPropertySymbols(object).find(({ description }) => description === name);
  return symbol && (object as Record<symbol, T>)[symbol];
}

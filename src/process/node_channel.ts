// Node trusts what comes through the channel of a child: by a few bytes, a task could end the whole program. Bun (1.4) ends
// the channel instead, Deno (2.9) gives no task its descriptor.

import type { ChildProcess } from "node:child_process";
import { runtime } from "../runtime.ts";

/** The inside of a channel, as far as it is known (Node 20, 24). */
interface Channel {
  onread?: (...args: unknown[]) => void;
  readonly buffering?: boolean;
}

/** A handle, socket or server that a task has sent. */
interface Handle {
  close?(): void;
  destroy?(): void;
}

/**
 * Has the program survive what a task may do to its channel.
 *
 * @param child The worker.
 * @param onRubbish Called when something came that is no message. What comes after it cannot be told from it.
 */
export function harden(child: ChildProcess, onRubbish: (error: Error) => void): void {
  const isNode = runtime === "node";
  // Node (24) asserts that it waits for an acknowledgement when one comes, and fails over a handle of an unknown type. We
  // send no handles, and want none; but as long as one is not acknowledged, the worker sends nothing more.
  if (isNode) child.removeAllListeners("internalMessage");
  const refuse = (_message: unknown, handle: Handle | undefined) => {
    if (!handle) return;
    // A server that nobody knows of would keep the program alive.
    if (handle.destroy) handle.destroy();
    else handle.close?.();
    if (isNode && child.connected) child.send({ cmd: "NODE_HANDLE_ACK" }, undefined, undefined, () => {});
  };
  child.on("internalMessage", refuse);
  if (!isNode) return void child.on("message", refuse as never);
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

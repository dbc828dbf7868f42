// Protects the program from its worker processes. Node trusts what comes through the channel of a child: a task could end the
// whole program with a few bytes. Bun (1.4) closes the channel instead, Deno (2.9) hides its descriptor from tasks.

import type { ChildProcess } from "node:child_process";
import { runtime } from "../runtime.ts";
import { inside } from "./node_pipe.ts";

/** Internals of a channel (Node 20, 24). */
interface Channel {
  onread?: (...args: unknown[]) => void;
  readonly buffering?: boolean;
}

/** A socket or server that a task has sent. */
interface Handle {
  close?(): void;
  destroy?(): void;
}

/**
 * Makes the program survive what a task sends on the channel.
 *
 * @param child The worker.
 * @param onRubbish Called when bytes came that are no message. Later messages cannot be told from them.
 */
export function harden(child: ChildProcess, onRubbish: (error: Error) => void): void {
  const isNode = runtime === "node";
  // Node (24) asserts that it expects an acknowledgement when one comes, and throws over a handle of unknown type. No handle is
  // ever wanted here, but each must be acknowledged: until then the worker sends nothing more.
  if (isNode) child.removeAllListeners("internalMessage");
  const refuse = (_message: unknown, handle: Handle | undefined) => {
    if (!handle) return;
    // A server that stays open would keep the program alive.
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
      // Node mostly takes such bytes for the length of a huge message, and waits for its end for ever.
      if (channel.buffering && !beginsMessage(channel)) onRubbish(new Error("It sent bytes that are no message"));
    } catch (error) {
      onRubbish(error as Error);
    }
  };
}

/** Whether the bytes so far begin a message: with its length, then 0xFF, the first byte of V8's format. */
function beginsMessage(channel: Channel): boolean {
  const [head] = inside<Uint8Array[]>(channel, "kMessageBuffer") ?? [];
  return head?.[4] === undefined || head[4] === 0xFF;
}

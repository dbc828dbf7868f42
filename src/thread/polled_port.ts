// How a parent that may block hears of a thread: the thread posts everything through a port of its own, which can be read at
// any time, and rings the bell of the parent (wire/blocking.ts). `Worker` itself has nothing that can be read without the
// event loop.

import type { MessagePort } from "node:worker_threads";
import type { ParentLine } from "./line_parent.ts";
import type { ReplyTo } from "./line.ts";
import { loadBuiltin, onPortMessage, runtime } from "../runtime.ts";
import { Bell } from "../wire/bell.ts";
import { blockingHere, type Polled } from "../wire/blocking.ts";
import { seal } from "../wire/seal.ts";

/** Time between two looks whether a thread of Node still lives, in milliseconds; and when it is about to end. */
const LOOK = 50, SOON = 1;

/** How long a thread of Deno or Bun that is about to end counts as living, in milliseconds. */
const LAST_WORDS = 20;

const threads = () => loadBuiltin<typeof import("node:worker_threads")>("node:worker_threads");

/** The parent's end of such a port. */
export class PolledPort implements Polled {
  /** What the thread has to know. */
  readonly replyTo: ReplyTo;
  #endsAt = Infinity;
  readonly #port: MessagePort;
  readonly #line: () => ParentLine;
  readonly #onDead: () => void;
  #lookedAt = 0;

  /**
   * @param line The line that takes what comes.
   * @param onDead The thread is gone; called in a blocking wait only, as its event cannot come then.
   */
  constructor(line: () => ParentLine, onDead: () => void) {
    const { port1, port2 } = new (threads().MessageChannel)();
    this.#port = port1;
    this.#line = line;
    this.#onDead = onDead;
    const { bell, lines } = blockingHere()!;
    this.replyTo = { port: port2 as never, bell: bell.shared, ownBell: new Bell().shared };
    onPortMessage(port1 as never, (received) => this.#line().take(received));
    port1.on("messageerror", () => this.#line().take(seal({ kind: "unread" })));
    lines.add(this);
  }

  get ending(): boolean {
    return this.#endsAt !== Infinity;
  }

  /** The thread is about to end. */
  end(): void {
    if (!this.ending) this.#endsAt = performance.now() + LAST_WORDS;
  }

  attend(): void {
    this.#line().attend();
  }

  poll(): boolean {
    const line = this.#line();
    let found = line.poll();
    while (line.hasMail && this.#receive()) found = true;
    if (!found && this.#isDead()) {
      blockingHere()!.lines.delete(this);
      this.#onDead();
      return true;
    }
    return found;
  }

  #receive(): boolean {
    let received: { message: unknown } | undefined;
    try {
      received = threads().receiveMessageOnPort(this.#port);
    } catch {
      received = { message: seal({ kind: "unread" }) }; // it cannot be read here
    }
    if (received) this.#line().take(received.message);
    return received !== undefined;
  }

  /**
   * Whether the thread is gone. On Node (20, 24), a port whose other end is gone is detached once it has been read empty, and
   * the error about a list that has it twice says so. On Deno (2.9) and Bun (1.4), nothing tells.
   */
  #isDead(): boolean {
    const now = performance.now();
    if (runtime !== "node") return now >= this.#endsAt;
    if (now - this.#lookedAt < (this.ending ? SOON : LOOK)) return false;
    this.#lookedAt = now;
    if (this.#receive()) return false;
    try {
      structuredClone(undefined, { transfer: [this.#port, this.#port] as never });
    } catch (error) {
      return /detached/.test((error as Error).message);
    }
    return false;
  }

  keepAlive(alive: boolean): void {
    if (alive) this.#port.ref();
    else this.#port.unref();
  }

  /** Reads what is there, and nothing more: that a thread of Node (24) has ended is told before its last messages come. */
  close(): void {
    blockingHere()!.lines.delete(this);
    while (this.#line().hasMail && this.#receive());
    this.#port.close();
  }
}

/** Makes such a port, if the program blocks. */
export function polledPort(line: () => ParentLine, onDead: () => void): PolledPort | undefined {
  return blockingHere() && new PolledPort(line, onDead);
}

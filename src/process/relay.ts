// The program's end of the relay (relay_thread.ts): worker processes for a program that blocks.

import type { MessagePort, Worker } from "node:worker_threads";
import type { WorkerOptions } from "../pool/backend.ts";
import { findEntry } from "../entry.ts";
import { startWithFlags } from "../flags.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { loadBuiltin, onPortMessage, runtime } from "../runtime.ts";
import { blockingHere, type Polled } from "../wire/blocking.ts";
import type { ChannelEvents, WorkerChannel, WorkerExit } from "../wire/channel.ts";
import { refusing } from "../wire/sendable.ts";
import { cloneForProcess } from "./cloneable.ts";
import { startFolder } from "./command_line.ts";
import { pack } from "./pack.ts";
import type { FromRelay, RelayInit, ToRelay } from "./relay_messages.ts";

const threads = () => loadBuiltin<typeof import("node:worker_threads")>("node:worker_threads");

// Never called: with this, `deno cache` and the builders of packages know the thread's entry.
const _entry = () => import("./entry.relay.js");

/** Kinds of what is asked for one worker, without its number. */
type Ask = ToRelay extends infer M ? M extends { id: number } ? Omit<M, "id"> : never : never;

/** How long the thread may take to start, in milliseconds; it has a few files of this package to load. */
const START_LIMIT = 30_000;

/** The relay of this thread. */
class Relay implements Polled {
  readonly ending = false;
  readonly #thread: Worker;
  readonly #port: MessagePort;
  readonly #workers = new Map<number, ChannelEvents>();
  /** Those that keep the program alive. */
  readonly #alive = new Set<number>();
  /** How long it may take to start. */
  readonly #starting: Timer;
  #started = 0;

  constructor(entry: URL) {
    const { MessageChannel, SHARE_ENV, Worker } = threads(), { bell, lines } = blockingHere()!;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start = (options: object) =>
      new Worker(entry, { ...options, name: "futures relay", env: SHARE_ENV } as never);
    this.#thread = runtime === "node" ? startWithFlags({}, start) : start({});
    // A thread that fails to start says so by an event, which does not come while the program blocks.
    const error = new Error(`The thread that starts processes has not begun within ${START_LIMIT / 1000} s`);
    this.#starting = startTimer(START_LIMIT, () => this.#fail({ error, inVain: true }), false);
    this.#thread.on("error", (error) => this.#fail({ error }));
    this.#thread.on("exit", (exitCode) => this.#fail({ exitCode }));
    const init: RelayInit = { port: port2, bell: bell.shared };
    this.#thread.postMessage(init, [port2] as never);
    onPortMessage<FromRelay>(port1 as never, (message) => this.#take(message));
    this.#thread.unref();
    port1.unref();
    lines.add(this);
  }

  attend(): void {}

  poll(): boolean {
    const received = threads().receiveMessageOnPort(this.#port);
    if (received) this.#take(received.message);
    return received !== undefined;
  }

  start(options: WorkerOptions, events: ChannelEvents): WorkerChannel {
    const id = this.#started++;
    const ask = (message: Ask) => this.#port.postMessage({ id, ...message });
    ask({ kind: "start", options: { ...options, cwd: startFolder(options.cwd), entry: options.entry?.href } });
    this.#workers.set(id, events);
    this.#hold(id, true);
    return {
      // A page's descriptor belongs to the thread that has opened it.
      claims: undefined,
      send: (message) => {
        const packed = pack(message);
        if (!this.#workers.has(id)) throw new Error("The worker has ended");
        refusing(() => ask({ kind: "send", packed }));
      },
      clone: cloneForProcess,
      keepAlive: (alive) => {
        if (!this.#workers.has(id)) return;
        this.#hold(id, alive);
        ask({ kind: "keepAlive", alive });
      },
      stop: (finalizes) => ask({ kind: "stop", finalizes }),
      terminate: () => ask({ kind: "terminate" }),
      kill: () => ask({ kind: "kill" }),
    };
  }

  #hold(id: number, alive: boolean): void {
    if (alive) this.#alive.add(id);
    else this.#alive.delete(id);
    if (this.#alive.size > 0) this.#port.ref();
    else this.#port.unref();
  }

  #take(message: FromRelay): void {
    if (message.kind === "up") return this.#starting.clear();
    const events = this.#workers.get(message.id);
    if (message.kind === "message") return events?.onMessage(message.message);
    this.#workers.delete(message.id);
    this.#hold(message.id, false);
    events?.onClose(message.exit);
  }

  /** The thread is gone, and with it all lines. */
  #fail(exit: WorkerExit): void {
    if (relay === this) relay = undefined; // the next worker gets another one
    blockingHere()!.lines.delete(this);
    for (const id of [...this.#workers.keys()]) this.#take({ id, kind: "close", exit });
  }
}

let relay: Relay | undefined;

/** Starts a worker process through the relay. */
export function startRelayed(options: WorkerOptions, events: ChannelEvents): WorkerChannel {
  if (!relay) {
    const path = "../process/entry.relay.js";
    const entry = findEntry(path, () => new URL("../process/entry.relay.js", import.meta.url), import.meta.url);
    if (!entry) {
      throw new Error(`Cannot block for a process as there is no file ${path}: a build tool has left it behind`);
    }
    relay = new Relay(entry);
  }
  return relay.start(options, events);
}

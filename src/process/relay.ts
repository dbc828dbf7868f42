// The program's end of the relay (relay_thread.ts): worker processes for a program that blocks.

import type { MessagePort, Worker, WorkerOptions as ThreadOptions } from "node:worker_threads";
import type { WorkerOptions } from "../pool/backend.ts";
import { findEntry } from "../entry.ts";
import { startBare } from "../flags.ts";
import { EntryText } from "../pool/entry_text.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { loadBuiltin, onPortMessage, process, runtime } from "../runtime.ts";
import { blockingHere, type Polled } from "../wire/blocking.ts";
import type { ChannelEvents, WorkerChannel, WorkerExit } from "../wire/channel.ts";
import { PageClaims } from "../wire/page_claims.ts";
import { refusing } from "../wire/sendable.ts";
import type { Command, ProcessChannel } from "./child.ts";
import { cloneForProcess } from "./cloneable.ts";
import type { NewPage } from "./new_page.ts";
import { pack } from "./pack.ts";
import type { FromRelay, RelayInit, ToRelay } from "./relay_messages.ts";
import { startBy } from "./start.ts";

const threads = () => loadBuiltin<typeof import("node:worker_threads")>("node:worker_threads");

const text = new EntryText(() => import("./entry.relay.text.ts"));

// Never called: with this, `deno cache` and the builders of packages know the thread's entry.
const _entry = () => import("./entry.relay.js");

/** Kinds of what is asked for one worker, without its number. */
type Ask = ToRelay extends infer M ? M extends { id: number } ? Omit<M, "id"> : never : never;

/** How long the thread may take to start, in milliseconds; it has a few files of this package to load. */
const START_LIMIT = 30_000;

/** Why nobody can block for its processes yet. */
const LOADING = "the text of the thread that starts processes is being loaded: await executor.warmUp() first";

/** A worker process, as the program's end knows it. */
interface Relayed {
  readonly events: ChannelEvents;
  /** Called when the relay needs its page no more. */
  readonly onGone: (() => void) | undefined;
}

/** The relay of this thread. */
class Relay implements Polled {
  readonly ending = false;
  #thread: Worker | undefined;
  readonly #port: MessagePort;
  readonly #workers = new Map<number, Relayed>();
  /** Those that keep the program alive. */
  readonly #alive = new Set<number>();
  /** How long it may take to start. */
  readonly #starting: Timer;
  #started = 0;

  constructor() {
    const { MessageChannel } = threads();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const path = "../process/entry.relay.js";
    const entry = findEntry(path, () => new URL("../process/entry.relay.js", import.meta.url), import.meta.url);
    if (entry) this.#begin(port2, (Worker, options) => new Worker(entry, options));
    else {
      // A build tool has left the file behind. What is posted until the text of it has come waits in the port.
      text.take((text) => this.#begin(port2, (Worker, options) => new Worker(text, { ...options, eval: true })))
        .catch((error) => this.#fail({ error }));
    }
    // A thread that fails to start says so by an event, which does not come while the program blocks.
    const error = new Error(`The thread that starts processes has not begun within ${START_LIMIT / 1000} s`);
    this.#starting = startTimer(START_LIMIT, () => this.#fail({ error, inVain: true }), false);
    onPortMessage<FromRelay>(port1 as never, (message) => this.#take(message));
    port1.unref();
    blockingHere()!.lines.add(this);
  }

  /** Starts the thread, with nothing of the program's that would run in it: no module of `--import` is loaded there. */
  #begin(port: MessagePort, start: (WorkerClass: typeof Worker, options: ThreadOptions) => Worker): void {
    const { SHARE_ENV, Worker } = threads(), name = "futures relay";
    this.#thread = runtime === "node"
      ? startBare((options) => start(Worker, { ...options, name }))
      : start(Worker, { name, env: SHARE_ENV as never });
    this.#thread.on("error", (error) => this.#fail({ error }));
    this.#thread.on("exit", (exitCode) => this.#fail({ exitCode }));
    const init: RelayInit = { port, bell: blockingHere()!.bell.shared };
    this.#thread.postMessage(init, [port] as never);
    this.#thread.unref();
  }

  attend(): void {}

  poll(): boolean {
    const received = threads().receiveMessageOnPort(this.#port);
    if (received) this.#take(received.message);
    return received !== undefined;
  }

  start(command: Command, page: NewPage | undefined, events: ChannelEvents): ProcessChannel {
    const id = this.#started++;
    const ask = (message: Ask) => this.#port.postMessage({ id, ...message });
    // The thread inherits no environment that would be right: it is older than changes of the program's.
    const env = command.env ?? (runtime === "deno" ? undefined : { ...process.env });
    ask({ kind: "start", command: { ...command, env } });
    const held = page && keptByTwo(page);
    this.#workers.set(id, { events, onGone: held?.close });
    this.#hold(id, true);
    const hasThread = () => this.#thread !== undefined;
    return {
      claims: held && new PageClaims(held),
      get refusesToBlock() {
        return hasThread() ? undefined : LOADING;
      },
      send(message) {
        this.forward(pack(message));
      },
      forward: (packed) => {
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
    const worker = this.#workers.get(message.id);
    if (message.kind === "message") return worker?.events.onMessage(message.message);
    this.#workers.delete(message.id);
    this.#hold(message.id, false);
    worker?.onGone?.();
    worker?.events.onClose(message.exit);
  }

  /** The thread is gone, and with it all lines. */
  #fail(exit: WorkerExit): void {
    if (relay === this) relay = undefined; // the next worker gets another one
    this.#starting.clear();
    blockingHere()!.lines.delete(this);
    void this.#thread?.terminate();
    for (const id of [...this.#workers.keys()]) this.#take({ id, kind: "close", exit });
  }
}

/**
 * A page that is closed when two have closed it: the executor, and who has started its worker. Its descriptor's number may be
 * another file's by then, which the worker would inherit.
 */
function keptByTwo(page: NewPage): NewPage {
  let closed = 0;
  return {
    ...page,
    close() {
      if (++closed === 2) page.close();
    },
  };
}

let relay: Relay | undefined;

/** Starts a worker process through the relay. */
export function startRelayed(options: WorkerOptions, events: ChannelEvents): WorkerChannel {
  return startBy((command, page, events) => (relay ??= new Relay()).start(command, page, events), options, events);
}

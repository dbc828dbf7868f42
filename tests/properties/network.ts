// Workers in this very program, behind lines on which nothing moves until it is told to: a random run says which message,
// of which worker, is delivered next, and which worker dies of what is under way. Each line keeps its order, in either
// direction; nothing else is sure. memory_backend.ts is its simple sister, which delivers by itself.

import type { Backend } from "../../src/pool/backend.ts";
import { BrokenExecutor } from "../../src/future/errors.ts";
import { Executor } from "../../src/executor/executor.ts";
import type { ExecutorStats } from "../../src/executor/stats.ts";
import type { ExecutorOptions } from "../../src/pool/options.ts";
import { Scheduler } from "../../src/pool/scheduler.ts";
import type { ChannelEvents, WorkerChannel, WorkerExit } from "../../src/wire/channel.ts";
import { CALLS_PER_WORKER } from "../../src/wire/claims.ts";
import type { FromWorker, ToWorker } from "../../src/wire/messages.ts";
import { newPlace } from "../../src/wire/place.ts";
import { serve } from "../../src/worker/main.ts";
import "../support/invariants.ts";
import { turn, VirtualTime } from "./virtual_time.ts";

/** How the workers of a network are. */
export interface NetworkOptions {
  /** `true`: with claim words, as threads. `false`: without, as processes. */
  readonly claims: boolean;
  /** Which workers are refused at their start: the n-th that is started, when the n-th is `true`. */
  readonly refused?: readonly boolean[];
}

/** What a broken executor rejects with. */
export class BrokenNetwork extends BrokenExecutor {}

/** One worker and both ends of its line. */
export class Line implements WorkerChannel {
  readonly claims: SharedArrayBuffer | undefined;
  /** Whether the worker lives. */
  alive = true;
  /** Whether the parent knows that it does not. */
  closed = false;
  keptAlive = true;
  endedBy: "stop" | "terminate" | "kill" | undefined;
  /** Whether the parent has heard that it is up. */
  up = false;
  readonly #events: ChannelEvents;
  readonly #toParent: (FromWorker | { readonly exit: WorkerExit })[] = [];
  /** Whether the parent has had an answer of it. */
  answered = false;
  readonly #toWorker: (ToWorker | "stop")[] = [];
  readonly #network: Network;
  #end: ((exitCode: number) => void) | undefined;
  #receive!: (message: ToWorker) => void;
  #signalled = false;
  /** The parent has heard nonsense of it, and believes nothing of it any more. */
  #distrusted = false;

  constructor(network: Network, events: ChannelEvents, claims: boolean) {
    this.#network = network;
    this.#events = events;
    if (claims) this.claims = new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT);
    serve({
      place: newPlace(),
      open: (onMessage) => {
        this.#receive = onMessage;
        return {
          send: (message, transfer) => {
            const copy = structuredClone(message, transfer && { transfer });
            if (this.alive) this.#toParent.push(copy);
          },
        };
      },
      clone: structuredClone,
      memory: () => 0,
      excuse() {},
      beforeEnd: (fn) => this.#end = fn,
    });
  }

  send(message: ToWorker, transfer?: Transferable[]): void {
    this.#toWorker.push(structuredClone(message, transfer && { transfer }));
  }

  readonly clone = structuredClone;

  keepAlive(alive: boolean): void {
    this.keptAlive = alive;
  }

  stop(): void {
    this.endedBy ??= "stop";
    this.#toWorker.push("stop");
  }

  terminate(): void {
    this.endedBy ??= "terminate";
    this.#signalled = true;
  }

  kill(): void {
    this.endedBy ??= "kill";
    this.#signalled = true;
  }

  /** What may happen next on this line. `share`, from 0 to 1, says how much of what it has sent survives its death. */
  *deliveries(): Generator<(share: number) => void> {
    if (this.alive && this.#toWorker.length > 0) yield () => this.#deliverToWorker();
    if (this.#toParent.length > 0) yield () => this.#deliverToParent();
    if (this.alive && this.#signalled) yield (share) => this.die({ signal: "SIGKILL" }, share);
  }

  /** The worker is no more: of what it has sent, the first part still arrives. */
  die(exit: WorkerExit, share: number): void {
    if (!this.alive) return;
    this.alive = false;
    this.#toWorker.length = 0;
    this.#toParent.length = Math.round(this.#toParent.length * share);
    this.#toParent.push({ exit });
  }

  /** The worker tells the parent something that makes no sense. */
  babble(): void {
    if (this.alive) this.#toParent.push({ kind: "other" } as never);
  }

  #deliverToWorker(): void {
    this.#network.active = this;
    const message = this.#toWorker.shift()!;
    if (message !== "stop") return this.#receive(message);
    this.#end?.(0);
    this.die({ exitCode: 0 }, 1);
  }

  #deliverToParent(): void {
    const message = this.#toParent.shift()!;
    if ("exit" in message) {
      this.closed = true;
      if (this.endedBy === undefined) this.#network.lost++;
      if (!this.up) this.#network.failedStarts++;
      else if (!this.answered && ++this.#network.useless >= 3) this.#network.hopeless = true;
      return this.#events.onClose(message.exit);
    }
    if (message.kind === "other" as never && this.endedBy === undefined) {
      this.#network.lost++;
      this.#distrusted = true;
    }
    if (message.kind === "ready" && !this.#distrusted) this.up = true;
    if (message.kind === "done" || message.kind === undefined) {
      this.answered = true;
      this.#network.useless = 0;
    }
    this.#events.onMessage(message);
  }
}

/** The lines of one executor. */
export class Network {
  readonly time: VirtualTime = new VirtualTime();
  /** All lines that there ever were. */
  readonly lines: Line[] = [];
  /** The worker that a task, if one runs now, runs in. */
  active: Line | undefined;
  /** Workers that ended without being asked to, or spoke nonsense, as far as the parent has heard. */
  lost = 0;
  /** Workers that ended before they were up, as far as the parent has heard. */
  failedStarts = 0;
  /** Workers that ended without an answer, since the last answer of any; and whether there were three in a row. */
  useless = 0;
  hopeless = false;
  readonly #options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.#options = options;
    // What a worker puts off runs in that worker, if it lives.
    this.time.bind = (fn) => {
      const line = this.active;
      return !line ? fn : () => {
        if (!line.alive) return;
        this.active = line;
        fn();
      };
    };
  }

  /** The backend whose workers these are. */
  get backend(): Backend {
    return {
      name: "Network",
      Broken: BrokenNetwork,
      start: (_name, _limits, events) => {
        const line = new Line(this, events, this.#options.claims);
        if (this.#options.refused?.[this.lines.length]) line.die({ error: new Error("refused") }, 0);
        this.lines.push(line);
        return line;
      },
    };
  }

  /** The workers that the parent takes to be there, or may. */
  get open(): Line[] {
    return this.lines.filter((line) => !line.closed);
  }

  /** The workers that live. */
  get alive(): Line[] {
    return this.lines.filter((line) => line.alive);
  }

  /**
   * Delivers one message, death or turn of an event loop, and waits until it has had its effects.
   *
   * @param choice Which, of those that are under way; any natural number.
   * @returns Whether there was one.
   */
  async deliver(choice: number): Promise<boolean> {
    const deliveries = this.lines.flatMap((line) => [...line.deliveries()]);
    const count = deliveries.length + (this.time.immediates.length > 0 ? 1 : 0);
    if (count === 0) return false;
    const delivery = deliveries[choice % count];
    if (delivery) await this.act(() => delivery((Math.floor(choice / count) % 5) / 4));
    else await this.act(this.time.immediates.shift()!);
    return true;
  }

  /** Does something, and waits until it has had its effects. What it lets run, runs in `active`. */
  async act(fn: () => void, active?: Line): Promise<void> {
    this.active = active;
    fn();
    await turn();
    this.active = undefined;
  }

  /** Runs `fn` in virtual time. */
  async run(fn: () => Promise<void>): Promise<void> {
    this.time.install();
    try {
      await fn();
    } finally {
      this.time.uninstall();
    }
  }
}

/** An executor on a network. */
export class NetworkExecutor extends Executor<ExecutorStats> {
  constructor(network: Network, options: ExecutorOptions) {
    super(new Scheduler(network.backend, options));
  }
}

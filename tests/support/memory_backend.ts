// A third backend: joins the scheduler to the worker loop inside this program, so that most tests start no worker and can
// hold, lose and forge every message. It is also the proof that the scheduler knows no backend.

import type { Backend } from "../../src/pool/backend.ts";
import { BrokenExecutor } from "../../src/future/errors.ts";
import { Executor } from "../../src/executor/executor.ts";
import type { ExecutorStats } from "../../src/executor/stats.ts";
import type { ExecutorOptions } from "../../src/pool/options.ts";
import { Scheduler } from "../../src/pool/scheduler.ts";
import type { ChannelEvents, WorkerChannel, WorkerExit } from "../../src/wire/channel.ts";
import { begin, CALLS_PER_WORKER } from "../../src/wire/claims.ts";
import { type FromWorker, toAnswers, type ToWorker } from "../../src/wire/messages.ts";
import { newPlace } from "../../src/wire/place.ts";
import { serve } from "../../src/worker/main.ts";
import "./invariants.ts";

/** How the workers of a {@linkcode MemoryExecutor} are. */
export interface MemoryOptions {
  /** `true`, the default: with claim words, as threads. `false`: without, as processes. */
  claims?: boolean;
  /** `false`: nobody serves the calls, the test plays the worker with {@linkcode MemoryWorker.say}. */
  served?: boolean;
  /** Bytes of memory that each worker uses. */
  memory?: number;
  /** Called with each worker while it starts. */
  onStart?: (worker: MemoryWorker) => void;
}

export class BrokenMemoryPool extends BrokenExecutor {}

/** One worker, as the scheduler's end of its line, and with what a test may do to it. */
export class MemoryWorker implements WorkerChannel {
  readonly name: string;
  readonly claims: SharedArrayBuffer | undefined;
  /** What the scheduler has sent; kept only when the test plays the worker. */
  readonly inbox: ToWorker[] = [];
  keptAlive = true;
  endedBy: "stop" | "terminate" | "kill" | undefined;
  readonly #events: ChannelEvents;
  #receive: (message: ToWorker) => void = (message) => this.inbox.push(message);
  #held: (() => void)[] | undefined;
  #closed = false;

  constructor(name: string, events: ChannelEvents, { claims = true, served = true, memory = 0 }: MemoryOptions) {
    this.name = name;
    this.#events = events;
    if (claims) this.claims = new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT);
    if (served) {
      serve({
        place: newPlace(),
        open: (onMessage) => {
          this.#receive = onMessage;
          return {
            send: (message, transfer) => {
              const copy = structuredClone(message, transfer && { transfer });
              this.#deliver(() => this.say(copy));
            },
          };
        },
        clone: structuredClone,
        memory: () => memory,
        excuse() {},
        beforeEnd() {},
      });
    }
  }

  send(message: ToWorker, transfer?: Transferable[]): void {
    const copy = structuredClone(message, transfer && { transfer });
    this.#deliver(() => this.#receive(copy));
  }

  readonly clone = structuredClone;

  keepAlive(alive: boolean): void {
    this.keptAlive = alive;
  }

  stop(): void {
    this.#end("stop");
  }

  terminate(): void {
    this.#end("terminate");
  }

  kill(): void {
    this.#end("kill");
  }

  /** Holds back whatever is sent from now on, in both directions, and the worker's end. */
  hold(): void {
    this.#held ??= [];
  }

  /** Delivers what was held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of held) this.#deliver(delivery);
  }

  /** Tells the parent something, as the worker would: anything at all. */
  say(message: FromWorker | unknown): void {
    if (!this.#closed) this.#events.onMessage(message as FromWorker);
  }

  /** The worker is gone, and with it whatever was under way. */
  close(exit: WorkerExit = {}): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.onClose(exit);
  }

  // For a test that plays the worker.

  /** It is up. */
  ready(): void {
    this.say({ kind: "ready" });
  }

  /** Answers calls from `first` on, which took so many milliseconds. */
  done(first: number, results: unknown[], spent = 0): void {
    this.say(toAnswers({ kind: "done", first, results, failures: undefined, spent: spent * 1000, full: false }));
  }

  /** Begins a call; false when it was withdrawn. */
  begin(call: number): boolean {
    return begin(new Int32Array(this.claims!), call);
  }

  /** The arguments of each call that it was handed, in order. */
  get calls(): unknown[][] {
    const calls: unknown[][] = [];
    for (const message of this.inbox) {
      if (message.kind !== undefined && message.kind !== "run") continue;
      const groups = message.kind === undefined ? message : message.calls;
      for (let at = 0; at < groups.length;) {
        const [, arity, count] = groups.slice(at, at += 3) as [number, number, number];
        for (let i = 0; i < count; i++) calls.push(groups.slice(at, at += arity));
      }
    }
    return calls;
  }

  #end(how: "stop" | "terminate" | "kill"): void {
    this.endedBy ??= how;
    this.#deliver(() => this.close({ exitCode: 0 }));
  }

  #deliver(delivery: () => void): void {
    if (this.#held) this.#held.push(delivery);
    else queueMicrotask(() => this.#closed || delivery());
  }
}

/**
 * Makes a backend.
 *
 * @param workers Gets each worker that is started.
 * @param memory How they are.
 * @returns The backend.
 */
export function memoryBackend(workers: MemoryWorker[], memory: MemoryOptions = {}): Backend {
  return {
    name: "MemoryExecutor",
    Broken: BrokenMemoryPool,
    start(name, _limits, events) {
      const worker = new MemoryWorker(name, events, memory);
      workers.push(worker);
      memory.onStart?.(worker);
      return worker;
    },
  };
}

/** Two workers in this very program. */
export class MemoryExecutor extends Executor<ExecutorStats> {
  /** All that were ever started. */
  readonly workers: readonly MemoryWorker[];

  constructor(options: ExecutorOptions = {}, memory: MemoryOptions = {}) {
    const workers: MemoryWorker[] = [];
    super(new Scheduler(memoryBackend(workers, memory), { maxWorkers: 2, ...options }));
    this.workers = workers;
  }
}

/** Waits until every message that is under way was delivered and handled: they all travel by microtasks. */
export function delivered(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

// A third backend, whose workers are in this program. Most tests start no real worker, and can hold, lose and forge every
// message. It also proves that the scheduler knows no backend.

import type { Backend } from "../../src/pool/backend.ts";
import { BrokenExecutor } from "../../src/future/errors.ts";
import { Executor } from "../../src/executor/executor.ts";
import type { ExecutorStats } from "../../src/executor/stats.ts";
import type { ExecutorOptions } from "../../src/pool/options.ts";
import { Scheduler } from "../../src/pool/scheduler.ts";
import { CallReader } from "../../src/wire/calls.ts";
import type { ChannelEvents } from "../../src/wire/channel.ts";
import { toAnswers } from "../../src/wire/messages.ts";
import { valuesOf } from "../../src/wire/sendable.ts";
import { type Delivery, MemoryChannel, type MemoryChannelOptions } from "./memory_channel.ts";

/** What the workers of a {@linkcode MemoryExecutor} are like. */
export interface MemoryOptions extends MemoryChannelOptions {
  /** Called with each worker as it starts. */
  readonly onStart?: (worker: MemoryWorker) => void;
}

export class BrokenMemoryPool extends BrokenExecutor {}

/** A worker whose line delivers by itself: each message by a microtask, in the order in which they were sent. */
export class MemoryWorker extends MemoryChannel {
  #held: Delivery[] | undefined;

  constructor(name: string, events: ChannelEvents, options: MemoryOptions) {
    super(name, events, options, (delivery) => this.#deliver(delivery));
  }

  /** Holds back everything that is sent from now on, in both directions, and the worker's end. */
  hold(): void {
    this.#held ??= [];
  }

  /** Delivers what was held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of held) this.#deliver(delivery);
  }

  // --- for a test that plays the worker

  /** Says that the worker is up. */
  ready(): void {
    this.say({ kind: "ready" });
  }

  /** Answers calls from `first` on, which took `spent` milliseconds together. */
  done(first: number, results: unknown[], spent = 0): void {
    this.say(toAnswers({ kind: "done", first, results, failures: undefined, spent: spent * 1000, full: false }));
  }

  /** Begins a call. Returns false when it was withdrawn. */
  begin(call: number): boolean {
    return this.claimsOfWorker!.begin(call, undefined);
  }

  /** The arguments of each call that was handed over, in order. */
  get calls(): unknown[][] {
    const calls: unknown[][] = [], reader = new CallReader();
    for (const message of this.inbox) {
      reader.read([...valuesOf(message) ?? []]);
      while (reader.next()) calls.push(reader.takeAll());
    }
    return calls;
  }

  /** A share of 0: what a worker sent before a signal has arrived by then, and no more does. */
  #deliver(delivery: Delivery): void {
    if (this.#held) this.#held.push(delivery);
    else queueMicrotask(() => delivery.run(0));
  }
}

/**
 * Makes a backend.
 *
 * @param workers Gets each worker that is started.
 * @param memory What they are like.
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

/** An executor whose workers, two by default, are in this program. */
export class MemoryExecutor extends Executor<ExecutorStats> {
  /** All workers that were ever started. */
  readonly workers: readonly MemoryWorker[];

  constructor(options: ExecutorOptions = {}, memory: MemoryOptions = {}) {
    const workers: MemoryWorker[] = [];
    super(new Scheduler(memoryBackend(workers, memory), { maxWorkers: 2, ...options }));
    this.workers = workers;
  }
}

/** Resolves when every message that is under way has been delivered and handled, as all travel by microtasks. */
export function delivered(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

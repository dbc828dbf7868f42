// Workers in this program, on whose lines nothing moves by itself. A random run says which message of which worker is
// delivered next, and which worker dies. tests/support/memory_backend.ts uses the same lines and delivers by itself.

import type { Backend } from "../../src/pool/backend.ts";
import { BrokenExecutor } from "../../src/future/errors.ts";
import { Executor } from "../../src/executor/executor.ts";
import type { ExecutorStats } from "../../src/executor/stats.ts";
import type { ExecutorOptions } from "../../src/pool/options.ts";
import { Scheduler } from "../../src/pool/scheduler.ts";
import type { FromWorker } from "../../src/wire/messages.ts";
import { type ClaimsKind, MemoryChannel } from "../support/memory_channel.ts";
import { turn, VirtualTime } from "./virtual_time.ts";

/** What the workers of a network are like. */
export interface NetworkOptions {
  readonly claims: ClaimsKind;
  /** Whether the n-th worker is refused when it starts. */
  readonly refused?: readonly boolean[];
}

/** The error of a broken executor. */
export class BrokenNetwork extends BrokenExecutor {}

/** A worker, and what the executor has heard of it. */
export class Line extends MemoryChannel {
  /** Whether the executor has heard that it is up. */
  up = false;
  /** Whether the executor has had an answer from it. */
  answered = false;
  /** Whether the executor has had a malformed message from it, and ignores it since. */
  distrusted = false;
}

/** The workers of one executor, and their lines. */
export class Network {
  readonly time: VirtualTime = new VirtualTime();
  /** The lines of all workers that were ever started. */
  readonly lines: Line[] = [];
  /** The worker whose code runs now, if any. */
  active: Line | undefined;
  /** How many workers have ended unasked or sent nonsense, as far as the executor has heard. */
  lost = 0;
  /** How many workers have ended before they were up, as far as the executor has heard. */
  failedStarts = 0;
  /** How many workers in a row have ended without an answer, and whether there were ever three. */
  useless = 0;
  hopeless = false;
  readonly #options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.#options = options;
    // A callback of setImmediate() runs in the worker that set it, unless that is dead.
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
      start: (name, _limits, events) => {
        const line: Line = new Line(name, {
          onMessage: (message) => {
            this.#hear(line, message);
            events.onMessage(message);
          },
          onClose: (exit) => {
            this.#lose(line);
            events.onClose(exit);
          },
        }, { claims: this.#options.claims });
        if (this.#options.refused?.[this.lines.length]) line.die({ error: new Error("refused") }, 0);
        this.lines.push(line);
        return line;
      },
    };
  }

  /** The lines that the executor does not know to be closed. */
  get open(): Line[] {
    return this.lines.filter((line) => !line.closed);
  }

  /** The lines of workers that live. */
  get alive(): Line[] {
    return this.lines.filter((line) => line.alive);
  }

  /**
   * Delivers one message, death or callback of setImmediate(), and waits for its effects.
   *
   * @param choice Any natural number, which chooses among those that are possible.
   * @returns Whether there was one.
   */
  async deliver(choice: number): Promise<boolean> {
    const deliveries = this.lines.flatMap((line) => [...line.deliveries()].map((delivery) => ({ line, delivery })));
    const count = deliveries.length + (this.time.immediates.length > 0 ? 1 : 0);
    if (count === 0) return false;
    const chosen = deliveries[choice % count];
    if (chosen) {
      const { line, delivery: { to, run } } = chosen;
      await this.act(() => run((Math.floor(choice / count) % 5) / 4), to === "worker" ? line : undefined);
    } else {
      await turn(); // an event loop runs no callback of setImmediate() before the microtasks
      await this.act(this.time.immediates.shift()!);
    }
    return true;
  }

  /** Does something in the worker `active`, or in the parent, and waits for its effects. */
  async act(fn: () => void, active?: Line): Promise<void> {
    this.active = active;
    fn();
    await turn();
    this.active = undefined;
  }

  /** Notes what the executor hears of a worker. */
  #hear(line: Line, message: FromWorker): void {
    if (message.kind === "other" as never && line.endedBy === undefined) {
      this.lost++;
      line.distrusted = true;
    }
    if (message.kind === "ready" && !line.distrusted) line.up = true;
    if (message.kind === "done" || message.kind === undefined) {
      line.answered = true;
      this.useless = 0;
    }
  }

  /** Notes that the executor hears of a worker's end. */
  #lose(line: Line): void {
    if (line.endedBy === undefined) this.lost++;
    if (!line.up) this.failedStarts++;
    else if (!line.answered && ++this.useless >= 3) this.hopeless = true;
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

// Workers in this very program, on whose lines nothing moves until it is told to: a random run says which message, of which
// worker, is delivered next, and which worker dies of what is under way. memory_backend.ts is the other use of these lines.

import type { Backend } from "../../src/pool/backend.ts";
import { BrokenExecutor } from "../../src/future/errors.ts";
import { Executor } from "../../src/executor/executor.ts";
import type { ExecutorOptions } from "../../src/pool/options.ts";
import { Scheduler } from "../../src/pool/scheduler.ts";
import type { FromWorker } from "../../src/wire/messages.ts";
import { MemoryChannel } from "../support/memory_channel.ts";
import { turn, VirtualTime } from "./virtual_time.ts";

/** What the workers of a network are like. */
export interface NetworkOptions {
  /** `true`: with claim words, as threads. `false`: without, as processes. */
  readonly claims: boolean;
  /** Which workers are refused at their start: the n-th that is started, when the n-th is `true`. */
  readonly refused?: readonly boolean[];
}

/** What a broken executor rejects with. */
export class BrokenNetwork extends BrokenExecutor {}

/** A worker, and what the executor has heard of it. */
export class Line extends MemoryChannel {
  /** Whether the executor has heard that it is up. */
  up = false;
  /** Whether the executor has had an answer of it. */
  answered = false;
  /** Whether the executor has heard nonsense of it, and believes nothing of it any more. */
  distrusted = false;
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
    const deliveries = this.lines.flatMap((line) => [...line.deliveries()].map((delivery) => ({ line, delivery })));
    const count = deliveries.length + (this.time.immediates.length > 0 ? 1 : 0);
    if (count === 0) return false;
    const chosen = deliveries[choice % count];
    if (chosen) {
      const { line, delivery: { to, run } } = chosen;
      await this.act(() => run((Math.floor(choice / count) % 5) / 4), to === "worker" ? line : undefined);
    } else await this.act(this.time.immediates.shift()!);
    return true;
  }

  /** Does something, and waits until it has had its effects. What it lets run, runs in `active`. */
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
export class NetworkExecutor extends Executor {
  constructor(network: Network, options: ExecutorOptions) {
    super(new Scheduler(network.backend, options));
  }
}

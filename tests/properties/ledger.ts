// The tasks of random runs, and a record of them that is independent of the executor: which call has begun, in which
// worker, how often. Tasks also ask it what to do next: to hold, or to die. The workers of network.ts share this
// program's global scope, where inline tasks find the ledger. Runs with real workers note their begins in a file instead,
// which outlives a worker (tests/support/entry_counts.ts and the ledger of the stress runs).

import { assert, fail } from "@std/assert";
import type { Line, Network } from "./network.ts";
import { turn } from "./virtual_time.ts";

declare global {
  var ledger: Ledger;
}

/** More deliveries than any run needs. A run that takes more never ends. */
const ENDLESS = 20_000;

/** The record of a run. */
export class Ledger {
  /** The calls in the order in which they began. One that was run again is listed again. */
  readonly begun: number[] = [];
  /** The worker in which each call began last. */
  readonly lines: Map<number, Line> = new Map();
  readonly #network: Network;
  readonly #runs = new Map<number, number>();
  readonly #held = new Map<number, { readonly line: Line; readonly open: () => void }>();

  /** Makes a record, to which the tasks write from now on. */
  constructor(network: Network) {
    this.#network = network;
    globalThis.ledger = this;
  }

  /** How often a call has begun. */
  runs(call: number): number {
    return this.#runs.get(call) ?? 0;
  }

  /** The calls that are held in living workers. */
  get held(): number[] {
    return [...this.#held].filter(([, { line }]) => line.alive).map(([call]) => call);
  }

  /** Lets a held call go on. */
  async open(call: number): Promise<void> {
    const { line, open } = this.#held.get(call)!;
    this.#held.delete(call);
    await this.#network.act(open, line);
  }

  /**
   * Delivers everything, lets every call end and all time pass.
   *
   * @param onQuiet Called whenever nothing is under way.
   */
  async finish(onQuiet: () => void = () => {}): Promise<void> {
    await turn();
    for (let n = 0; n < ENDLESS; n++) {
      if (await this.#network.deliver(n)) continue;
      onQuiet();
      const [held] = this.held;
      if (held !== undefined) await this.open(held);
      else if (!await this.#network.time.fireNext()) return;
    }
    fail("it never ends");
  }

  /** For tasks: notes that a call begins, and spends `ms` milliseconds. */
  begin(call: number, ms = 0): number {
    assert(this.#network.active?.alive, `call ${call} runs, and in no worker`);
    this.#runs.set(call, this.runs(call) + 1);
    this.begun.push(call);
    this.lines.set(call, this.#network.active);
    this.#network.time.spend(ms);
    return call;
  }

  /** For tasks: waits for {@linkcode Ledger.open}. */
  hold(call: number): Promise<void> {
    const line = this.#network.active!;
    return new Promise((open) => this.#held.set(call, { line, open }));
  }

  /** For tasks: ends the worker. */
  die(share: number): Promise<never> {
    this.#network.active!.die({ exitCode: 9 }, share);
    return new Promise(() => {});
  }
}

/** A task of random runs. */
export interface LedgerTask {
  readonly fn: (call: number) => unknown;
  /** The value that it returns, or the message of the error that it throws. */
  readonly ends: (call: number) => { readonly value: unknown } | { readonly error: string };
}

const returned = (call: number) => ({ value: call });
const thrown = (call: number) => ({ error: `call ${call}` });

/** Tasks that return or throw. */
export const TASKS = {
  instant: { fn: (call) => ledger.begin(call), ends: returned },
  short: { fn: (call) => ledger.begin(call, 0.1), ends: returned },
  long: { fn: (call) => ledger.begin(call, 10), ends: returned },
  boxed: { fn: (call) => ({ call: ledger.begin(call, 0.2) }), ends: (call) => ({ value: { call } }) },
  bimodal: { fn: (call) => ledger.begin(call, call % 5 === 0 ? 30 : 0.05), ends: returned },
  growing: { fn: (call) => ledger.begin(call, 0.01 * 1.5 ** (ledger.begun.length % 20)), ends: returned },
  /** Quick until many are handed ahead, then long as often. */
  adversarial: { fn: (call) => ledger.begin(call, ledger.begun.length % 60 < 50 ? 0.01 : 25), ends: returned },
  later: {
    fn: async (call) => {
      ledger.begin(call);
      await null;
      return call;
    },
    ends: returned,
  },
  held: {
    fn: async (call) => {
      await ledger.hold(ledger.begin(call));
      return call;
    },
    ends: returned,
  },
  throwing: {
    fn: (call) => {
      throw new RangeError(`call ${ledger.begin(call)}`);
    },
    ends: thrown,
  },
  rejecting: {
    fn: async (call) => {
      ledger.begin(call, 3);
      await null;
      throw new RangeError(`call ${call}`);
    },
    ends: thrown,
  },
} as const satisfies Record<string, LedgerTask>;

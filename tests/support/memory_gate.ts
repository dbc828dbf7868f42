// A task that waits until the test lets it go on. Only for memory_backend.ts, whose workers share the test's modules.

import { task } from "../../src/task/task.ts";

interface Deferred {
  readonly promise: Promise<unknown>;
  readonly resolve: (value?: unknown) => void;
}

const gates = new Map<string, MemoryGate>();

/** A gate at which calls of {@linkcode pass} wait. */
export class MemoryGate {
  readonly name: string = `gate ${gates.size}`;
  /** How many calls have arrived. */
  arrived = 0;
  readonly #first: Deferred = deferred();
  readonly #opened: Deferred = deferred();

  constructor() {
    gates.set(this.name, this);
  }

  /** Resolves when the first call has arrived. */
  get reached(): Promise<unknown> {
    return this.#first.promise;
  }

  /** Lets all calls go on. */
  open(): void {
    this.#opened.resolve();
  }

  /** Counts a call of {@linkcode pass}, and waits until the gate is open. */
  async wait(): Promise<void> {
    this.arrived++;
    this.#first.resolve();
    await this.#opened.promise;
  }
}

/** Waits at a gate, then returns `value`. */
export const pass = task(import.meta.url, async function pass<T>(gate: string, value: T): Promise<T> {
  await gates.get(gate)!.wait();
  return value;
});

function deferred(): Deferred {
  let resolve!: (value?: unknown) => void;
  return { promise: new Promise((done) => resolve = done), resolve };
}

// A random map() on a network, and what must be true of it: what its iterator gives, what it reads, what it runs.

import assert from "node:assert/strict";
import {
  BrokenExecutor,
  type Executor,
  type Future,
  type MapIterator,
  QueueFullError,
  ShutdownError,
  TimeoutError,
} from "../mod.ts";
import { Ledger, TASKS } from "./ledger.ts";
import type { MapPlan, MapStep } from "./map_plan.ts";
import { Network, NetworkExecutor } from "./network.ts";
import { turn } from "./virtual_time.ts";

/** What next() has come to. */
type Given =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "end" };

declare global {
  // What the tasks of a MapWorld find in the global scope.
  var perform: (item: number, other?: number) => unknown;
}

/** The first of the calls that are none of the map's. */
const OTHER_CALLS = 1000;
const INPUT_ERROR = new Error("input");
const ABORT_REASON = new Error("abort");

/** One run of a plan. */
export class MapWorld {
  readonly #plan: MapPlan;
  readonly #network: Network;
  readonly #ledger: Ledger;
  readonly #executor: Executor;
  readonly #abort = new AbortController();
  /** What next() has given, in the order in which it was called, as far as it has. */
  readonly #given: (Given | undefined)[] = [];
  readonly #others: Future<unknown>[] = [];
  /** How many items come, and whether an error comes after them. */
  readonly #length: number;
  readonly #inputFails: boolean;
  #results: MapIterator<unknown> | undefined;
  /** Items that were read from the last input. */
  #pulled = 0;
  #input: "unread" | "open" | "ended" | "failed" | "closed" = "unread";
  #returned = false;
  #shutDown = false;
  #mortal = false;
  #deadline = Infinity;
  /** How many items had begun when the iteration was over. */
  #begunAtEnd: number | undefined;

  constructor(plan: MapPlan) {
    const { claims, maxWorkers, maxQueue, items, second = Infinity, failsAt = Infinity } = plan;
    this.#plan = plan;
    this.#network = new Network({ claims });
    this.#ledger = new Ledger(this.#network);
    this.#executor = new NetworkExecutor(this.#network, {
      maxWorkers,
      ...(maxQueue === undefined ? {} : { maxQueue }),
      onUnobserved() {},
    });
    this.#length = Math.min(items.length, second, failsAt);
    this.#inputFails = failsAt < Math.min(items.length, second);
    globalThis.perform = (item, other) => this.#perform(item, other);
  }

  /** Runs the plan to its end, and checks everything. */
  run(): Promise<void> {
    return this.#network.run(async () => {
      this.#map();
      for (const step of this.#plan.steps) {
        await this.#take(step);
        this.#checkStep();
      }
      await this.#finish();
      this.#checkGiven();
      this.#checkRuns();
      void this.#executor.shutdown();
      await this.#finish();
      assert.deepEqual([this.#executor.stats().workers, this.#network.open.length, this.#network.time.timers], [
        0,
        0,
        0,
      ]);
    });
  }

  #map(): void {
    const { async, second, chunksize, buffersize, ordered, settled, timeout, items } = this.#plan;
    const options = {
      ...(chunksize === undefined ? {} : { chunksize }),
      ...(buffersize === undefined ? {} : { buffersize }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(ordered ? {} : { ordered }),
      ...(settled ? { settled } : {}),
      signal: this.#abort.signal,
    };
    this.#deadline = performance.now() + (timeout ?? Infinity);
    const ids = items.keys();
    try {
      if (second === undefined) {
        this.#results = this.#executor.map(
          (item: number) => perform(item),
          async ? this.#later(ids) : this.#read(ids),
          options,
        );
      } else {
        const others = Array.from({ length: second }, (_, n) => n * 10).values();
        const fn = (item: number, other: number) => perform(item, other);
        this.#results = this.#executor.map(fn, ids, async ? this.#later(others) : this.#read(others), options);
      }
    } catch (error) {
      assert.equal(error, INPUT_ERROR);
      assert.equal(
        this.#mustThrow || this.#length === 0 || this.#plan.maxQueue !== undefined,
        true,
        "map() throws too early",
      );
      this.#begunAtEnd = 0;
    }
    assert.ok(!this.#mustThrow || !this.#results, "map() does not throw the error of its input");
    this.#checkRead();
    if (!async) this.#checkFilled();
  }

  /** Everything is read at the call, so that the error of the input is met there. */
  get #mustThrow(): boolean {
    const { async, buffersize, maxQueue } = this.#plan;
    return this.#inputFails && !async && buffersize === undefined && maxQueue === undefined;
  }

  *#read(values: Iterable<number>): Generator<number> {
    this.#input = "open";
    try {
      for (const value of values) {
        if (this.#pulled === this.#plan.failsAt) {
          this.#input = "failed";
          throw INPUT_ERROR;
        }
        this.#pulled++;
        yield value;
      }
      this.#input = "ended";
    } finally {
      if (this.#input === "open") this.#input = "closed";
    }
  }

  async *#later(values: Iterable<number>): AsyncGenerator<number> {
    for (const value of this.#read(values)) {
      await null;
      yield value;
    }
  }

  #perform(item: number, other?: number): unknown {
    const kind = this.#plan.items[item], value = this.#valueOf(item, other);
    this.#ledger.begin(item, kind === "long" ? 10 : 0.1);
    if (kind === "throws") throw new RangeError(`item ${item}`);
    if (kind === "rejects") return Promise.reject(new RangeError(`item ${item}`));
    if (kind === "held") return this.#ledger.hold(item).then(() => value);
    return kind === "later" ? Promise.resolve(value) : value;
  }

  #valueOf(item: number, other = this.#plan.second === undefined ? undefined : item * 10): unknown {
    return other === undefined ? item : [item, other];
  }

  #fails(item: number): boolean {
    return this.#plan.items[item] === "throws" || this.#plan.items[item] === "rejects";
  }

  async #take(step: MapStep): Promise<void> {
    switch (step.kind) {
      case "deliver":
        for (const choice of step.choices) await this.#network.deliver(choice);
        return;
      case "open": {
        const { held } = this.#ledger;
        if (held.length > 0) await this.#ledger.open(held[step.choice % held.length]!);
        return;
      }
      case "next":
        for (let n = 0; n < step.count; n++) this.#next();
        return turn();
      case "return":
        this.#returned = true;
        if (this.#results) assert.deepEqual(await this.#results.return(), { value: undefined, done: true });
        this.#begunAtEnd ??= this.#begun;
        return turn();
      case "abort":
        this.#abort.abort(ABORT_REASON);
        this.#begunAtEnd ??= this.#begun;
        return turn();
      case "shutdown":
        this.#shutDown = true;
        void this.#executor.shutdown();
        return turn();
      case "submit":
        this.#submit();
        return turn();
      case "advance":
        return this.#network.time.advance(step.ms);
      case "die": {
        const { alive } = this.#network;
        this.#mortal = true;
        if (alive.length > 0) alive[step.choice % alive.length]!.die({ exitCode: 7 }, step.share);
        return;
      }
    }
  }

  /** Submits a call beside the map. */
  #submit(): void {
    try {
      this.#others.push(this.#executor.submit(TASKS.short.fn, OTHER_CALLS + this.#others.length));
    } catch (error) {
      if (error instanceof ShutdownError) assert.ok(this.#shutDown);
      else if (error instanceof QueueFullError) assert.ok(this.#plan.maxQueue !== undefined);
      else assert.ok(error instanceof BrokenExecutor && this.#mortal, String(error));
    }
  }

  #next(): void {
    const place = this.#given.push(undefined) - 1;
    const settle = (given: Given) => {
      assert.ok(place === 0 || this.#given[place - 1], "a later next() is served first");
      this.#given[place] = given;
      if (given.kind !== "value") this.#begunAtEnd ??= this.#begun;
    };
    this.#results?.next().then(
      ({ done, value }) => settle(done ? { kind: "end" } : { kind: "value", value }),
      (error) => settle({ kind: "error", error }),
    );
  }

  get #begun(): number {
    return this.#ledger.begun.filter((call) => call < OTHER_CALLS).length;
  }

  /** How many results were given. */
  get #taken(): number {
    return this.#given.filter((given) => given?.kind === "value").length;
  }

  /** Takes all results, and lets everything end. */
  async #finish(): Promise<void> {
    await this.#ledger.finish(() => this.#checkStep());
    while (this.#results && this.#given.at(-1)?.kind !== "end") {
      this.#checkFilled();
      this.#next();
      await this.#ledger.finish(() => this.#checkStep());
      assert.ok(this.#given.at(-1), "next() is never answered");
    }
    this.#checkStep();
  }

  // --- what holds after each step

  #checkStep(): void {
    this.#checkRead();
    if (this.#begunAtEnd !== undefined && this.#plan.claims) {
      assert.equal(this.#begun, this.#begunAtEnd, "an item begins after the iteration was over");
    }
  }

  get #capacity(): number {
    return (this.#plan.buffersize ?? Infinity) * (this.#plan.chunksize ?? 1);
  }

  #checkRead(): void {
    const errors = this.#given.filter((given) => given?.kind === "error").length;
    assert.ok(this.#pulled <= this.#taken + errors + this.#capacity, `${this.#pulled} items are read`);
    const { maxQueue = Infinity, chunksize = 1 } = this.#plan;
    // As long as no worker is up, all wait. An executor that takes nothing any more holds nobody up.
    const waiting = !this.#shutDown && !this.#mortal && this.#network.lines.every((line) => !line.up);
    if (waiting) assert.ok(this.#pulled < maxQueue + chunksize, `${this.#pulled} items wait`);
  }

  /** As much is read as may be: whatever there is to do has been done. */
  #checkFilled(): void {
    if (this.#begunAtEnd !== undefined || this.#shutDown || this.#plan.maxQueue !== undefined) return;
    assert.equal(this.#pulled, Math.min(this.#length, this.#taken + this.#capacity));
  }

  // --- what holds in the end

  #checkGiven(): void {
    if (!this.#results) return;
    const given = this.#given as Given[];
    const values = given.flatMap((given) => given.kind === "value" ? [given.value] : []);
    const kinds = given.map(({ kind }) => kind[0]).join("");
    assert.match(kinds, /^v*e?(?:e)*$/, "values, then an error or not, then the end");
    const errors = given.flatMap((given) => given.kind === "error" ? [given.error] : []);
    assert.ok(errors.length <= 1);
    const items = this.#plan.ordered ? values.map((_, n) => n) : values.map((value) => this.#itemOf(value));
    const known = items.filter((item) => !Number.isNaN(item));
    assert.equal(new Set(known).size, known.length, "an item comes twice");
    values.forEach((value, n) => this.#checkValue(items[n]!, value));
    if (errors.length > 0) this.#checkError(errors[0], items);
    else if (!this.#returned) {
      assert.equal(values.length, this.#length, "it ends too early");
      assert.equal(this.#inputFails, false);
    }
  }

  /** The item that an unordered result is of; NaN, when it was not run to its end. */
  #itemOf(value: unknown): number {
    if (!this.#plan.settled) return this.#plan.second === undefined ? value as number : (value as number[])[0]!;
    const outcome = value as PromiseSettledResult<unknown>;
    if (outcome.status === "fulfilled") {
      return this.#plan.second === undefined ? outcome.value as number : (outcome.value as number[])[0]!;
    }
    return Number(/^item (\d+)$/.exec(outcome.reason.message)?.[1] ?? NaN);
  }

  #checkValue(item: number, value: unknown): void {
    if (!this.#plan.settled) {
      assert.equal(this.#fails(item), false);
      assert.deepEqual(value, this.#valueOf(item));
      return;
    }
    const outcome = value as PromiseSettledResult<unknown>;
    if (outcome.status === "fulfilled") assert.deepEqual(outcome.value, this.#valueOf(item));
    else if (this.#mortal && outcome.reason instanceof BrokenExecutor) return;
    assert.equal(outcome.status, this.#fails(item) ? "rejected" : "fulfilled");
    if (outcome.status === "rejected") assert.equal(outcome.reason.message, `item ${item}`);
  }

  #checkError(error: unknown, items: readonly number[]): void {
    const all = items.length === this.#length;
    if (error === ABORT_REASON) assert.ok(this.#abort.signal.aborted);
    else if (error === INPUT_ERROR) {
      // What was read when nothing is taken any more is not submitted.
      assert.ok(this.#inputFails && (all || this.#shutDown || this.#mortal), "the input's error comes before results");
    } else if (error instanceof TimeoutError) assert.ok(performance.now() >= this.#deadline);
    else if (error instanceof ShutdownError) assert.ok(this.#shutDown);
    else if (error instanceof BrokenExecutor) assert.ok(this.#mortal);
    else {
      const item = Number(/^item (\d+)$/.exec((error as Error).message)?.[1]);
      assert.ok(this.#fails(item) && !this.#plan.settled, String(error));
      if (this.#plan.ordered) assert.equal(item, items.length, "an error comes at another item's place");
      else assert.equal(items.includes(item), false);
    }
  }

  #checkRuns(): void {
    const items = this.#plan.items.map((_, item) => this.#ledger.runs(item));
    assert.ok(items.every((runs) => runs <= 1), "an item ran twice");
    assert.ok(this.#begun <= this.#pulled);
    this.#checkChunks();
    assert.notEqual(this.#input, "open", "the input is not closed");
    const { completed, failed, cancelled, queued, running } = this.#executor.stats();
    assert.deepEqual([queued, running], [0, 0]);
    const ended = completed + failed + cancelled - this.#others.length;
    assert.ok(
      this.#begun <= ended && ended <= this.#pulled,
      `${ended} calls have ended, ${this.#pulled} items were read`,
    );
    // The rest was cancelled. Of what a process that died was handed, nobody knows.
    if (!this.#mortal) assert.equal(cancelled, ended - this.#begun);
    this.#others.forEach((other, n) => {
      const { outcome } = other;
      if (this.#mortal && outcome?.status === "rejected") assert.ok(outcome.reason instanceof BrokenExecutor);
      else assert.deepEqual(outcome, { status: "fulfilled", value: OTHER_CALLS + n });
    });
  }

  /** Each chunk is run by one worker. */
  #checkChunks(): void {
    const { chunksize = 1, items } = this.#plan;
    if (this.#mortal) return;
    for (let first = 0; first < items.length; first += chunksize) {
      const lines = [...items.keys()].slice(first, first + chunksize).map((item) => this.#ledger.lines.get(item));
      assert.ok(new Set(lines.filter((line) => line !== undefined)).size <= 1, "a chunk is run by several workers");
    }
  }
}

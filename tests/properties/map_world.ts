// Runs a plan of a random map() on a network, and checks what its iterator gives, what it reads and what it runs. It has an
// oracle of its own, apart from tests/support/outcome.ts: an iteration ends once for all its calls.

import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import {
  BrokenExecutor,
  CancelledError,
  type Executor,
  type ExecutorStats,
  type Future,
  type MapIterator,
  QueueFullError,
  ShutdownError,
  TimeoutError,
  WorkerLostError,
} from "../../mod.ts";
import { Mapping } from "../../src/executor/map.ts";
import { Ledger, TASKS } from "./ledger.ts";
import type { DeedKind, DeedPlace, MapPlan, MapStep } from "./map_plan.ts";
import { Network, NetworkExecutor } from "./network.ts";
import { takeNetworkStep } from "./network_steps.ts";
import { INPUT_ERROR, TrackedInput } from "./tracked_input.ts";
import { turn } from "./virtual_time.ts";

/** The result of a next(). */
type Given =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "end" };

declare global {
  // Tasks of a MapWorld find this in the global scope.
  var perform: (item: unknown, other?: number) => unknown;
}

/** The number of the first call that is not of the map. */
const OTHER_CALLS = 1000;
const ABORT_REASON = new Error("abort");

/** One run of a plan. */
export class MapWorld {
  readonly #plan: MapPlan;
  readonly #network: Network;
  readonly #ledger: Ledger;
  readonly #executor: Executor<ExecutorStats>;
  readonly #abort = new AbortController();
  /** The results of next(), in the order of the calls; `undefined` while there is none. */
  readonly #given: (Given | undefined)[] = [];
  /** Calls submitted beside the map, by number. */
  readonly #others = new Map<number, Future<unknown>>();
  #nextOther = OTHER_CALLS;
  /** How many items the inputs give, and whether they fail then. */
  readonly #length: number;
  readonly #inputFails: boolean;
  #results: MapIterator<unknown> | undefined;
  /** The inputs. The last is read last, so its items count. */
  #inputs: TrackedInput<unknown>[] = [];
  readonly #done = new Set<unknown>();
  #returned = false;
  #shutDown = false;
  #cancelled = false;
  #mortal = false;
  /** How many items were read after the shutdown. One may be, as map() fails only if there is an item left. */
  #readInVain = 0;
  /** How many calls of user code run inside the library. */
  #within = 0;
  /** What user code has found wrong. It must not throw into the library, so it is thrown after the step. */
  readonly #wrong: unknown[] = [];
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
    globalThis.perform = (item, other) => this.#perform(item as number | { id: number }, other);
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
      assertEquals([this.#executor.stats().workers, this.#network.open.length, this.#network.time.timers], [
        0,
        0,
        0,
      ]);
    });
  }

  #map(): void {
    const {
      pace,
      firstPace,
      configured,
      second,
      chunksize,
      buffersize,
      ordered,
      settled,
      timeout,
      items,
      failsAt,
      closeThrows,
    } = this.#plan;
    const options = {
      ...(chunksize === undefined ? {} : { chunksize }),
      ...(buffersize === undefined ? {} : { buffersize }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(ordered ? {} : { ordered }),
      ...(settled ? { settled } : {}),
      signal: this.#abort.signal,
    };
    this.#deadline = performance.now() + (timeout ?? Infinity);
    const executor = configured ? this.#executor.with({ priority: 1 }) : this.#executor;
    const ids = items.map((_, item) => this.#itemAt(item));
    const onReturn = () => this.#runUserCode("return", 0);
    const last = { pace, failsAt, closeThrows, onReturn, onNext: (place: number) => this.#runUserCode("next", place) };
    try {
      if (second === undefined) {
        const [input] = this.#inputs = [new TrackedInput<unknown>(ids, last)];
        this.#results = executor.map((item: unknown) => perform(item), input!.iterable, options);
      } else {
        const others = Array.from({ length: second }, (_, n) => n * 10);
        const onNext = (place: number) => this.#runUserCode("first", place);
        const first = { pace: firstPace, closeThrows, onReturn, onNext };
        this.#inputs = [new TrackedInput(ids, first), new TrackedInput<unknown>(others, last)];
        const [one, other] = this.#inputs.map(({ iterable }) => iterable);
        const fn = (item: unknown, other: number) => perform(item, other);
        this.#results = executor.map(fn, one!, other as Iterable<number>, options);
      }
    } catch (error) {
      if (error instanceof ShutdownError) assert(this.#shutDown);
      else assertStrictEquals(error, INPUT_ERROR);
      assertEquals(
        this.#mustThrow || this.#length === 0 || this.#plan.maxQueue !== undefined || this.#shutDown,
        true,
        "map() throws too early",
      );
      this.#begunAtEnd = 0;
    }
    assert(!this.#mustThrow || this.#disturbed || !this.#results, "map() does not throw the error of its input");
    this.#checkRead();
    if (!this.#isAsync) this.#checkFilled();
  }

  /** The value that is mapped for an item. */
  #itemAt(item: number): unknown {
    if (this.#plan.items[item] === "unsendable") return () => item;
    if (this.#plan.items[item] !== "getter") return item;
    const get = () => (this.#runUserCode("getter", item), item);
    return {
      get id() {
        return get();
      },
    };
  }

  /** Whether map() itself must throw the error of the input, as it reads everything at once. */
  get #mustThrow(): boolean {
    const { buffersize, maxQueue } = this.#plan;
    return this.#inputFails && !this.#isAsync && buffersize === undefined && maxQueue === undefined;
  }

  get #isAsync(): boolean {
    const { pace, firstPace, second } = this.#plan;
    return pace !== undefined || (second !== undefined && firstPace !== undefined);
  }

  /** Whether something has been done from outside that ends the iteration, or may. */
  get #disturbed(): boolean {
    return this.#returned || this.#shutDown || this.#abort.signal.aborted;
  }

  /** Runs user code that the library calls. */
  #runUserCode(where: DeedPlace, at: number): void {
    this.#within++;
    try {
      if (where === "next" && this.#shutDown) {
        assert(!this.#readInVain++, "it is read on when nothing is taken any more");
      }
      this.#checkConsistent();
      for (const deed of this.#plan.deeds) {
        if (deed.where !== where || (where !== "return" && deed.at !== at) || this.#done.has(deed)) continue;
        this.#done.add(deed);
        this.#do(deed.kind);
        this.#checkConsistent();
      }
    } catch (error) {
      this.#wrong.push(error);
    }
    this.#within--;
  }

  #checkConsistent(): void {
    if (this.#results) Mapping.assertInvariants(this.#results);
  }

  #do(kind: DeedKind): void {
    switch (kind) {
      case "return":
        if (!this.#results) return; // map() has not returned yet
        this.#returned = true;
        void this.#results.return();
        break;
      case "abort":
        this.#abort.abort(ABORT_REASON);
        break;
      case "next":
        if (this.#results) this.#next();
        return;
      case "submit":
        return this.#submit();
      case "shutdown":
        this.#shutDown = true;
        return void this.#executor.shutdown();
      case "cancel":
        this.#shutDown = this.#cancelled = true;
        return void this.#executor.shutdown({ cancelFutures: true });
      case "kill":
        this.#shutDown = this.#cancelled = this.#mortal = true;
        return this.#executor.killWorkers();
    }
    this.#begunAtEnd ??= this.#begun;
  }

  #perform(given: number | { id: number }, other?: number): unknown {
    const item = typeof given === "number" ? given : given.id;
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
    return ["throws", "rejects", "unsendable"].includes(this.#plan.items[item]!);
  }

  /** Whether an error is that of an item. */
  #isErrorOf(item: number, error: unknown): boolean {
    if (this.#plan.items[item] === "unsendable") return (error as Error).name === "DataCloneError";
    return this.#fails(item) && (error as Error).message === `item ${item}`;
  }

  async #take(step: MapStep): Promise<void> {
    switch (step.kind) {
      case "next":
        for (let n = 0; n < step.count; n++) this.#next();
        return turn();
      case "return":
      case "abort":
      case "shutdown":
      case "cancel":
      case "kill":
        this.#do(step.kind);
        return turn();
      case "give":
        this.#give();
        return turn();
      case "submit":
        this.#submit();
        return turn();
      case "die":
        this.#mortal = true;
    }
    await takeNetworkStep(step, this.#network, this.#ledger);
  }

  /** Lets a slow input give the item that it was asked for. */
  #give(): boolean {
    return this.#inputs.some((input) => input.give());
  }

  /** Submits a call beside the map. */
  #submit(): void {
    try {
      const call = this.#nextOther++; // submit() may lead here again
      this.#others.set(call, this.#executor.submit(TASKS.short.fn, call));
    } catch (error) {
      if (error instanceof ShutdownError) assert(this.#shutDown);
      else if (error instanceof QueueFullError) assert(this.#plan.maxQueue !== undefined);
      else assert(error instanceof BrokenExecutor && this.#mortal, String(error));
    }
  }

  #next(): void {
    const place = this.#given.push(undefined) - 1;
    // A next() inside user code may be answered before an earlier one is seen.
    const nested = this.#within > 0;
    const settle = (given: Given) => {
      if (!nested && place > 0 && !this.#given[place - 1]) {
        this.#wrong.push(new Error("a later next() is served first"));
      }
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
    await this.#settleDown();
    while (this.#results && this.#given.at(-1)?.kind !== "end") {
      this.#checkFilled();
      this.#next();
      await this.#settleDown();
      assert(this.#given.at(-1), "next() is never answered");
    }
    this.#checkStep();
  }

  /** Lets everything happen that does not need a next(). */
  async #settleDown(): Promise<void> {
    do {
      await this.#ledger.finish(() => this.#checkStep());
      this.#checkSlow();
    } while (this.#give());
  }

  // --- what holds after each step

  #checkStep(): void {
    if (this.#wrong.length > 0) throw this.#wrong[0];
    for (const { violations } of this.#inputs) assertEquals(violations, []);
    this.#checkConsistent();
    this.#checkRead();
    if (this.#begunAtEnd !== undefined && this.#plan.claims) {
      assertStrictEquals(this.#begun, this.#begunAtEnd, "an item begins after the iteration was over");
    }
  }

  /** When all that can happen has happened, whoever waits for a result has had the results of all items that were read. */
  #checkSlow(): void {
    if (!this.#results || this.#given.length === 0 || this.#given.at(-1)) return;
    assertStrictEquals(this.#taken, this.#pulled, "a result is held back while its input waits");
  }

  /** How many items were read. */
  get #pulled(): number {
    return this.#inputs.at(-1)?.given ?? 0;
  }

  get #capacity(): number {
    return (this.#plan.buffersize ?? Infinity) * (this.#plan.chunksize ?? 1);
  }

  #checkRead(): void {
    const errors = this.#given.filter((given) => given?.kind === "error").length;
    assert(this.#pulled <= this.#taken + errors + this.#capacity, `${this.#pulled} items are read`);
    const { maxQueue = Infinity, chunksize = 1 } = this.#plan;
    // As long as no worker is up, all items wait. An executor that is shut down does not limit the reading.
    const waiting = !this.#shutDown && !this.#mortal && this.#network.lines.every((line) => !line.up);
    if (waiting) assert(this.#pulled < maxQueue + chunksize, `${this.#pulled} items wait`);
  }

  /** Checks that as many items have been read as may be. */
  #checkFilled(): void {
    if (this.#begunAtEnd !== undefined || this.#shutDown || this.#plan.maxQueue !== undefined) return;
    if (this.#inputs.some(({ waits }) => waits)) return;
    // A broken executor takes nothing, so nothing is read for it.
    if (this.#mortal && this.#inputs.some(({ state }) => state === "closed")) return;
    assertStrictEquals(this.#pulled, Math.min(this.#length, this.#taken + this.#capacity));
  }

  // --- what holds in the end

  #checkGiven(): void {
    if (!this.#results) return;
    const given = this.#given as Given[];
    const values = given.flatMap((given) => given.kind === "value" ? [given.value] : []);
    const kinds = given.map(({ kind }) => kind[0]).join("");
    assertMatch(kinds, /^v*e?(?:e)*$/, "values, then an error or not, then the end");
    const errors = given.flatMap((given) => given.kind === "error" ? [given.error] : []);
    assert(errors.length <= 1);
    const items = this.#plan.ordered ? values.map((_, n) => n) : values.map((value) => this.#itemOf(value));
    const known = items.filter((item) => !Number.isNaN(item));
    assertStrictEquals(new Set(known).size, known.length, "an item comes twice");
    values.forEach((value, n) => this.#checkValue(items[n]!, value));
    if (errors.length > 0) this.#checkError(errors[0], items);
    else if (!this.#returned) {
      assertStrictEquals(values.length, this.#length, "it ends too early");
      assertEquals(this.#inputFails, false);
    }
  }

  /** The item of an unordered result; NaN when it has none that can be told. */
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
      assertEquals(this.#fails(item), false);
      assertEquals(value, this.#valueOf(item));
      return;
    }
    const outcome = value as PromiseSettledResult<unknown>;
    if (outcome.status === "fulfilled") assertEquals(outcome.value, this.#valueOf(item));
    else if (this.#isLoss(outcome.reason)) return;
    // Without an order, an item that cannot be sent is not known by its error.
    else if (Number.isNaN(item)) {
      return assert(this.#plan.items.some((_, item) => this.#isErrorOf(item, outcome.reason)));
    }
    assertStrictEquals(outcome.status, this.#fails(item) ? "rejected" : "fulfilled");
    if (outcome.status === "rejected") assert(this.#isErrorOf(item, outcome.reason), String(outcome.reason));
  }

  /** Whether a call may have failed by this error because its worker died or the executor was ended. */
  #isLoss(error: unknown): boolean {
    return (this.#mortal && (error instanceof BrokenExecutor || error instanceof WorkerLostError)) ||
      (this.#cancelled && error instanceof CancelledError);
  }

  #checkError(error: unknown, items: readonly number[]): void {
    const all = items.length === this.#length;
    if (error === ABORT_REASON) assert(this.#abort.signal.aborted);
    else if (error === INPUT_ERROR) {
      // An item that is read when the executor takes nothing any more is not submitted.
      assert(this.#inputFails && (all || this.#shutDown || this.#mortal), "the input's error comes before results");
    } else if (error instanceof TimeoutError) assert(performance.now() >= this.#deadline);
    else if (error instanceof ShutdownError) assert(this.#shutDown);
    else if (!this.#isLoss(error)) {
      const own = this.#plan.items.flatMap((_, item) => this.#isErrorOf(item, error) ? [item] : []);
      assert(own.length > 0 && !this.#plan.settled, String(error));
      if (this.#plan.ordered) assert(own.includes(items.length), "an error comes at another item's place");
      else assert(own.some((item) => !items.includes(item)));
    }
  }

  #checkRuns(): void {
    const items = this.#plan.items.map((_, item) => this.#ledger.runs(item));
    assert(items.every((runs) => runs <= 1), "an item ran twice");
    assert(this.#begun <= this.#pulled);
    this.#checkChunks();
    for (const { state, closings } of this.#inputs) {
      assertNotStrictEquals(state, "open", "an input is not closed");
      assertStrictEquals(closings, state === "closed" ? 1 : 0);
    }
    const { completed, failed, cancelled, queued, running } = this.#executor.stats();
    assertEquals([queued, running], [0, 0]);
    const ended = completed + failed + cancelled - this.#others.size;
    const ownCancelled = cancelled - [...this.#others.values()].filter((other) => other.cancelled()).length;
    assert(this.#begun <= ended && ended <= this.#pulled, `${ended} calls have ended, ${this.#pulled} items were read`);
    // The rest was cancelled. Whether calls that a dead process held have begun is not known.
    const unsent = ended - ownCancelled - this.#begun;
    const unsendable = this.#plan.items.filter((kind) => kind === "unsendable").length;
    if (!this.#mortal) {
      assert(0 <= unsent && unsent <= unsendable, `${unsent} calls did not begin, and were not cancelled`);
    }
    for (const [call, { outcome }] of this.#others) {
      if (this.#mortal && outcome?.status === "rejected") assert(outcome.reason instanceof BrokenExecutor);
      else if (this.#cancelled && outcome?.status === "cancelled") continue;
      else assertEquals(outcome, { status: "fulfilled", value: call });
    }
  }

  /** Each chunk is run by one worker. */
  #checkChunks(): void {
    const { chunksize = 1, items, pace, firstPace } = this.#plan;
    // A slow input may give part of a chunk, which is sent when a result is wanted.
    if (this.#mortal || pace === "slow" || firstPace === "slow") return;
    for (let first = 0; first < items.length; first += chunksize) {
      const lines = [...items.keys()].slice(first, first + chunksize).map((item) => this.#ledger.lines.get(item));
      assert(new Set(lines.filter((line) => line !== undefined)).size <= 1, "a chunk is run by several workers");
    }
  }
}

// Runs a random program for an executor on a network, and checks what must hold after each step and in the end. It knows
// what was submitted and, from the ledger, what has run. Of the scheduler, it knows only the public API.

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { isDeepStrictEqual } from "node:util";
import {
  type Executor,
  type ExecutorStats,
  type Future,
  type FutureOutcome,
  type MapIterator,
  ShutdownError,
} from "../../mod.ts";
import { Ledger, TASKS } from "./ledger.ts";
import { BrokenNetwork, Network, NetworkExecutor } from "./network.ts";
import { pick, takeNetworkStep } from "./network_steps.ts";
import { reportsOf } from "../support/observe.ts";
import { endingOf, outcomeOf, problemsOf } from "../support/outcome.ts";
import type { Options, Program, Reaction, Step, TaskName, Touchy } from "./scheduler_program.ts";
import { turn } from "./virtual_time.ts";

/** A call that the executor has taken. */
export interface SubmittedCall {
  readonly id: number;
  readonly task: TaskName | "deadly";
  readonly options: Options;
  /** Whether one of its arguments cannot be sent. */
  readonly unsendable: boolean;
  /** Absent for a call of a map(). */
  readonly future?: Future<unknown>;
  /** How it ended, as its callback or its map() was told. */
  outcome: FutureOutcome<unknown> | undefined;
  /** Whether `cancel()` has returned true. */
  wasCancelled: boolean;
}

/** A broadcast: as many calls as there were workers. */
interface Broadcast {
  readonly id: number;
  readonly task: TaskName;
  readonly parts: number;
  outcome: PromiseSettledResult<readonly unknown[]> | undefined;
}

interface OpenMap {
  readonly results: MapIterator<PromiseSettledResult<unknown>>;
  readonly calls: readonly SubmittedCall[];
  left: boolean;
  over: boolean;
}

/** One run of a program. */
export class World {
  readonly network: Network;
  readonly ledger: Ledger;
  readonly executor: Executor<ExecutorStats>;
  readonly calls: SubmittedCall[] = [];
  readonly #program: Program;
  readonly #maps: OpenMap[] = [];
  readonly #signals = [new AbortController(), new AbortController()];
  readonly #broadcasts: Broadcast[] = [];
  /** How many warmUp() have not settled. */
  #warmingUp = 0;
  /** The most workers that there may ever have been. */
  #mostWorkers: number;
  #nextCall = 0;
  #shutDown = false;
  #cancelledAll = false;
  /** How many workers had been started when terminateWorkers() or killWorkers() was called. */
  #startedBeforeEnd: number | undefined;
  #closed = false;

  constructor(program: Program) {
    const { claims, refused, maxWorkers, maxTasksPerWorker, onWorkerLost } = program;
    this.#program = program;
    this.#mostWorkers = maxWorkers;
    this.network = new Network({ claims, refused });
    this.ledger = new Ledger(this.network);
    this.executor = new NetworkExecutor(this.network, {
      maxWorkers,
      onWorkerLost,
      ...(maxTasksPerWorker === undefined ? {} : { maxTasksPerWorker }),
      ...(program.finalizes && { finalizer: () => {} }),
      onUnobserved() {},
    });
  }

  /** Runs the program to its end, and checks everything that holds for every program. */
  async run(): Promise<void> {
    const reports = await reportsOf(() => this.network.run(() => this.#run()));
    for (const [text] of reports) assertMatch(String(text), /malformed message|A finalizer did not run to its end/);
  }

  async #run(): Promise<void> {
    for (const task of this.#program.known) {
      this.#submit(task);
      await this.ledger.finish(() => this.#checkQuiet());
    }
    for (const step of this.#program.steps) {
      await this.#take(step);
      this.#checkStep();
    }
    await this.ledger.finish(() => this.#checkQuiet());
    for (const call of this.calls) this.#checkCall(call);
    for (const broadcast of this.#broadcasts) this.#checkBroadcast(broadcast);
    assertStrictEquals(this.#warmingUp, 0, "a warmUp() has not settled");
    this.#checkIdle();
    this.#shutdown(false);
    await this.ledger.finish(() => this.#checkQuiet());
    this.#checkEnd();
  }

  /** How a call ended. */
  outcome(call: SubmittedCall): FutureOutcome<unknown> {
    assert(call.outcome, `${this.show(call)} has not ended`);
    return call.outcome;
  }

  /** Whether a call failed for another reason than its task and its arguments. */
  failedFromOutside(call: SubmittedCall): boolean {
    return call.outcome !== undefined && ["broken", "lost", "timed out"].includes(endingOf(call.outcome));
  }

  /** Whether it is a call of a map() that was left, so that its outcome is not known. */
  isLeft(call: SubmittedCall): boolean {
    return this.#maps.some((map) => map.left && map.calls.includes(call));
  }

  /** Whether something may stop it. */
  isLimited({ options: { signal, timeout } }: SubmittedCall): boolean {
    return signal !== undefined || timeout !== undefined;
  }

  /** For messages. */
  show(call: SubmittedCall): string {
    const { id, task, options, wasCancelled } = call;
    const ended = call.outcome && { ...call.outcome, reason: "reason" in call.outcome ? `${call.outcome.reason}` : "" };
    return JSON.stringify({ id, task, options, wasCancelled, runs: this.ledger.runs(id), ended });
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case "submit":
        for (let n = 0; n < step.count; n++) this.#submit(step.task, step.options);
        return turn();
      case "submitTouchy": {
        const fn = (_call: number, _touchy: unknown) => ledger.begin(_call);
        const { argument, reaction, choice, neighbours } = step;
        const touchy = this.#touchy(argument, () => this.#react(reaction, choice));
        const unsendable = argument !== "getter";
        for (let n = 0; n < neighbours; n++) this.#submit("instant");
        this.#accept("instant", {}, unsendable, (id) => this.executor.submit(fn, id, touchy));
        for (let n = 0; n < neighbours; n++) this.#submit("instant");
        return turn();
      }
      case "submitReacting": {
        const { task, place, reaction, choice } = step;
        const react = () => this.#react(reaction, choice);
        if (place === "callback") this.#submit(task, {}, react);
        else this.#submit(task, { retries: 1, retryOn: true }, undefined, react);
        return turn();
      }
      case "submitDeadly": {
        const fn = (call: number, share: number) => {
          ledger.begin(call);
          return ledger.die(share);
        };
        this.#accept("deadly", {}, false, (id) => this.executor.submit(fn, id, step.share));
        return turn();
      }
      case "map":
        this.#map(step.task, step.count, step.chunksize);
        return turn();
      case "leave": {
        const map = pick(this.#maps, step.choice);
        if (map) map.left = true;
        await map?.results.return();
        return turn();
      }
      case "warmUp":
        this.#warmUp();
        return turn();
      case "resize":
        this.#resize(step.maxWorkers);
        return turn();
      case "broadcast":
        this.#broadcast(step.task);
        return turn();
      case "cancel":
        this.#cancel(pick(this.calls.filter((call) => call.future), step.choice));
        return turn();
      case "abort":
        this.#abort(step.signal);
        return turn();
      case "babble":
        pick(this.network.alive, step.choice)?.sendToParent({ kind: "other" });
        return;
      case "end":
        this.#endAll(step.how);
        return turn();
      case "shutdown":
        this.#shutdown(step.cancelFutures);
        return turn();
      default:
        return takeNetworkStep(step, this.network, this.ledger);
    }
  }

  /** An argument that calls `react` when it is read. */
  #touchy(argument: Touchy, react: () => void): unknown {
    // Once, as a reaction that submits such an argument would never end.
    let done = false;
    const reactOnce = () => {
      if (done) return;
      done = true;
      react();
    };
    switch (argument) {
      case "function":
        return () => {};
      case "getter":
        return {
          get part() {
            return reactOnce();
          },
        };
      case "throwing getter":
        return {
          get part() {
            reactOnce();
            throw new DOMException("of a getter", "DataCloneError");
          },
        };
      case "proxy": {
        const trap = () => {
          reactOnce();
          throw new Error("of a proxy");
        };
        return new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap });
      }
      case "revoked proxy": {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      }
    }
  }

  /** Does what user code may do at any time. */
  #react(reaction: Reaction, choice: number): void {
    switch (reaction) {
      case "nothing":
        return;
      case "submit":
        return this.#submit("instant");
      case "submitMany":
        for (let n = 0; n < 40; n++) this.#submit("short");
        return;
      case "cancel":
        return this.#cancel(pick(this.calls.filter((call) => call.future), choice));
      case "abort":
        return this.#abort(choice % 2);
      case "shutdown":
        return this.#shutdown(false);
      case "cancelAll":
        return this.#shutdown(true);
      case "kill":
        return this.#endAll("kill");
      case "leave": {
        const map = pick(this.#maps, choice);
        if (map) map.left = true;
        void map?.results.return();
        return;
      }
      case "warmUp":
        return this.#warmUp();
      case "resize":
        return this.#resize(1 + choice % 4);
      case "broadcast":
        return this.#broadcast("instant");
    }
  }

  #warmUp(): void {
    this.#warmingUp++;
    this.executor.warmUp().catch((error: unknown) => this.#checkRefusal(error)).finally(() => this.#warmingUp--);
  }

  #resize(maxWorkers: number): void {
    try {
      this.executor.resize(maxWorkers);
    } catch (error) {
      return this.#checkRefusal(error);
    }
    assertStrictEquals(this.executor.maxWorkers, maxWorkers);
    this.#mostWorkers = Math.max(this.#mostWorkers, maxWorkers);
  }

  #broadcast(task: TaskName): void {
    const parts = this.#isClosed ? 0 : this.executor.stats().workers;
    const broadcast: Broadcast = { id: this.#nextCall++, task, parts, outcome: undefined };
    this.#broadcasts.push(broadcast);
    this.executor.broadcast<[number], unknown>(TASKS[task].fn, broadcast.id).then(
      (value) => broadcast.outcome = { status: "fulfilled", value },
      (reason) => broadcast.outcome = { status: "rejected", reason },
    );
  }

  /** Whether the executor takes no calls. */
  get #isClosed(): boolean {
    try {
      this.executor.resize(this.executor.maxWorkers);
      return false;
    } catch {
      return true;
    }
  }

  #abort(signal: number): void {
    this.#signals[signal]!.abort(new Error(`signal ${signal}`));
  }

  #endAll(how: "kill" | "terminate"): void {
    this.#shutDown = true;
    this.#startedBeforeEnd ??= this.network.lines.length;
    if (how === "kill") this.executor.killWorkers();
    else this.executor.terminateWorkers();
  }

  #submit(task: TaskName, options: Options = {}, onDone?: () => void, onRetry?: () => void): void {
    const { signal, retryOn, ...rest } = options;
    const executor = Object.keys(options).length === 0 ? this.executor : this.executor.with({
      ...rest,
      ...(signal === undefined ? {} : { signal: this.#signals[signal]!.signal }),
      ...(retryOn
        ? {
          retryOn: () => {
            onRetry?.();
            return true;
          },
        }
        : {}),
    });
    this.#accept(task, options, false, (id) => executor.submit<[number], unknown>(TASKS[task].fn, id), onDone);
  }

  /** Submits a call, or checks why it is refused. */
  #accept(
    task: SubmittedCall["task"],
    options: Options,
    unsendable: boolean,
    submit: (id: number) => Future<unknown>,
    onDone?: () => void,
  ): void {
    const id = this.#nextCall++;
    const wasShutDown = this.#shutDown;
    let future: Future<unknown>;
    try {
      future = submit(id);
    } catch (error) {
      return this.#checkRefusal(error);
    }
    assert(!wasShutDown, "a call was taken after shutdown");
    const call: SubmittedCall = { id, task, options, unsendable, future, outcome: undefined, wasCancelled: false };
    this.calls.push(call);
    future.addDoneCallback(({ outcome }) => {
      assertEquals(call.outcome, undefined, `the callback of ${this.show(call)} is called again`);
      call.outcome = outcome;
      onDone?.();
    });
  }

  #map(task: TaskName, count: number, chunksize: number): void {
    const calls = Array.from({ length: count }, () => (
      { id: this.#nextCall++, task, options: {}, unsendable: false, outcome: undefined, wasCancelled: false }
    ));
    let results: OpenMap["results"];
    try {
      const options = { settled: true, ...(chunksize > 1 ? { chunksize } : {}) } as const;
      results = this.executor.map<number, unknown, typeof options>(TASKS[task].fn, calls.map(({ id }) => id), options);
    } catch (error) {
      return this.#checkRefusal(error);
    }
    this.calls.push(...calls);
    const map = { results, calls, left: false, over: false };
    this.#maps.push(map);
    void this.#drain(map);
  }

  async #drain(map: OpenMap): Promise<void> {
    for (const call of map.calls) {
      const { done, value } = await map.results.next();
      if (done) break;
      (call as SubmittedCall).outcome = outcomeOf(value);
    }
    map.over = true;
  }

  #checkRefusal(error: unknown): void {
    if (error instanceof BrokenNetwork) this.#checkBroken();
    else assert(error instanceof ShutdownError && this.#shutDown, `submit() throws ${error}`);
  }

  #cancel(call: SubmittedCall | undefined): void {
    const future = call?.future;
    if (!future) return;
    const before = { cancelled: future.cancelled(), tooLate: future.running() || future.done() };
    const cancelled = future.cancel();
    assertStrictEquals(cancelled, before.cancelled || !before.tooLate, `cancel() of ${this.show(call)}`);
    assertStrictEquals(future.cancelled(), cancelled);
    if (cancelled && !before.cancelled) call.wasCancelled = true;
  }

  #shutdown(cancelFutures: boolean): void {
    this.#shutDown = true;
    this.#cancelledAll ||= cancelFutures;
    void this.executor.shutdown({ cancelFutures }).then(() => this.#closed = true);
  }

  // --- what holds after each step

  #checkStep(): void {
    const { queued, running, completed, failed, cancelled, workers, idle, busy, lost } = this.executor.stats();
    // Calls of a worker that was told to end and has not ended do not count.
    const count = this.#callCount;
    const uncounted = this.network.open.some((line) => line.endedBy !== undefined) ? count : 0;
    const lacking = count - (queued + running + completed + failed + cancelled);
    assert(0 <= lacking && lacking <= uncounted, `stats() lacks ${lacking} calls`);
    assert(workers <= this.#mostWorkers, "there are too many workers");
    assert(idle + busy <= workers);
    const started = this.network.lines.length;
    assertStrictEquals(this.#startedBeforeEnd ?? started, started, "a worker was started after all were ended");
    assertStrictEquals(lost, this.network.lost);
    const open = this.calls.some((call) => call.future && !call.future.done()) || this.#warmingUp > 0 ||
      this.#broadcasts.some(({ outcome }) => !outcome);
    const keptAlive = this.network.open.some((line) => line.keptAlive) || this.network.time.keepsAlive;
    assert(!open || keptAlive, "the program ends before its work does");
  }

  /** When nothing is under way, a call waits only if no worker could run it. */
  #checkQuiet(): void {
    this.#checkStep();
    const { queued, workers, idle } = this.executor.stats();
    // The calls of a chunk stay together, and a call pauses before it is run again.
    if (this.#maps.length > 0 || this.calls.some(({ options }) => options.retries)) return;
    // A call of a broadcast waits for its worker, whatever the others do.
    if (this.#broadcasts.some(({ outcome }) => !outcome)) return;
    // A broken executor starts no worker, but its workers finish what they hold.
    const full = workers >= this.executor.maxWorkers || this.#mayBeBroken;
    assert(queued === 0 || (idle === 0 && full), "calls wait, and a worker could run them");
  }

  // --- what holds in the end

  #checkCall(call: SubmittedCall): void {
    const shown = this.show(call);
    const { retries = 0, timeout, signal: number = -1 } = call.options;
    const signal = this.#signals[number]?.signal;
    assertEquals(call.future?.done() ?? true, true, `${shown} is not done`);
    const attempts = this.ledger.runs(call.id);
    if (this.isLeft(call)) return assert(attempts <= 1 + retries, `${shown} ran too often`);
    const outcome = this.outcome(call);
    if (call.future) assertEquals(call.future.outcome, outcome, "its outcome has changed");
    const problems = problemsOf({
      attempts,
      recordIsComplete: true,
      retries,
      hasTimeout: timeout !== undefined,
      signal,
      withdrawn: call.wasCancelled,
      allCancelled: this.#cancelledAll || this.#startedBeforeEnd !== undefined,
      mayBeBroken: this.#mayBeBroken,
      beginMayBeUnknown: !this.#program.claims,
      mayBeginLate: true, // time passes while messages are on their way
      uncloneable: call.unsendable ? "argument" : undefined,
      isOwn: (outcome) => isDeepStrictEqual(this.#endOf(call), plain(outcome)),
    }, outcome);
    assertEquals(problems, [], shown);
    // cancel() was first, so its reason counts.
    if (call.wasCancelled) assertEquals(endingOf(outcome, signal), "cancelled", shown);
    if (signal === undefined && outcome.status === "cancelled" && retries === 0) assertEquals(attempts, 0, shown);
  }

  #checkBroadcast({ id, task, parts, outcome }: Broadcast): void {
    assert(outcome, `broadcast ${id} has not settled`);
    const runs = this.ledger.runs(id);
    assert(runs <= parts, `broadcast ${id} to ${parts} workers has run ${runs} times`);
    if (outcome.status === "rejected") return;
    const ends = TASKS[task].ends(id);
    assertEquals([runs, outcome.value], [parts, "value" in ends ? Array(parts).fill(ends.value) : []]);
  }

  /** How many calls the executor has taken, with those of broadcasts. */
  get #callCount(): number {
    return this.calls.length + this.#broadcasts.reduce((sum, { parts }) => sum + parts, 0);
  }

  #endOf({ id, task }: SubmittedCall): { value: unknown } | { error: string } | undefined {
    return task === "deadly" ? undefined : TASKS[task].ends(id);
  }

  /** Whether something has happened that may have broken the executor. */
  get #mayBeBroken(): boolean {
    const { lost, failedStarts, hopeless } = this.network;
    return failedStarts >= 3 || hopeless || (this.#program.onWorkerLost === "break" && lost > 0);
  }

  #checkBroken(): void {
    assert(this.#mayBeBroken, "the executor is broken, and nothing has broken it");
  }

  /** When every call has ended, no worker holds anything. */
  #checkIdle(): void {
    const { queued, running, busy } = this.executor.stats();
    assertEquals({ queued, running, busy }, { queued: 0, running: 0, busy: 0 });
    for (const line of this.network.alive) {
      assertEquals(line.keptAlive, false, "an idle worker keeps the program alive");
    }
  }

  #checkEnd(): void {
    assertEquals(this.#closed, true, "shutdown() does not resolve");
    assertEquals([this.network.open.length, this.executor.stats().workers, this.network.time.timers], [0, 0, 0]);
    const { completed, failed, cancelled } = this.executor.stats();
    assertStrictEquals(completed + failed + cancelled, this.#callCount);
    if (this.#maps.some((map) => map.left) || this.#broadcasts.some(({ parts }) => parts > 0)) return;
    const count = (status: string) => this.calls.filter((call) => this.outcome(call).status === status).length;
    assertEquals([completed, failed, cancelled], ["fulfilled", "rejected", "cancelled"].map(count));
    assert(this.#maps.every((map) => map.over));
  }
}

/** An outcome in the form of `LedgerTask.ends`. */
function plain(outcome: FutureOutcome<unknown>): { value: unknown } | { error: string } {
  return outcome.status === "fulfilled" ? { value: outcome.value } : { error: (outcome.reason as Error).message };
}

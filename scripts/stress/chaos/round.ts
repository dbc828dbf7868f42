// One round: an executor, everything that its plan has in store for it, and its end. Nothing is judged here.

import process from "node:process";
import {
  type CallOptions,
  type Executor,
  type ExecutorStats,
  type ExecutorView,
  type MapIterator,
  ProcessPoolExecutor,
  QueueFullError,
  ShutdownError,
  taskModule,
  ThreadPoolExecutor,
  type UnobservedReport,
  wait,
} from "../../../mod.ts";
import { workerProcesses } from "../../../tests/support/leaks.ts";
import type { Backend } from "../lib/target.ts";
import { driveMap } from "./drive_map.ts";
import { type Entry, isBroken, type MapEnd } from "./entry.ts";
import { Heard } from "./heard.ts";
import { type GroupPlan, type Longer, playBroadcast, playGroup, playStream, type StreamPlan } from "./longer.ts";
import type { Job, Limits, MapPlan, Round, Step } from "./plan.ts";
import { payloadOf } from "./values.ts";

const tasks = taskModule<typeof import("./tasks.ts")>(new URL("./tasks.ts", import.meta.url));

/** What happened in a round. */
export class PlayedRound {
  readonly entries: Entry[] = [];
  readonly maps: MapEnd[] = [];
  /** Streams, groups and broadcasts that have ended. */
  readonly longer: Longer[] = [];
  /** What tasks have reported. */
  readonly heard: Heard = new Heard();
  resizes = 0;
  readonly problems: string[] = [];
  /** Workers that were killed from outside. */
  kills = 0;
  /** Workers that were there when terminateWorkers() or killWorkers() was called. */
  ended = 0;
  /** Submits that were refused as the queue was full. */
  refused = 0;
  unobserved = 0;
  firstUnobserved: unknown;
  readonly executor: Executor<ExecutorStats>;
  readonly #round: Round;
  readonly #ledger: string;
  readonly #controllers: AbortController[] = [];
  readonly #driven: Promise<void>[] = [];
  /** All steps were taken. */
  #ends = false;

  constructor(round: Round, backend: Backend, ledger: string) {
    this.#round = round;
    this.#ledger = ledger;
    const Class = backend === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor;
    const onUnobserved = ({ count, first }: UnobservedReport) => {
      this.unobserved += count;
      this.firstUnobserved = first;
    };
    this.executor = new Class({ ...round.options, onUnobserved });
  }

  /** Plays it, to the end of the executor. */
  async play(): Promise<void> {
    const { steps, ending, late } = this.#round;
    const { executor } = this;
    for (const step of steps) await this.#take(step);
    this.#ends = true;
    if (late) {
      void executor.shutdown();
      await pause(20);
    }
    if (ending === "terminateWorkers" || ending === "killWorkers") {
      this.ended = executor.stats().workers;
      executor[ending]();
    }
    await executor.shutdown({ cancelFutures: ending === "cancelFutures" });
    const open = this.entries.filter(({ future }) => future?.done() === false).length;
    if (open > 0) this.problems.push(`${open} Futures were not done when shutdown() had resolved`);
    await Promise.all(this.#driven);
    await pause(0); // promises of Futures tell those who wait for them
  }

  /** What it waits for. */
  describe(): string {
    const open = this.#open().map(({ job }) => `${job.id} (${job.way})`);
    const maps = this.maps.filter(({ how }) => how === undefined).length;
    const stats = JSON.stringify(this.executor.stats());
    return `${open.length} Futures are not done: ${
      open.slice(0, 10)
    }; ${maps} maps; ${this.longer.length} streams, groups and broadcasts have ended; ${stats}`;
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case "submit":
        return void this.#submit(step.jobs, this.#configure(step.limits), step.limits, step.look);
      case "stream":
        return this.#stream(step.stream, step.limits);
      case "group":
        return this.#group(step.jobs, step.limits, step.group);
      case "broadcast":
        return this.#drive(playBroadcast(this.executor.broadcast(tasks.tell, step.id), step.id));
      case "resize":
        return this.#resize(step.maxWorkers);
      case "map":
        return this.#map(step.jobs, step.limits, step.map);
      case "cancel": {
        const open = this.#open();
        const running = step.running ? open.filter(({ future }) => future!.running()) : [];
        for (const pick of step.picks) this.#cancel(running.length > 0 ? running : open, pick);
        return;
      }
      case "abort": {
        const controller = this.#controllers[step.pick % this.#controllers.length];
        return controller && this.#abort(controller);
      }
      case "kill": {
        const workers = workerProcesses();
        const pid = workers[step.pick % workers.length];
        if (pid === undefined) return;
        try {
          process.kill(pid, step.signal);
          this.kills++;
        } catch {
          // It has just ended by itself.
        }
        return;
      }
      case "wait": {
        const futures = this.#open().map(({ future }) => future!);
        const { done, notDone } = await wait(futures, { timeout: step.ms, returnWhen: step.until }).catch(() => {
          throw new Error("wait() has rejected");
        });
        if (done.size + notDone.size !== futures.length) this.problems.push("wait() has lost a Future");
        for (const future of done) if (!future.done()) this.problems.push("wait() says of a Future that it is done");
        return;
      }
      case "ready":
        return await this.executor.ready();
      case "pause":
        return await pause(step.ms);
    }
  }

  #abort(controller: AbortController): void {
    if (controller.signal.aborted) return;
    const open = this.#open().filter(({ signal }) => signal === controller.signal);
    controller.abort(new Error("aborted by chaos"));
    for (const entry of open) if (entry.future!.done()) entry.withdrawn = true;
  }

  #resize(maxWorkers: number): void {
    try {
      this.executor.resize(maxWorkers);
      this.resizes++;
    } catch (error) {
      if (error instanceof ShutdownError && this.#ends) return; // a listener may still resize
      if (!this.#isBroken(error)) this.problems.push(`resize() has thrown ${String(error)}`);
    }
  }

  #cancel(entries: readonly Entry[], pick: number): void {
    const entry = entries[pick % entries.length];
    if (!entry?.future || entry.future.done()) return;
    const running = entry.future.running();
    if (!entry.future.cancel()) return;
    entry.withdrawn = true;
    if (running) this.problems.push(`call ${entry.job.id} was cancelled while running() was true`);
  }

  #open(): Entry[] {
    return this.entries.filter(({ future }) => future?.done() === false);
  }

  /** The same executor with the options of a step, and the signal if it has one. */
  #configure(limits: Limits): Configured {
    const { signal: wanted, ...rest } = limits;
    if (Object.keys(limits).length === 0) return { executor: this.executor, signal: undefined };
    const controller = wanted ? new AbortController() : undefined;
    if (controller) this.#controllers.push(controller);
    const signal = controller?.signal;
    const options = this.#optionsOf(rest, controller);
    return { executor: this.executor.with({ ...options, ...(signal && { signal }) }), signal };
  }

  #optionsOf({ listens, ...options }: Omit<Limits, "signal">, controller?: AbortController): CallOptions {
    const means = {
      abort: () => controller && this.#abort(controller),
      resize: () => this.#resize(1 + this.executor.stats().completed % 4),
    };
    const onReport = listens && this.heard.listener(listens, means);
    return { ...options, retryOn: isRetried, ...(onReport && { onReport }) };
  }

  #drive(played: Promise<Longer>): void {
    this.#driven.push(played.then((longer) => void this.longer.push(longer)));
  }

  #stream(plan: StreamPlan, limits: Limits): void {
    const { executor, signal } = this.#configure(limits);
    this.#drive(playStream(() => this.#openStream(executor, plan), plan, limits, signal));
  }

  #openStream(executor: ExecutorView, plan: StreamPlan): AsyncIterableIterator<number> {
    return executor.with({ buffersize: plan.buffersize }).stream(tasks.count, this.#ledger, plan);
  }

  #group(jobs: readonly Job[], limits: Limits, plan: GroupPlan): void {
    const entries: Entry[] = [];
    const submit = (view: ExecutorView, signal: AbortSignal) => {
      const { signal: _signal, ...options } = limits;
      const executor = view.with(this.#optionsOf(options));
      entries.push(...this.#submit(jobs, { executor, signal }, limits, false, true));
    };
    this.#drive(playGroup(this.executor, plan, (view, stream) => this.#openStream(view, stream), entries, submit));
  }

  /** Submits calls; returns those that were taken. */
  #submit(
    jobs: readonly Job[],
    { executor, signal }: Configured,
    limits: Limits,
    looked: boolean,
    grouped = false,
  ): Entry[] {
    const taken: Entry[] = [];
    for (const job of jobs) {
      const entry: Entry = { job, limits, looked, ...(signal && { signal }), ...(grouped && { grouped }) };
      try {
        entry.future = isQuick(job)
          ? executor.submit(tasks.quick, this.#ledger, job.id)
          : job.way === "lying"
          ? executor.submit(tasks.lie, this.#ledger, job.id, job.ms)
          : executor.submit(tasks.perform, this.#ledger, job, payload(job));
      } catch (error) {
        if (error instanceof QueueFullError && this.#round.options.maxQueue !== undefined) this.refused++;
        else if (!this.#isBroken(error)) this.problems.push(`submit() has thrown ${String(error)}`);
        continue;
      }
      this.entries.push(entry);
      taken.push(entry);
      if (!looked) continue;
      entry.future.then(
        (value) => entry.told = { status: "fulfilled", value },
        (reason) => entry.told = { status: "rejected", reason },
      );
    }
    return taken;
  }

  #map(jobs: readonly Job[], limits: Limits, plan: MapPlan): void {
    const { executor, signal } = this.#configure(limits);
    const entries = jobs.map((job): Entry => ({ job, limits, looked: true, ...(signal && { signal }) }));
    const { leave: _leave, ...options } = plan;
    const end: MapEnd = { plan, limits, signal, entries, came: [], how: undefined };
    const quick = jobs.every(isQuick), lying = jobs.every(({ way }) => way === "lying");
    const ledgers = jobs.map(() => this.#ledger), ids = jobs.map(({ id }) => id);
    let results: MapIterator<unknown>;
    try {
      results = quick
        ? executor.map(tasks.quick, ledgers, ids, options)
        : lying
        ? executor.map(tasks.lie, ledgers, ids, jobs.map(({ ms }) => ms), options)
        : executor.map(tasks.perform, ledgers, jobs, jobs.map(payload), options);
    } catch (error) {
      if (!this.#isBroken(error)) this.problems.push(`map() has thrown ${String(error)}`);
      return;
    }
    this.entries.push(...entries);
    this.maps.push(end);
    this.#driven.push(driveMap(results, end));
  }

  /** Whether this is what a broken executor throws: workers that were killed three times in a row while they started. */
  #isBroken(error: unknown): boolean {
    return isBroken(error) && this.kills >= 3;
  }
}

/** An executor for calls, and the signal that they have. */
interface Configured {
  readonly executor: ExecutorView;
  readonly signal: AbortSignal | undefined;
}

/** What a task throws is worth another try here; the rules of loss and time need no permission. */
function isRetried(error: unknown): boolean {
  return error instanceof RangeError;
}

/** Whether nothing but the call's id crosses. */
function isQuick({ way, times, reports }: Job): boolean {
  return way === "quick" && times === 0 && !reports;
}

function payload(job: Job): Uint8Array | undefined {
  if (job.way === "bad argument") return (() => {}) as unknown as Uint8Array;
  return job.way === "echo" ? payloadOf(job.id, job.size) : undefined;
}

/** Zero: one turn of the event loop. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms));
}

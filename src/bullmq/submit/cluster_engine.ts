// The engine of a BullMQExecutor: each call is a job in Redis until a host has run it.
//
//   submit() -> queue         until the end of the tick: cancel() is exact
//            -> Outbox        adds the job
//            -> SentCalls     the call is a job in Redis, active when a host has it
//            -> Inbox         receives the reply
//            -> settled       fulfilled, rejected or cancelled; or queued again, for `retryOn`

import { Call, type CallProgress } from "../../executor/call.ts";
import type { QueueEntry } from "../../executor/call_queue.ts";
import { Engine } from "../../executor/engine.ts";
import { BrokenExecutor, CancelledError, ShutdownError, TimeoutError, WorkerLostError } from "../../future/errors.ts";
import type { CallStats } from "../../executor/stats.ts";
import { startTimer } from "../../future/timer.ts";
import { keyOf } from "./call_job.ts";
import { causeOf, leftBehind } from "../notices.ts";
import { background } from "../background.ts";
import { answeredWithin, holding } from "../connection.ts";
import { type ClusterStats, readCluster } from "./cluster_stats.ts";
import { Inbox } from "./inbox.ts";
import { KeyResults } from "./key_results.ts";
import { type Link, openLink } from "./link.ts";
import { NamedTasks } from "./named_tasks.ts";
import type { ClusterSettings } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { SentCall } from "./sent_call.ts";
import { SentCalls } from "./sent_calls.ts";
import { Stops } from "./stops.ts";
import { Unserved } from "./unserved.ts";

/** Interval of the consistency check against Redis, in milliseconds: events can be missed. */
const CHECK_INTERVAL = 2000;

/** Maximum number of jobs that a check looks up, those of the oldest calls. */
const CHECKED = 100;

/** How long a host has to say that it has stopped a call, after the call's `grace`, in milliseconds. */
const STOP_MARGIN = 2000;

/** Runs the calls of an executor on the hosts of a queue. */
export class ClusterEngine extends Engine {
  readonly tasks = new NamedTasks();
  /** Hosts come and go, and each has a limit of its own. */
  readonly maxWorkers = Infinity;
  /** A chunk is one job, which a host begins, loses and is told to stop as one. */
  override readonly keepsChunks = true;
  /** The hosts have done so already. */
  protected override readonly retriesLost = false;
  /** The executor's id, which no other executor has. */
  readonly id: string = crypto.randomUUID();
  readonly #settings: ClusterSettings;
  readonly #onError = (error: unknown): void => this.#settings.notices.error(error);
  readonly #sent = new SentCalls();
  readonly #unserved: Unserved;
  readonly #stops: Stops;
  readonly #outbox: Outbox;
  /** What was heard of calls. */
  readonly inbox: Inbox;
  /** The results of keys, whoever has submitted their calls. */
  readonly results: KeyResults;
  #link: Promise<Link> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #ending = false;
  /** Whether all calls are being looked up, as some are lost. */
  #searching = false;
  /** When it was told to shut down, by `performance.now()`. */
  #closingSince = Infinity;

  constructor(settings: ClusterSettings) {
    super(settings, BrokenExecutor);
    Object.assign(this.settled.failedBy, { host: 0, expired: 0, refused: 0 });
    this.#settings = settings;
    this.#unserved = new Unserved(settings.queue);
    this.#stops = new Stops({
      link: () => this.#link,
      onWork: () => this.#stayAlive(),
      onDone: () => this.closeIfDone(),
      onError: this.#onError,
    });
    this.#outbox = new Outbox(this.queue, this.#sent, this.id, settings, {
      link: () => this.link(),
      isBroken: () => this.broken !== undefined,
      onBatch: (size) => size === 0 ? this.closeIfDone() : this.queueLimit.wake(),
      // The job of a key may have been there before, and be done.
      onAdded: (sent) => this.#lookUp(sent.filter(({ first }) => keyOf(first) !== undefined)),
      onRefused: (call, reason, kind) => {
        this.reject(call, reason, kind);
        this.closeIfDone();
      },
      // The job of a key may be somebody else's, too.
      onAbandoned: (sent, adding) => keyOf(sent.first) === undefined && this.#stops.tell(sent.id, adding),
      onUnwanted: (call) => this.cancel(call, new CancelledError()),
      onUnreachable: (error) => {
        if (error instanceof BrokenExecutor) this.break(error.message, error.cause);
        else this.break(`Redis cannot be used: ${causeOf(error)}`, error);
        this.closeIfDone();
      },
      withdraw: (sent, call) => {
        if (this.#sent.drop(sent, call)) this.#stops.tell(sent.id, sent.adding);
      },
      abort: (sent) => this.#stops.tell(sent.id, sent.adding),
    });
    this.results = new KeyResults(settings, this, {
      sentAll: () => this.#outbox.sentAll(),
      onWork: () => this.#stayAlive(),
      link: () => this.link(),
      onDone: () => this.closeIfDone(),
    });
    this.inbox = new Inbox(this.id, this.#sent, this.#stops, this.results, this, settings, {
      onChange: (settled) => settled ? this.closeIfDone() : this.queueLimit.wake(),
      onUncertain: () => this.#lookUp(this.#sent.all, this.results.ids),
      onLost: (sent) => this.#recover(sent),
      onOrphaned: (sent) => this.#reclaim(sent),
    });
  }

  submit(entry: QueueEntry<Call>): void {
    if (entry instanceof Call && entry.progress && !this.watch(entry)) return;
    if (!this.enqueue(entry)) return this.closeIfDone();
    if (entry instanceof Call && entry.progress) this.#expireLater(entry, entry.progress);
    this.#stayAlive();
    this.#outbox.flushSoon();
  }

  /** The hosts have work of other executors: they stop the calls of this one, and go on. */
  end(how: "terminate" | "kill"): void {
    background(this.shutdown(true), this.#onError);
    for (const sent of this.#sent.all) {
      this.#stops.tell(sent.id, sent.adding);
      this.#sent.forget(sent);
      // No worker's end is known, and not even which host had the call.
      const error = new Error(`${how}Workers() of ${this.#settings.name} has given up its calls`);
      for (const call of sent.calls) this.reject(call, new WorkerLostError({ started: "unknown", error }), "lost");
    }
    this.closeIfDone();
  }

  override shutdown(cancelFutures: boolean): Promise<void> {
    this.#closingSince = Math.min(this.#closingSince, performance.now());
    return super.shutdown(cancelFutures);
  }

  stats(): CallStats {
    return { queued: this.waiting, running: this.#sent.active, ...this.countSettled(), lost: this.inbox.lost };
  }

  /** The link to Redis, which is opened when it is first needed. */
  link(): Promise<Link> {
    if (this.#ending) return Promise.reject(new ShutdownError());
    return this.#link ??= openLink(this.#settings, this.id, this.inbox);
  }

  /** Waits until Redis has all calls that were submitted so far. */
  async accepted(): Promise<void> {
    if (!this.#ending) await this.#outbox.accepted();
    if (this.broken) throw this.brokenError();
  }

  /** What the whole cluster is doing. */
  async cluster(): Promise<ClusterStats> {
    const link = await this.link();
    return await answeredWithin(this.#settings.connectTimeout, readCluster(link));
  }

  /** Calls that no host has. */
  protected get waiting(): number {
    return this.queue.size + this.resting + this.#sent.size - this.#sent.active;
  }

  /** The time of a call is up: its host stops the task and says so. If the host does not, the call is given up. */
  protected stop(call: Call, settle: () => void): void {
    const timer = startTimer(STOP_MARGIN, () => {
      const sent = call.worker as SentCall | undefined;
      if (sent) this.#sent.drop(sent, call);
      settle();
      this.closeIfDone();
    });
    if (call.progress) call.progress.timer = timer;
  }

  protected onSlotFreed(): void {
    this.closeIfDone();
  }

  protected override cancelWaiting(): void {
    super.cancelWaiting();
    for (const { calls } of this.#sent.all) {
      for (const call of calls) if (call.withdraw()) call.cancel(new CancelledError());
    }
  }

  protected override break(message: string, cause: unknown): void {
    super.break(message, cause);
    this.#outbox.end({ reason: this.brokenError() });
  }

  /** Closes when everything is done. */
  protected closeIfDone(): void {
    this.queueLimit.wake();
    if (this.queue.size + this.resting + this.#sent.size + this.#stops.pending > 0) return;
    if (this.closing) background(holding(this.#closeLink()), this.#onError);
    else if (this.results.size === 0) this.#endWatch();
  }

  /** Rejects a call that has not begun in time. Nothing else uses its timer before it has begun. */
  #expireLater(call: Call, progress: CallProgress): void {
    const { expires } = progress.settings.options as { expires?: number };
    if (expires === undefined || expires === Infinity) return;
    progress.timer = startTimer(expires, () => {
      // A chunk begins as one.
      const calls = call.worker instanceof SentCall ? call.worker.calls : [call];
      for (const one of calls) {
        if (!this.takeBack(one)) continue;
        this.reject(one, new TimeoutError(`The call has not begun within ${expires} ms`), "expired");
      }
      this.closeIfDone();
    });
  }

  /** Adds lost calls again, and looks for others: data are seldom lost one by one. */
  #recover(lost: readonly SentCall[]): void {
    this.#settings.notices.error(new Error("Redis has lost calls, which are added again if they may be"), "lost");
    background(this.#addAgain(lost), this.#onError);
  }

  /** Adds a call again that a host has stopped as it took this executor for dead: it was cut off from Redis. */
  #reclaim(sent: SentCall): void {
    const { notices, orphanTimeout } = this.#settings;
    const what = `Hosts have stopped calls of this executor, as it could not reach Redis for ${orphanTimeout} ms`;
    notices.error(new Error(`${what}: they are added again if they may be`), "orphaned");
    const again = this.#link?.then((link) => {
      this.#outbox.resendAnew(link, sent);
      this.closeIfDone();
    });
    if (again) background(again, this.#onError);
  }

  async #addAgain(lost: readonly SentCall[]): Promise<void> {
    const link = await this.#link;
    if (!link) return;
    // Two look-ups at a time may both miss a job: what one of them has added again counts as lost once.
    this.#outbox.resend(link, lost.filter(({ id, added }) => added && this.#sent.get(id)));
    this.closeIfDone();
    if (this.#searching) return;
    this.#searching = true;
    try {
      await link.lookUp(this.#sent.all.filter(({ added }) => added).map(({ id }) => id));
    } finally {
      this.#searching = false;
    }
  }

  #lookUp(sent: readonly SentCall[], others: readonly string[] = []): void {
    const ids = [...sent.filter(({ added }) => added).map(({ id }) => id), ...others];
    if (ids.length > 0) void this.#link?.then((link) => link.lookUp(ids)).catch(() => {}); // the next check comes soon
  }

  /** While there is work, keeps the program alive and checks at intervals that no event was missed. */
  #stayAlive(): void {
    if (this.#ending) return; // what was heard last can lead to no more work
    this.#watch ??= setInterval(() => {
      this.#link?.then((link) => {
        const { connectTimeout } = this.#settings,
          silent = performance.now() - Math.max(link.heard, this.#closingSince);
        if (silent > connectTimeout) this.#giveUp();
        else if (silent > connectTimeout / 2) link.reconnect(); // the connection may be silent, and not Redis
        return link.check();
      }).catch(() => {}); // the next check comes soon
      this.#lookUp(this.#sent.oldest(CHECKED), this.results.ids.slice(0, CHECKED));
      if (this.#sent.size > 0 && this.#sent.active === 0) {
        background(this.#unserved.check(this.#link, this.waiting), this.#onError);
      }
    }, CHECK_INTERVAL);
  }

  #endWatch(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** It is shut down, and Redis does not answer: nothing more will become of the calls here. */
  #giveUp(): void {
    const { connectTimeout, notices } = this.#settings, { size } = this.#sent, unsent = this.queue.size + this.resting;
    this.break("Redis did not answer any more when the executor was shut down", undefined);
    for (const sent of this.#sent.all) {
      this.#sent.forget(sent);
      for (const call of sent.calls) this.reject(call, this.brokenError(), "broken");
    }
    const stops = this.#stops.abandon();
    const left = [
      ...(unsent > 0 ? [`calls that were not sent: ${unsent}`] : []),
      ...(size > 0 ? [`calls that were sent and may run: ${size}`] : []),
      ...(stops > 0 ? [`calls that were not told to stop: ${stops}`] : []),
    ];
    notices.line(leftBehind(connectTimeout, left));
    this.closeIfDone();
  }

  async #closeLink(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const link = this.#link;
    this.#link = undefined;
    this.#outbox.end();
    this.results.close();
    try {
      await (await link)?.close();
    } catch {
      // Redis was never reached.
    }
    this.#endWatch();
    this.close();
  }
}

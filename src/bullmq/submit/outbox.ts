// Sends calls: what was submitted in a tick becomes jobs in Redis.

import type { Call } from "../../executor/call.ts";
import type { FailureKind } from "../../executor/call_lifecycle.ts";
import type { CallQueue } from "../../executor/call_queue.ts";
import { type Deferred, deferred } from "../../future/deferred.ts";
import { background } from "../background.ts";
import { JobLostError } from "../errors.ts";
import { jobOf, type NewJob, parcelsOf, redeliveriesOf } from "./call_job.ts";
import type { Link } from "./link.ts";
import type { ClusterSettings } from "./options.ts";
import { MOST_ITEMS } from "../protocol.ts";
import { SentCall, type SentCallActions } from "./sent_call.ts";
import type { SentCalls } from "./sent_calls.ts";

/**
 * From this number of calls on a bulk is full. Redis answers nobody else while it adds them, and unsent calls are easy to
 * cancel.
 */
const BULK = 500;

/** What the outbox asks of its engine. */
interface OutboxActions extends SentCallActions {
  /** The link to Redis. */
  link(): Promise<Link>;
  /** Whether the executor is broken. */
  isBroken(): boolean;
  /** Calls have left the queue, and `size` jobs were made of them. */
  onBatch(size: number): void;
  /** Redis has added the jobs of these calls. */
  onAdded(sent: readonly SentCall[]): void;
  /** A call cannot be sent. */
  onRefused(call: Call, reason: unknown, kind: FailureKind): void;
  /** Calls have failed whose job Redis may have, or may get: `adding` resolves when it is known. */
  onAbandoned(sent: SentCall, adding: Promise<void> | undefined): void;
  /** Nobody wants the result of a call any more. */
  onUnwanted(call: Call): void;
  /** Redis cannot be reached. */
  onUnreachable(cause: unknown): void;
}

/** Sends the calls of an executor's queue. */
export class Outbox {
  readonly #queue: CallQueue<Call>;
  readonly #sent: SentCalls;
  readonly #owner: string;
  readonly #settings: ClusterSettings;
  readonly #actions: OutboxActions;
  #lastId = 0;
  #sending = false;
  /** The sending that is under way, or was the last. */
  #flushing: Promise<void> | undefined;
  /** Those who wait until all calls are sent. */
  readonly #acceptances = new Set<Deferred<void>>();
  #flushQueued = false;

  constructor(
    queue: CallQueue<Call>,
    sent: SentCalls,
    owner: string,
    settings: ClusterSettings,
    actions: OutboxActions,
  ) {
    this.#queue = queue;
    this.#sent = sent;
    this.#owner = owner;
    this.#settings = settings;
    this.#actions = actions;
  }

  /** Sends the calls in the queue at the end of the tick. */
  flushSoon(): void {
    if (this.#flushQueued || this.#sending) return;
    this.#flushQueued = true;
    queueMicrotask(() => {
      this.#flushQueued = false;
      this.#flushing = this.#flush();
      background(this.#flushing, this.#actions.onUnreachable);
    });
  }

  /**
   * Waits until Redis has whatever is to be sent.
   *
   * @throws (rejects) the reason when a call cannot be sent meanwhile.
   */
  async accepted(): Promise<void> {
    const acceptance = deferred<void>();
    this.#acceptances.add(acceptance);
    try {
      await Promise.race([this.sentAll(), acceptance.promise]);
    } finally {
      this.#acceptances.delete(acceptance);
    }
  }

  /** Nothing more is sent: all calls are settled, as the executor ends; or they have failed, for a reason. */
  end(failure?: { readonly reason: unknown }): void {
    for (const acceptance of this.#acceptances) {
      if (failure) acceptance.reject(failure.reason);
      else acceptance.resolve();
    }
  }

  /** Waits until Redis has, or has refused, whatever is to be sent. */
  async sentAll(): Promise<void> {
    while (this.#flushQueued || this.#sending) await (this.#flushQueued ? undefined : this.#flushing);
    await Promise.all(this.#sent.all.filter(({ added }) => !added).map(({ adding }) => adding));
  }

  #cannotSend(call: Call, reason: unknown, kind: FailureKind): void {
    for (const acceptance of this.#acceptances) acceptance.reject(reason);
    this.#actions.onRefused(call, reason, kind);
  }

  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      const link = await this.#actions.link();
      let before: Promise<void> | undefined;
      while (this.#queue.size > 0 && !this.#actions.isBroken()) {
        const { batch, isFull } = this.#nextBatch();
        if (batch.length === 0) continue;
        const sent = batch.map(({ sent }) => sent);
        const added = this.#add(link, batch.map(({ job }) => job), sent);
        // Two full bulks are on their way at most: Redis has work while the next is made, and the other calls wait here, where
        // they are easily taken back.
        await before;
        before = isFull ? added : undefined;
      }
    } catch (error) {
      this.#actions.onUnreachable(error);
    } finally {
      this.#sending = false;
    }
  }

  /**
   * Adds jobs again that Redis has lost, if their calls may be delivered again. The arguments are read again, as for
   * `retryOn`.
   */
  resend(link: Link, lost: readonly SentCall[]): void {
    const jobs: NewJob[] = [], again: SentCall[] = [];
    for (const sent of lost) {
      try {
        if (sent.losses++ >= redeliveriesOf(sent.first)) throw lostTooOften(sent.losses);
        sent.renew();
        const parcels = parcelsOf(sent.calls, this.#settings.maxPayload, (_, error) => {
          throw error;
        });
        if (parcels.length > 1) throw new RangeError("The arguments of the chunk have become longer than 'maxPayload'");
        jobs.push({ ...jobOf(parcels[0]!, sent.id, this.#owner, this.#settings), id: sent.id, delayed: sent.delayed });
        again.push(sent);
      } catch (error) {
        this.#refuse(sent, error, error instanceof JobLostError ? "lost" : "unsendable");
      }
    }
    for (const sent of again) {
      this.#sent.setActive(sent, false);
      sent.addedAt = Infinity;
    }
    if (again.length === 0) return;
    background(this.#add(link, jobs, again), (error) => this.#settings.notices.error(error));
  }

  /** Adds a call again whose job is done, as another job, which is not that of its key any more. */
  resendAnew(link: Link, done: SentCall): void {
    if (!this.#sent.forget(done)) return;
    const sent = new SentCall({ id: this.#nextId(), delayed: undefined }, done.calls, this.#actions);
    sent.losses = done.losses;
    this.#sent.add(sent);
    this.resend(link, [sent]);
  }

  #nextId(): string {
    return `${this.#owner}-${this.#lastId++}`;
  }

  #add(link: Link, jobs: readonly NewJob[], sent: readonly SentCall[]): Promise<void> {
    let unanswered: Promise<unknown> | undefined;
    const added = link.add(jobs, (attempt) => {
      unanswered = attempt;
      const answered = () => unanswered = undefined;
      attempt.then(answered, answered);
    }).then(
      () => this.#added(sent),
      (error) => this.#refused(link, sent, error, unanswered),
    );
    for (const one of sent) one.adding = added;
    return added;
  }

  #nextBatch(): { batch: { job: NewJob; sent: SentCall }[]; isFull: boolean } {
    const batch: { job: NewJob; sent: SentCall }[] = [];
    let count = 0;
    while (count < BULK) {
      const next = this.#nextCalls();
      if (next.length === 0) break;
      for (
        const parcel of parcelsOf(
          next,
          this.#settings.maxPayload,
          (call, reason) => this.#cannotSend(call, reason, "unsendable"),
        )
      ) {
        const { calls } = parcel;
        if (!calls[0]!.wanted) { // its map() has ended while arguments were read
          calls.forEach(this.#actions.onUnwanted);
          continue;
        }
        const job = jobOf(parcel, this.#nextId(), this.#owner, this.#settings);
        const sent = new SentCall(job, calls, this.#actions);
        this.#sent.add(sent);
        batch.push({ job, sent });
        count += calls.length;
      }
    }
    this.#actions.onBatch(batch.length);
    return { batch, isFull: count >= BULK };
  }

  /** The next call of the queue, or those of the next chunk. */
  #nextCalls(): Call[] {
    const calls: Call[] = [];
    do {
      const call = this.#queue.shift();
      if (!call) break;
      calls.push(call);
    } while (calls.length < MOST_ITEMS && calls[0]!.chunk && this.#queue.head?.chunk === calls[0]!.chunk);
    return calls;
  }

  #added(sent: readonly SentCall[]): void {
    const addedAt = performance.now();
    for (const one of sent) one.addedAt = addedAt;
    this.#actions.onAdded(sent);
  }

  /**
   * Each job of a bulk is judged by itself: Redis may have taken it before it refused another. When Redis does not tell, or has
   * an attempt `unanswered`, the calls fail, and what it may have is stopped as soon as it is there again.
   */
  async #refused(
    link: Link,
    sent: readonly SentCall[],
    reason: unknown,
    unanswered: Promise<unknown> | undefined,
  ): Promise<void> {
    const present = unanswered ? undefined : await link.present(sent.map(({ id }) => id)).catch(() => undefined);
    this.#added(sent.filter(({ id }) => present?.has(id)));
    for (const one of sent) {
      if (present?.has(one.id) || !this.#refuse(one, reason, "refused") || present) continue;
      this.#actions.onAbandoned(one, unanswered?.then(() => {}, () => {}));
    }
  }

  /** The calls of a job cannot be sent. Returns whether anybody has waited for them. */
  #refuse(sent: SentCall, reason: unknown, kind: FailureKind): boolean {
    if (!this.#sent.forget(sent)) return false;
    for (const call of sent.calls) this.#cannotSend(call, reason, kind);
    return true;
  }
}

function lostTooOften(count: number): JobLostError {
  const often = count === 1 ? "" : ` ${count} times`;
  return new JobLostError(
    `Redis has lost the job of the call${often}: its data were dropped, evicted or not kept, or the executor was cut off`,
  );
}

// The way out: what was submitted in a tick becomes jobs in Redis.

import type { Call } from "../../executor/call.ts";
import type { CallQueue } from "../../executor/call_queue.ts";
import { jobOf, type NewJob } from "./call_job.ts";
import type { Link } from "./link.ts";
import type { ClusterSettings } from "./options.ts";
import { SentCall, type SentCallActions } from "./sent_call.ts";
import type { SentCalls } from "./sent_calls.ts";

/** Jobs that are added in one go: Redis answers nobody else meanwhile, and what is not sent yet can still be cancelled. */
const BULK = 500;

/** What it needs of the executor. */
interface OutboxActions extends SentCallActions {
  /** The line to Redis. */
  link(): Promise<Link>;
  /** Whether nothing can be sent any more. */
  isBroken(): boolean;
  /** Jobs were made of calls. */
  onBatch(size: number): void;
  /** Redis has them. */
  onAdded(sent: readonly SentCall[]): void;
  /** A call cannot be a job. */
  onRefused(call: SentCall["call"], reason: unknown): void;
  /** There is no way to Redis. */
  onUnreachable(cause: unknown): void;
}

/** Sends the calls of a queue. */
export class Outbox {
  readonly #queue: CallQueue<Call>;
  readonly #sent: SentCalls;
  readonly #owner: string;
  readonly #settings: ClusterSettings;
  readonly #actions: OutboxActions;
  #lastId = 0;
  #sending = false;
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

  /** Sends what is in the queue, at the end of the tick. */
  flushSoon(): void {
    if (this.#flushQueued || this.#sending) return;
    this.#flushQueued = true;
    queueMicrotask(() => {
      this.#flushQueued = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      const link = await this.#actions.link();
      let before: Promise<void> | undefined;
      while (this.#queue.size > 0 && !this.#actions.isBroken()) {
        const batch = this.#nextBatch();
        if (batch.length === 0) continue;
        const sent = batch.map(({ sent }) => sent);
        const added = link.add(batch.map(({ job }) => job)).then(
          () => this.#added(sent),
          (error) => this.#refused(sent, error),
        );
        for (const one of sent) one.adding = added;
        // Of full ones, two are under way: Redis has something to do while the next is made, and what is not sent yet
        // can be taken back more easily.
        await before;
        before = batch.length === BULK ? added : undefined;
      }
    } catch (error) {
      this.#actions.onUnreachable(error);
    } finally {
      this.#sending = false;
    }
  }

  #nextBatch(): { job: NewJob; sent: SentCall }[] {
    const batch: { job: NewJob; sent: SentCall }[] = [];
    while (batch.length < BULK) {
      const call = this.#queue.shift();
      if (!call) break;
      try {
        const job = jobOf(call, `${this.#owner}-${this.#lastId++}`, this.#owner, this.#settings);
        const sent = new SentCall(job.id, call, this.#actions);
        this.#sent.add(sent);
        batch.push({ job, sent });
      } catch (error) {
        this.#actions.onRefused(call, error);
      }
    }
    this.#actions.onBatch(batch.length);
    return batch;
  }

  #added(sent: readonly SentCall[]): void {
    for (const one of sent) one.added = true;
    this.#actions.onAdded(sent);
  }

  #refused(sent: readonly SentCall[], reason: unknown): void {
    for (const one of sent) {
      if (this.#sent.forget(one)) this.#actions.onRefused(one.call, reason);
    }
  }
}

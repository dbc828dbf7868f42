// Receives replies: what Redis says about jobs settles their calls.

import { CancelledError } from "../../future/errors.ts";
import type { Call } from "../../executor/call.ts";
import type { CallLifecycle } from "../../executor/call_lifecycle.ts";
import { keyOf } from "./call_job.ts";
import type { KeyResults } from "./key_results.ts";
import type { LinkEvents } from "./link.ts";
import { Durations, type MetricLabels, writeMetrics } from "../metrics.ts";
import type { ClusterSettings } from "./options.ts";
import { type CancelledReply, type ItemReply, LONGEST_NAME, type Reply } from "../protocol.ts";
import { NO_REPLY, readItem } from "./read_item.ts";
import type { SentCall } from "./sent_call.ts";
import type { SentCalls } from "./sent_calls.ts";
import type { Stops } from "./stops.ts";

/** The message when a job is gone that was there. */
const REMOVED = "The job was removed from its queue";

/** What the inbox asks of its engine. */
interface InboxActions {
  /** A call was settled; or, if not, a host has got or given back a call. */
  onChange(settled: boolean): void;
  /** Events may have been missed: all jobs must be looked up. */
  onUncertain(): void;
  /** The jobs of these calls are lost. */
  onLost(sent: readonly SentCall[]): void;
  /** A host has stopped a call as it took this executor for dead. */
  onOrphaned(sent: SentCall): void;
}

/** Settles the sent calls of an executor. */
export class Inbox implements LinkEvents {
  /** How often a call of this executor has lost its host. */
  lost = 0;
  /** How often the connection to Redis was lost. */
  #reconnects = 0;
  /** How long calls took, from their sending to their reply; a chunk is one, and each attempt is. */
  readonly #durations: Durations = new Durations();
  readonly #owner: string;
  readonly #sent: SentCalls;
  readonly #stops: Stops;
  readonly #results: KeyResults;
  readonly #calls: CallLifecycle;
  readonly #settings: ClusterSettings;
  readonly #actions: InboxActions;

  constructor(
    owner: string,
    sent: SentCalls,
    stops: Stops,
    results: KeyResults,
    calls: CallLifecycle,
    settings: ClusterSettings,
    actions: InboxActions,
  ) {
    this.#owner = owner;
    this.#sent = sent;
    this.#stops = stops;
    this.#results = results;
    this.#calls = calls;
    this.#settings = settings;
    this.#actions = actions;
  }

  /** What stats() does not tell, in Prometheus' text. */
  metrics(labels: MetricLabels): string {
    const help = "How often this program has lost its connection to Redis.", samples = [{ value: this.#reconnects }];
    const reconnects = writeMetrics([{ name: "futures_reconnects_total", type: "counter", help, samples }], labels);
    const took = "How long calls took until their results were here.";
    return reconnects + this.#durations.write("futures_call_duration_seconds", took, labels);
  }

  waitsFor(id: string): boolean {
    return this.#sent.get(id) !== undefined || this.#results.has(id);
  }

  isWaiting(): boolean {
    return this.#sent.size + this.#stops.pending + this.#results.size > 0;
  }

  onActive(id: string): void {
    this.#setActive(id, true);
  }

  onReturned(id: string, lost: boolean): void {
    const sent = this.#sent.get(id);
    if (lost && sent) this.lost += sent.size;
    this.#setActive(id, false);
    if (this.#isUnwanted(id)) this.#stops.tell(id);
  }

  onEnded(id: string): void {
    this.#stops.ended(id);
  }

  onReply(id: string, reply: Reply | undefined): void {
    this.#results.onReply(id, reply);
    const orphan = reply && "cancelled" in reply ? this.#orphan(id, reply) : undefined;
    if (orphan) return this.#actions.onOrphaned(orphan);
    const sent = this.#end(id);
    if (!sent) return;
    this.#durations.add(performance.now() - sent.since);
    this.#settle(sent, reply);
    this.#actions.onChange(true);
  }

  onFailed(id: string, reason: string): void {
    const error = () => new Error(`BullMQ has failed the job: ${reason.slice(0, LONGEST_NAME)}`);
    if (this.#results.has(id)) this.#results.onFailed(id, error());
    const sent = this.#end(id);
    if (!sent) return;
    this.#rejectAll(sent, error());
    this.#actions.onChange(true);
  }

  /** The job was removed: by another executor that shares its key, or by a person. */
  onRemoved(id: string): void {
    // Unless Redis has confirmed the job, it may not be there yet.
    if (this.#sent.get(id)?.added === false) return this.#stops.ended(id);
    this.#results.onRemoved(id, REMOVED);
    const sent = this.#end(id);
    if (!sent) return;
    this.#cancel(sent, REMOVED);
    this.#actions.onChange(true);
  }

  onMissing(ids: readonly string[], since: number): void {
    const lost: SentCall[] = [];
    for (const id of ids) {
      const sent = this.#sent.get(id);
      if (sent && sent.addedAt > since) continue; // it may not have been there yet
      if (!sent) this.#results.onMissing(id);
      // What nobody wants any more is as good as removed.
      if (!sent || this.#isUnwanted(id)) this.onRemoved(id);
      else lost.push(sent);
    }
    if (lost.length > 0) this.#actions.onLost(lost);
  }

  onUncertain(): void {
    this.#actions.onUncertain();
  }

  onReconnecting(): void {
    this.#reconnects++;
  }

  #settle(sent: SentCall, reply: Reply | undefined): void {
    if (!reply || "stored" in reply) return this.#rejectAll(sent, new Error(NO_REPLY));
    if ("cancelled" in reply) return this.#cancel(sent);
    const { places } = sent;
    // A failure may be that of a whole chunk.
    const each = "each" in reply
      ? reply.each
      : Array<ItemReply>("ok" in reply ? 1 : places).fill("ok" in reply ? reply.ok : reply);
    if (each.length !== places) return this.#rejectAll(sent, new Error(NO_REPLY));
    for (let place = 0; place < places; place++) {
      const call = sent.at(place);
      if (call) this.#settleOne(call, each[place]!);
    }
  }

  #settleOne(call: Call, reply: ItemReply): void {
    const outcome = readItem(reply, this.#settings);
    if (outcome.status === "fulfilled") this.#calls.fulfil(call, outcome.value);
    else this.#calls.reject(call, outcome.reason, outcome.kind);
  }

  #rejectAll(sent: SentCall, error: Error): void {
    for (const call of sent.calls) this.#calls.reject(call, error, "host");
  }

  /** Whether a job is to be stopped, or was to be. */
  #isUnwanted(id: string): boolean {
    return this.#stops.has(id) || this.#sent.get(id)?.stopping === true;
  }

  /**
   * What a host has stopped although it is wanted here, as it took this executor for dead. The job of a key may have been stopped
   * by another executor, or as that has died.
   */
  #orphan(id: string, { owner }: CancelledReply): SentCall | undefined {
    if (this.#settings.orphans !== "cancel") return undefined;
    const sent = this.#sent.get(id);
    if (!sent || this.#isUnwanted(id)) return undefined;
    return keyOf(sent.first) === undefined || owner === this.#owner ? sent : undefined;
  }

  #cancel(sent: SentCall, message?: string): void {
    for (const call of sent.calls) {
      const { aborted } = call.progress ?? {};
      this.#calls.cancel(call, aborted ? aborted.reason : new CancelledError(message));
    }
  }

  /** Notes that a job has ended. Returns its call, unless that is settled already. */
  #end(id: string): SentCall | undefined {
    this.#stops.ended(id);
    const sent = this.#sent.get(id);
    if (sent) this.#sent.forget(sent);
    return sent;
  }

  #setActive(id: string, active: boolean): void {
    const sent = this.#sent.get(id);
    if (!sent) return;
    this.#sent.setActive(sent, active);
    this.#actions.onChange(false);
  }
}

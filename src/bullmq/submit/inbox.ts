// The way back: what Redis tells about jobs settles their calls.

import {
  BrokenExecutor,
  BrokenProcessPool,
  BrokenThreadPool,
  CancelledError,
  TimeoutError,
  WorkerLostError,
} from "../../future/errors.ts";
import type { CallLifecycle } from "../../executor/call_lifecycle.ts";
import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import { decode, decodeFailure } from "../codec.ts";
import type { LinkEvents } from "./link.ts";
import type { ClusterSettings } from "./options.ts";
import { LONGEST_NAME, type Reply } from "../protocol.ts";
import type { SentCall } from "./sent_call.ts";
import type { SentCalls } from "./sent_calls.ts";
import type { Stops } from "./stops.ts";

/** The errors that hosts make themselves. */
const HOST_ERRORS: ReadonlyMap<string, ErrorConstructorLike> = new Map(
  [BrokenExecutor, BrokenProcessPool, BrokenThreadPool, TimeoutError, WorkerLostError]
    .map((type) => [type.name, type as ErrorConstructorLike]),
);

/** What it needs of the executor. */
interface InboxActions {
  /** A call is settled, or a host has it, or has it no more. */
  onChange(settled: boolean): void;
  /** Everything has to be looked up. */
  onUncertain(): void;
}

/** Settles calls. */
export class Inbox implements LinkEvents {
  /** Hosts that were lost with a call of this executor, once for each call. */
  lost = 0;
  readonly #sent: SentCalls;
  readonly #stops: Stops;
  readonly #calls: CallLifecycle;
  readonly #settings: ClusterSettings;
  readonly #actions: InboxActions;

  constructor(
    sent: SentCalls,
    stops: Stops,
    calls: CallLifecycle,
    settings: ClusterSettings,
    actions: InboxActions,
  ) {
    this.#sent = sent;
    this.#stops = stops;
    this.#calls = calls;
    this.#settings = settings;
    this.#actions = actions;
  }

  waitsFor(id: string): boolean {
    return this.#sent.get(id) !== undefined;
  }

  onTaken(id: string): void {
    this.#setTaken(id, true);
  }

  onReturned(id: string, lost: boolean): void {
    const sent = this.#sent.get(id);
    if (lost && sent) this.lost++;
    this.#setTaken(id, false);
    if (this.#stops.has(id) || sent?.call.progress?.aborted) void this.#stops.tell(id);
  }

  onEnded(id: string): void {
    this.#stops.ended(id);
  }

  onReply(id: string, reply: Reply | undefined): void {
    const sent = this.#end(id);
    if (!sent) return;
    try {
      this.#settle(sent, reply);
    } catch (error) {
      this.#calls.reject(sent.call, new Error("A host sent a malformed reply", { cause: error }), "final");
    }
    this.#actions.onChange(true);
  }

  onFailed(id: string, reason: string): void {
    const sent = this.#end(id);
    if (!sent) return;
    const shown = reason.slice(0, LONGEST_NAME);
    this.#calls.reject(sent.call, new Error(`BullMQ has failed the job: ${shown}`), "final");
    this.#actions.onChange(true);
  }

  /** Somebody has removed the job: another executor that shares its key, or a person. */
  onRemoved(id: string): void {
    // One that is not certainly there yet cannot be missed.
    if (this.#sent.get(id)?.added === false) return this.#stops.ended(id);
    const sent = this.#end(id);
    if (!sent) return;
    this.#cancel(sent, "The job was removed from its queue");
    this.#actions.onChange(true);
  }

  onUncertain(): void {
    this.#actions.onUncertain();
  }

  #settle(sent: SentCall, reply: Reply | undefined): void {
    const { call } = sent, { errorTypes, maxPayload } = this.#settings;
    if (!reply || "stored" in reply) {
      this.#calls.reject(call, new Error("The job returned nothing that a host of ours would say"), "final");
    } else if ("ok" in reply) {
      this.#calls.fulfil(call, decode(reply.ok, errorTypes, maxPayload));
    } else if ("cancelled" in reply) {
      this.#cancel(sent);
    } else {
      const ofHost = reply.by === "host";
      const error = decodeFailure(reply.failure, ofHost ? HOST_ERRORS : errorTypes, maxPayload);
      this.#calls.reject(call, error, ofHost ? "final" : "thrown");
    }
  }

  #cancel({ call }: SentCall, message?: string): void {
    const { aborted } = call.progress ?? {};
    this.#calls.cancel(call, aborted ? aborted.reason : new CancelledError(message));
  }

  /** A job has ended. Returns whose it was, if that is known. */
  #end(id: string): SentCall | undefined {
    this.#stops.ended(id);
    const sent = this.#sent.get(id);
    if (sent) this.#sent.forget(sent);
    return sent;
  }

  #setTaken(id: string, taken: boolean): void {
    const sent = this.#sent.get(id);
    if (!sent) return;
    this.#sent.setTaken(sent, taken);
    this.#actions.onChange(false);
  }
}

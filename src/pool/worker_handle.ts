// One worker as the scheduler sees it: its line, what state it is in, and the calls that it holds (held_calls.ts).

import type { Call, CallHolder, StreamOrders } from "../executor/call.ts";
import { assertInvariant } from "../invariant.ts";
import type { WorkerChannel, WorkerExit } from "../wire/channel.ts";
import { toFailure } from "../wire/failure.ts";
import type { ToWorker } from "../wire/messages.ts";
import { HeldCalls, type LeftCall } from "./held_calls.ts";
import { type OnUnsendable, Outgoing } from "./outgoing.ts";

/** starting -> ready -> leaving -> (gone); a worker that is lost skips some. */
export type WorkerState = "starting" | "ready" | "leaving";

/** A worker of the pool. */
export class WorkerHandle implements CallHolder {
  readonly name: string;
  /** Its number among the workers of the pool. */
  readonly index: number;
  readonly channel: WorkerChannel;
  readonly calls: HeldCalls;
  state: WorkerState = "starting";
  /** Takes no more calls, and ends when it has answered those that it holds. */
  retiring = false;
  /** Retires, too, as there may be fewer workers now. */
  surplus = false;
  /** Calls that no other worker may run: they are handed over before all others. */
  readonly pinned: Call[] = [];
  /** Whether it was asked to give back what it has not begun, and has not done so yet. */
  recalling = false;
  /** Whether it ends in order and has not said that its finalizer has run. */
  finalizing = false;
  /** Whether it waits for a call. */
  idle = false;
  /** When it fell idle, by `performance.now()`. */
  idleSince = 0;
  /** Why it was ended as a worker that cannot be relied on, and its state before that. */
  distrusted: { readonly was: WorkerState; readonly error: Error } | undefined = undefined;
  readonly #maxCalls: number;
  readonly #outgoing: Outgoing;
  /** The first call that it had not begun when it said goodbye; `uncaught`: by an error, and it may have gone on. */
  #farewell: { readonly unbegun: number; readonly uncaught: boolean } | undefined;
  #keepsAlive = true;

  /**
   * @param name The worker's name.
   * @param index Its number among the workers of the pool.
   * @param channel The line to it.
   * @param maxCalls The number of calls after which it retires.
   */
  constructor(name: string, index: number, channel: WorkerChannel, maxCalls: number) {
    this.name = name;
    this.index = index;
    this.channel = channel;
    this.calls = new HeldCalls(this, channel.claims);
    this.#outgoing = new Outgoing(channel, this.calls);
    this.#maxCalls = maxCalls;
  }

  /** Whether one more call can be handed over. An idle worker has room. */
  get hasRoom(): boolean {
    return this.#mayTake && !this.retires && this.pinned.length === 0;
  }

  /** Whether it can be handed its next pinned call, even if it retires after that. */
  get takesPinned(): boolean {
    return this.pinned.length > 0 && this.calls.size === 0 && this.#mayTake;
  }

  /** Whether no call and no answer will make it idle, or retire, and it does neither. */
  get isForgotten(): boolean {
    const { calls, pinned, idle, recalling, state, unreachable } = this;
    return state === "ready" && !idle && !recalling && !unreachable && pinned.length === 0 &&
      calls.first === calls.next;
  }

  get #mayTake(): boolean {
    return this.calls.hasRoom && !this.recalling && !this.unreachable && this.state === "ready";
  }

  /**
   * Whether a call may be handed to it behind those that it holds. Those that wait in a worker without claims have one priority:
   * it gives back all of them or none, and with those that a higher priority overtakes, others of that priority would come,
   * which overtake in their turn what other workers hold, without end.
   */
  takesBehind({ priority }: Pick<Call, "priority">): boolean {
    const { calls, channel } = this;
    return channel.claims !== undefined || calls.size < 2 || calls.last?.priority === priority;
  }

  /** Whether it has run as many calls as it may, or has to retire for another reason. */
  get retires(): boolean {
    return this.retiring || this.surplus || this.calls.handed >= this.#maxCalls;
  }

  /** Whether nothing can be sent to it any more. */
  get unreachable(): boolean {
    return this.#outgoing.isBroken;
  }

  /** Whether it has answered a call. */
  get proven(): boolean {
    return this.calls.first > 0;
  }

  /** Sends the calls that were handed over, see {@linkcode Outgoing.send}. */
  send(exact: boolean, onUnsendable: OnUnsendable): void {
    this.#outgoing.send(exact, onUnsendable);
  }

  withdraw(call: Call): boolean {
    return this.calls.withdraw(call);
  }

  begun(call: Call): boolean {
    return this.calls.hasBegun(call);
  }

  abort(call: Call, reason: unknown): void {
    this.#say(() => {
      if (!this.calls.has(call)) return;
      this.keepAlive(true);
      const failure = toFailure(reason, this.channel.clone, "The signal was aborted with a reason that");
      this.#tell({ kind: "abort", call: call.number, reason: failure });
    });
  }

  tell(call: Call, order: StreamOrders, transfer?: Transferable[]): void {
    if (order.kind === "more") {
      return this.#say(() => {
        if (!this.calls.has(call)) return;
        this.keepAlive(true);
        this.#tell({ ...order, call: call.number });
      });
    }
    if (this.state !== "leaving" && this.calls.has(call)) {
      this.#outgoing.post({ ...order, call: call.number }, transfer);
    }
  }

  rest(call: Call): void {
    if (this.calls.has(call)) this.keepAlive(false);
  }

  expect(): void {
    this.channel.expect?.();
  }

  /**
   * Asks a worker without claims for the calls that it has not begun.
   *
   * @param chunks Whether to ask for the rest of a chunk, too: it is not worth it for another worker.
   */
  recall(chunks: boolean): void {
    if (this.channel.claims || this.recalling || this.calls.size === 0) return;
    if (!chunks && this.calls.last?.chunk) return;
    this.recalling = true;
    this.#say(() => this.#tell({ kind: "recall" }));
  }

  /** Says something about calls, after those that are being sent. */
  #say(speak: () => void): void {
    this.#outgoing.afterCalls(() => {
      if (this.state !== "leaving") speak();
    });
  }

  #tell(message: ToWorker): void {
    try {
      this.channel.send(message);
    } catch {
      // The line is closed: the channel is about to say so, and what the worker held is settled then.
    }
  }

  /** The worker has given back the calls from `first` on; returns them, the youngest first. */
  recalled(first: number): Call[] {
    this.recalling = false;
    return this.calls.takeFrom(first);
  }

  /** The worker ends by its own will, and begins no call from `unbegun` on. */
  farewell(unbegun: number, uncaught: boolean): void {
    this.#farewell = { unbegun, uncaught };
  }

  /** The worker is gone; returns the calls that it held, the oldest first. */
  gone({ exitCode }: WorkerExit): LeftCall[] {
    // A worker that goes on after an error, as somebody has kept that from ending it, does not end by that error.
    if (this.#farewell?.uncaught && exitCode !== 1) this.#farewell = undefined;
    return this.calls.takeAll(this.#farewell?.unbegun);
  }

  /** Lets the worker keep the program alive, or not. */
  keepAlive(alive: boolean): void {
    if (alive === this.#keepsAlive) return;
    this.#keepsAlive = alive;
    this.channel.keepAlive(alive);
  }

  /** What holds whenever no call of it is being handed over. */
  assertInvariants(): void {
    const { calls } = this;
    calls.assertInvariants();
    assertInvariant(calls.sent === calls.next || this.unreachable, "what was handed over has been sent");
    assertInvariant(!this.idle || (this.hasRoom && calls.size === 0), "an idle worker has room, and holds nothing");
  }
}

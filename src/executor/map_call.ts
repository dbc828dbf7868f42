// The calls of a map(). They are made when their turn comes, so an item that waits costs no more than itself.

import { Call, type CallEngine, expectedCost } from "./call.ts";
import type { CallQueue, QueueEntry } from "./call_queue.ts";
import type { CallSettings } from "./call_options.ts";
import type { Future } from "../future/future.ts";
import { ReportFuture } from "./report_future.ts";
import { CANCELLED, FULFILLED, type FutureState, PENDING, REJECTED } from "../future/state.ts";
import type { TaskRecord } from "./task_table.ts";

/** What the calls of one map() share. */
export interface MapOwner {
  readonly engine: CallEngine;
  readonly task: TaskRecord;
  readonly settings: CallSettings | undefined;
  /** The arguments that an item stands for. */
  toArguments(item: unknown): readonly unknown[];
  /** Whether somebody may still take the results. */
  isWanted(): boolean;
  /** A call was made; calls are made in the order of their items. */
  drawn(call: MappedCall): void;
  /** A call is done. */
  completed(call: MappedCall): void;
}

/** The call of one item; it keeps its outcome until the iterator takes it. */
export class MappedCall extends Call {
  state: FutureState = PENDING;
  outcome: unknown = undefined;
  readonly #map: MapOwner;
  readonly #chunk: object | undefined;
  /** Made when its task reports something, for who listens. */
  #reported: ReportFuture | undefined;

  constructor(map: MapOwner, args: readonly unknown[], chunk: object | undefined) {
    super(map.engine, map.task, args, map.settings);
    this.#map = map;
    this.#chunk = chunk;
  }

  /** None for a call that may be stopped or run again, where the rest of the chunk would end with its worker. */
  override get chunk(): object | undefined {
    return this.progress?.settings.limited && !this.engine.keepsChunks ? undefined : this.#chunk;
  }

  override get wanted(): boolean {
    return this.#map.isWanted();
  }

  fulfil(value: unknown): void {
    this.#end(FULFILLED, value);
  }

  reject(reason: unknown): void {
    this.#end(REJECTED, reason);
  }

  cancel(reason: unknown): void {
    this.#end(CANCELLED, reason);
  }

  protected get reporting(): Future<unknown> | undefined {
    return this.wanted ? (this.#reported ??= new ReportFuture(this)).open : undefined;
  }

  #end(state: FutureState, outcome: unknown): void {
    this.state = state;
    this.outcome = outcome;
    this.#reported?.settle(state, outcome);
    this.#map.completed(this);
  }
}

/** Items of a map() that are queued together. */
export class MapSupply implements QueueEntry<Call> {
  queue: CallQueue<Call> | undefined = undefined;
  before: QueueEntry<Call> | undefined = undefined;
  after: QueueEntry<Call> | undefined = undefined;
  readonly #map: MapOwner;
  readonly #items: unknown[];
  readonly #isChunk: boolean;
  #next = 0;

  /**
   * @param map The map() that they belong to.
   * @param items The items; the supply changes the array.
   * @param isChunk Whether they are a chunk.
   */
  constructor(map: MapOwner, items: unknown[], isChunk: boolean) {
    this.#map = map;
    this.#items = items;
    this.#isChunk = isChunk;
  }

  get priority(): number {
    return 0;
  }

  get size(): number {
    return this.#items.length - this.#next;
  }

  get task(): TaskRecord {
    return this.#map.task;
  }

  get chunk(): object | undefined {
    return this.#isChunk ? this : undefined;
  }

  get wanted(): boolean {
    return this.#map.isWanted();
  }

  get cost(): number {
    return this.#isChunk ? Infinity : expectedCost(this.#map.task);
  }

  /** Drops the items that have no call yet. */
  drop(): void {
    this.#items.length = this.#next = 0;
  }

  draw(): MappedCall {
    const item = this.#items[this.#next];
    this.#items[this.#next++] = undefined;
    const call = new MappedCall(this.#map, this.#map.toArguments(item), this.chunk);
    this.#map.drawn(call);
    return call;
  }
}

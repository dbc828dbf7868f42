// The calls of a map(): made when their turn comes, so that an item that waits costs no more than itself.

import { Call, type CallEngine, expectedCost } from "./call.ts";
import type { CallQueue, QueueEntry } from "./call_queue.ts";
import type { CallSettings } from "./call_options.ts";
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
  /** A call is made; calls are, in the order of their items. */
  drawn(call: MappedCall): void;
  /** A call is done. */
  completed(call: MappedCall): void;
}

/** One item's call; it keeps its outcome until the iterator takes it. */
export class MappedCall extends Call {
  state: FutureState = PENDING;
  outcome: unknown = undefined;
  readonly #map: MapOwner;
  readonly #chunk: object | undefined;

  constructor(map: MapOwner, args: readonly unknown[], chunk: object | undefined) {
    super(map.engine, map.task, args, map.settings);
    this.#map = map;
    this.#chunk = chunk;
  }

  /** What may be stopped or run again is by itself: the rest of its chunk would end with its worker. */
  override get chunk(): object | undefined {
    return this.progress?.settings.limited ? undefined : this.#chunk;
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

  #end(state: FutureState, outcome: unknown): void {
    this.state = state;
    this.outcome = outcome;
    this.#map.completed(this);
  }
}

/** Items of a map() that wait in the queue. */
export class MapSupply implements QueueEntry<Call> {
  queue: CallQueue<Call> | undefined = undefined;
  before: QueueEntry<Call> | undefined = undefined;
  after: QueueEntry<Call> | undefined = undefined;
  readonly #map: MapOwner;
  readonly #items: unknown[];
  readonly #together: boolean;
  #next = 0;

  /**
   * @param map Whose items they are.
   * @param items The items; they are the supply's from now on.
   * @param together Whether they are a chunk.
   */
  constructor(map: MapOwner, items: unknown[], together: boolean) {
    this.#map = map;
    this.#items = items;
    this.#together = together;
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
    return this.#together ? this : undefined;
  }

  get wanted(): boolean {
    return this.#map.isWanted();
  }

  get cost(): number {
    return this.#together ? Infinity : expectedCost(this.#map.task);
  }

  /** Forgets what was not drawn. */
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

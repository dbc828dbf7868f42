// The calls of a map(): made when their turn comes, so that an item that waits costs no more than itself.

import { Call, expectedCost, type Waiting } from "./call.ts";
import type { CallQueue, Queued } from "./call_queue.ts";
import type { CallSettings } from "./call_options.ts";
import type { Task } from "./task_table.ts";

/** How a call ended, or that it has not. */
export const WAITING = 0, FULFILLED = 1, REJECTED = 2, CANCELLED = 3;

/** What the calls of one map() share. */
export interface MapOwner {
  readonly task: Task;
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
  state = WAITING;
  outcome: unknown = undefined;
  readonly #map: MapOwner;
  readonly #chunk: object | undefined;

  constructor(map: MapOwner, args: readonly unknown[], chunk: object | undefined) {
    super(map.task, args, map.settings);
    this.#map = map;
    this.#chunk = chunk;
  }

  /** What may be stopped or run again is by itself: the rest of its chunk would end with its worker. */
  override get chunk(): object | undefined {
    return this.limits?.settings.limited ? undefined : this.#chunk;
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

  #end(state: number, outcome: unknown): void {
    this.state = state;
    this.outcome = outcome;
    this.#map.completed(this);
  }
}

/** Items of a map() that wait in the queue. */
export class MapSupply implements Waiting {
  queue: CallQueue<Queued> | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
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

  get waiting(): number {
    return this.#items.length - this.#next;
  }

  get task(): Task {
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

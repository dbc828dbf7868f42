// The call of a stream(): it has a worker to itself, yields values while it runs, and pulls the items of its inputs.

import { Call, type CallEngine } from "./call.ts";
import type { CallSettings } from "./call_options.ts";
import type { Future } from "../future/future.ts";
import { CANCELLED, FULFILLED, REJECTED } from "../future/state.ts";
import { ReportFuture } from "./report_future.ts";
import { isInput, StreamInput } from "./stream_input.ts";
import type { TaskRecord } from "./task_table.ts";
import { toFailure } from "../wire/failure.ts";
import type { StreamNews, StreamOrder } from "../wire/messages.ts";

/** How a stream has ended. `counts`: as a failure, which somebody has to look at. */
export type StreamEnd =
  | { readonly failed: false }
  | { readonly failed: true; readonly reason: unknown; readonly counts: boolean };

/** What a call asks of its stream. */
export interface StreamOwner {
  /** Whether somebody may still take the values. */
  isWanted(): boolean;
  /** Values have come; false when they are more than may come. */
  yields(values: readonly unknown[]): boolean;
  /** The call is done. */
  settled(end: StreamEnd): void;
}

/** What a worker answers when its task has ended by itself, and was not left. */
const ENDED = true;

/** One stream on its way. */
export class StreamedCall extends Call {
  readonly #order: StreamOrder;
  readonly #owner: StreamOwner;
  readonly #inputs: ReadonlyMap<number, StreamInput>;
  /** It has yielded something, or read some of its inputs: it cannot be run again. */
  #hasBegun = false;
  /** Made for who listens to its reports, when the first comes. */
  #reported: ReportFuture | undefined;

  constructor(
    engine: CallEngine,
    task: TaskRecord,
    settings: CallSettings,
    args: readonly unknown[],
    owner: StreamOwner,
  ) {
    const { buffersize } = settings, inputs = new Map<number, StreamInput>();
    args.forEach((arg, index) => {
      if (!isInput(arg)) return;
      const input = new StreamInput(arg, buffersize, {
        send: (values, transfer) => this.#tell({ values, input: index, ended: false }, transfer),
        ended: (thrown) => this.#tellEnd(index, thrown),
      });
      inputs.set(index, input);
    });
    super(engine, task, args.map((arg, index) => inputs.has(index) ? undefined : arg), settings);
    this.#order = { buffersize, inputs: [...inputs.keys()] };
    this.#owner = owner;
    this.#inputs = inputs;
  }

  /** It does not share its worker: it may take any time, and can be stopped. */
  override get cost(): number {
    return Infinity;
  }

  /** Nobody takes more of it when the block of its group was left. */
  get endsWithBlock(): boolean {
    return true;
  }

  override get attempt(): number {
    return this.progress!.attempt;
  }

  override get wanted(): boolean {
    return this.#owner.isWanted() && !this.#hasBegun;
  }

  override get stream(): StreamOrder {
    return this.#order;
  }

  protected get reporting(): Future<unknown> | undefined {
    return this.#owner.isWanted() ? (this.#reported ??= new ReportFuture(this)).open : undefined;
  }

  /** Its worker may yield so many values more. */
  more(count: number): void {
    this.worker?.tell?.(this, { kind: "more", count });
  }

  /** Its worker waits until somebody takes values. */
  rest(): void {
    this.worker?.rest?.(this);
  }

  /** Somebody waits for its next value. */
  expect(): void {
    this.worker?.expect?.();
  }

  override hear(news: StreamNews): boolean {
    this.#hasBegun = true;
    if (news.kind === "yields") return this.#owner.yields(news.values);
    const input = this.#inputs.get(news.input);
    if (!input) return false;
    if (news.kind === "pull") return input.pull(news.count);
    input.close();
    return true;
  }

  fulfil(value: unknown): void {
    const { aborted } = this.progress!;
    this.#end(aborted && value !== ENDED ? { failed: true, reason: aborted.reason, counts: false } : { failed: false });
  }

  reject(reason: unknown): void {
    this.#end({ failed: true, reason, counts: true });
  }

  cancel(reason: unknown): void {
    this.#end({ failed: true, reason, counts: false });
  }

  #end(end: StreamEnd): void {
    for (const input of this.#inputs.values()) input.close();
    if (!end.failed) this.#reported?.settle(FULFILLED, undefined);
    else this.#reported?.settle(end.counts ? REJECTED : CANCELLED, end.reason);
    this.#owner.settled(end);
  }

  #tell(items: { values: readonly unknown[]; input: number; ended: boolean }, transfer?: Transferable[]): void {
    this.worker?.tell?.(this, { kind: "items", ...items }, transfer);
  }

  #tellEnd(input: number, thrown: { readonly reason: unknown } | undefined): void {
    const failure = thrown && toFailure(thrown.reason, structuredClone, "An input of a stream threw a value that");
    this.worker?.tell?.(this, { kind: "items", values: [], input, ended: true, ...(failure && { failure }) });
  }
}

// What a group is behind its methods: the calls that it waits for, the failures that nobody has seen, and what aborts it. Calls
// know it by their settings (call_options.ts), so it knows no executor, and may have calls of several.

import { type Deferred, deferred } from "../future/deferred.ts";
import { CancelledError, ShutdownError } from "../future/errors.ts";
import { bindCall, type CallControl, cancelFuture, Future, settleFuture } from "../future/future.ts";
import { type Abortable, unwatchSignal, watchSignal } from "../future/signal.ts";
import type { UnobservedFailures } from "../future/unobserved.ts";
import { checkFunction, checkOptions, checkSignal, optionNames } from "../wire/check.ts";
import { nextTurn } from "../wire/turn.ts";

/** Options of {@linkcode Executor.group}. */
export interface GroupOptions {
  /**
   * Aborts the group, with its reason, when it aborts.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
}

const ACTION = "make a group";
const GROUP_OPTIONS = optionNames<GroupOptions>({ signal: true });

/** Who hears of failures until they are observed. */
export type FailureSink = Pick<UnobservedFailures, "add" | "remove">;

/** A failure that nobody has observed, or the reason of a signal. */
interface Failure {
  readonly reason: unknown;
  /** Whether the group fails with it, whoever looks at it later. */
  counted: boolean;
}

/** A call of a group, or the block of a group inside. */
export interface Member extends Abortable {
  /** It ends when the block is left, as nobody may come to take more of it: a stream. */
  readonly endsWithBlock?: boolean;
}

/** A map() of a group. */
interface ScopedMap {
  /** Ends the iteration for a reason. */
  stop(reason: unknown): void;
}

/** The calls of one group. */
export class Scope implements Abortable {
  readonly #parent: Scope | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #controller = new AbortController();
  /** Calls that are not settled, and blocks of groups inside that have not ended. */
  readonly #members = new Set<Member>();
  readonly #maps = new Set<ScopedMap>();
  /** Groups inside that have not ended. */
  readonly #inner = new Set<Scope>();
  /** In the order in which they happened. */
  readonly #failures = new Map<object, Failure>();
  #aborted: { readonly reason: unknown } | undefined;
  /** The block was left: its end, when all members have ended. */
  #left: Deferred<void> | undefined;
  #over = false;
  #isLooking = false;
  /** Its block is a function, which runs. */
  #runs = false;

  /**
   * @param parent The group that this one is in.
   * @param signal What aborts it.
   */
  constructor(parent: Scope | undefined, signal: AbortSignal | undefined) {
    parent?.assertOpen("make a group in");
    this.#parent = parent;
    this.#outer = signal;
    if (parent) parent.#inner.add(this);
    if (parent && parent.#aborted) this.#abort(parent.#aborted.reason);
    else if (signal?.aborted) this.abort(signal.reason);
    else if (signal) watchSignal(signal, this);
  }

  /** Aborts with the group. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the group was aborted. */
  get aborted(): { readonly reason: unknown } | undefined {
    return this.#aborted;
  }

  /**
   * Throws when the group has ended.
   *
   * @param action What cannot be done, for the message: "submit a task to".
   * @throws {ShutdownError} when its block was left, and all its calls are done.
   */
  assertOpen(action: string): void {
    if (this.#over) throw new ShutdownError(`Cannot ${action} a group that has ended: its block was left`);
  }

  /**
   * Throws when the block was left: a map() reads no more items then, as after a shutdown, and no stream begins.
   *
   * @param action What cannot be done, for the message.
   * @throws {ShutdownError} when it was.
   */
  assertInside(action = "read more items for map()"): void {
    if (this.#left) throw new ShutdownError(`Cannot ${action} as the block of its group was left`);
  }

  /** A call that the group waits for, until {@linkcode Scope.remove}. */
  add(call: Member): void {
    this.#members.add(call);
  }

  /** A call is done. Its Future is settled a moment later, and what that calls may submit more. */
  remove(call: Member): void {
    if (this.#members.delete(call)) this.#ended();
  }

  addMap(map: ScopedMap): void {
    this.#maps.add(map);
  }

  removeMap(map: ScopedMap): void {
    this.#maps.delete(map);
  }

  /**
   * Hears of failed Futures. What nobody has observed by the next turn of the event loop aborts the group: whoever waits for
   * the Future by wait() or asCompleted() is told in this turn, and may look.
   */
  readonly failures: FailureSink = {
    add: (call, reason) => {
      this.#failures.set(call, { reason, counted: false });
      this.#lookSoon();
    },
    remove: (call) => this.#forget(call),
  };

  /**
   * Hears of failed calls of map(), and of failed streams: they are for its reader, and count when the group ends before
   * somebody has taken them.
   */
  readonly unread: FailureSink = {
    add: (call, reason) => this.#failures.set(call, { reason, counted: false }),
    remove: (call) => this.#forget(call),
  };

  #forget(call: object): void {
    if (!this.#failures.get(call)?.counted) this.#failures.delete(call);
  }

  /** Its signal has aborted. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#failures.set(this, { reason, counted: true });
    this.#abort(reason);
  }

  #abort(reason: unknown): void {
    if (this.#aborted || this.#over) return;
    this.#aborted = { reason };
    this.#release();
    for (const map of [...this.#maps]) map.stop(reason);
    for (const inner of [...this.#inner]) inner.#abort(reason);
    for (const call of [...this.#members]) call.abort(reason);
    this.#controller.abort(reason);
  }

  /**
   * Runs a block. An error of it aborts the group.
   *
   * @returns What the block returns, when all members have ended.
   */
  run<T>(block: () => T | PromiseLike<T>): Promise<T> {
    const parent = this.#parent, ended = this.#run(block);
    if (!parent) return ended;
    // A Future, so that the group outside knows whether somebody has seen the failure.
    const future = new Future<T>(), member: Abortable = { abort() {} };
    const control: CallControl = { unobserved: parent.failures, withdraw: () => false, begun: () => true };
    bindCall(future, control);
    parent.add(member);
    ended.then((value) => settleFuture(future, "fulfilled", value), (reason) => {
      if (parent.#aborted && reason === parent.#aborted.reason) cancelFuture(future, reason);
      else settleFuture(future, "rejected", reason);
    }).finally(() => parent.remove(member));
    return future;
  }

  async #run<T>(block: () => T | PromiseLike<T>): Promise<T> {
    let value: T;
    this.#runs = true;
    try {
      value = await block();
    } catch (thrown) {
      // Whoever got the reason of the abort has passed it on: the failures of the group win over that, also those to come.
      const isPassedOn = this.#aborted !== undefined && thrown === this.#aborted.reason;
      if (!isPassedOn) this.#abort(new CancelledError("The block of the group has failed", { cause: thrown }));
      this.#runs = false;
      if (isPassedOn) await this.leave();
      else await this.leave().catch(() => {}); // the error of the block wins
      throw thrown;
    }
    this.#runs = false;
    await this.leave();
    return value;
  }

  /**
   * Leaves the block.
   *
   * @returns Resolves when all members have ended; rejects with what the group failed with. Again: the same.
   */
  leave(): Promise<void> {
    if (!this.#left) {
      this.#left = deferred();
      if (this.#over) this.#left.resolve(); // the group outside has ended, and told
      else {
        this.#endStreams(new CancelledError("The block of the group of this stream() was left"));
        this.#lookSoon();
      }
    }
    return this.#left.promise;
  }

  /** Ends the streams that are under way, also of groups inside, but of those whose own block still runs. */
  #endStreams(reason: CancelledError): void {
    for (const inner of [...this.#inner]) if (!inner.#runs) inner.#endStreams(reason);
    for (const member of [...this.#members]) if (member.endsWithBlock) member.abort(reason);
  }

  get #isIdle(): boolean {
    return this.#members.size === 0 && [...this.#inner].every((inner) => inner.#isIdle);
  }

  #ended(): void {
    if (this.#members.size > 0) return;
    if (this.#left) this.#lookSoon();
    if (this.#parent) this.#parent.#ended();
  }

  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    nextTurn(() => {
      this.#isLooking = false;
      this.#look();
    });
  }

  /** Fails if nobody has seen a failure, and ends if the block was left and nothing is under way. */
  #look(): void {
    if (this.#over) return;
    for (const [call, failure] of this.#failures) {
      // The reader of a map() or a stream() may still come, while the block goes on.
      if (failure.counted || (!this.#left && !(call instanceof Future))) continue;
      failure.counted = true;
      this.#abort(new CancelledError("A call of the group has failed", { cause: failure.reason }));
    }
    if (this.#left && this.#isIdle) this.#end(this.#left);
  }

  #end({ resolve, reject }: Deferred<void>): void {
    const reasons = this.#close();
    if (reasons.length > 1) reject(new AggregateError(reasons, `${reasons.length} failures in a group`));
    else if (reasons.length === 1) reject(reasons[0]);
    // The group outside was aborted: what was asked of this one was not done.
    else if (this.#aborted) reject(this.#aborted.reason);
    else resolve();
  }

  /** Ends; returns what the group has failed with. */
  #close(): unknown[] {
    this.#over = true;
    const inside = [...this.#inner].flatMap((inner) => inner.#close());
    const reasons = [...this.#failures.values()].map(({ reason }) => reason);
    for (const map of [...this.#maps]) map.stop(new CancelledError("The group of this map() has ended"));
    this.#failures.clear();
    this.#release();
    if (this.#parent) this.#parent.#inner.delete(this);
    return [...reasons, ...inside];
  }

  /** Stops watching the signal outside. */
  #release(): void {
    if (this.#outer) unwatchSignal(this.#outer, this);
  }
}

/**
 * The arguments of group(): options, a block, or both.
 *
 * @throws {TypeError} when one is of the wrong type.
 */
export function readGroupArguments<Block>(
  first: GroupOptions | Block | undefined,
  second: Block | undefined,
): { readonly signal: AbortSignal | undefined; readonly block: Block | undefined } {
  if (typeof first === "function" && second === undefined) return { signal: undefined, block: first };
  const options = (first ?? {}) as GroupOptions;
  checkOptions(ACTION, first === undefined ? options : first, GROUP_OPTIONS);
  checkSignal(ACTION, "signal", options.signal);
  checkFunction(ACTION, "block", second);
  return { signal: options.signal, block: second };
}

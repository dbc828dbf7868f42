// Waits for the results of calls with a key, whoever has submitted them.

import { CancelledError } from "../../future/errors.ts";
import { bindCall, type CallControl, cancelFuture, Future, settleFuture } from "../../future/future.ts";
import { background } from "../background.ts";
import { CallNotFoundError } from "../errors.ts";
import type { Reply } from "../protocol.ts";
import { idOfKey } from "./call_job.ts";
import type { Link } from "./link.ts";
import type { ClusterSettings } from "./options.ts";
import { NO_REPLY, readItem } from "./read_item.ts";

/** What they ask of their engine. */
interface KeyResultsActions {
  /** Waits until Redis has, or has refused, whatever this executor is sending: the call may be its own. */
  sentAll(): Promise<void>;
  /** The link to Redis. */
  link(): Promise<Link>;
  /** A Future waits: the program must stay alive for it. */
  onWork(): void;
  /** One Future less waits. */
  onDone(): void;
}

/** What the Futures have of the executor. */
interface FutureControl extends Pick<CallControl, "unobserved" | "refusesToBlock"> {
  /** Throws unless the executor may be used. */
  assertOpen(): void;
}

/** One Future, and the job that it waits for. */
interface Wait {
  readonly key: string;
  readonly future: Future<unknown>;
  /** The id of the job; `undefined` until it is known. */
  id: string | undefined;
}

/** The Futures of an executor that wait for results of keys. */
export class KeyResults {
  readonly #settings: ClusterSettings;
  readonly #control: FutureControl;
  readonly #actions: KeyResultsActions;
  readonly #waits = new Set<Wait>();
  /** Those whose job is known, by its id. */
  readonly #byId = new Map<string, Set<Wait>>();

  constructor(settings: ClusterSettings, control: FutureControl, actions: KeyResultsActions) {
    this.#settings = settings;
    this.#control = control;
    this.#actions = actions;
  }

  /** How many wait. */
  get size(): number {
    return this.#waits.size;
  }

  /** The ids of the jobs for which somebody waits. */
  get ids(): string[] {
    return [...this.#byId.keys()];
  }

  /** Whether somebody waits for a job. */
  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Makes the Future of the result of a key. To cancel it ends the waiting, and not the call. */
  get(key: string): Future<unknown> {
    this.#control.assertOpen();
    const future = new Future<unknown>(), wait: Wait = { key, future, id: undefined };
    const { unobserved, refusesToBlock } = this.#control;
    bindCall(future, { unobserved, refusesToBlock, withdraw: () => this.#forget(wait), begun: () => false });
    this.#waits.add(wait);
    this.#actions.onWork();
    background(this.#find(wait), (error) => this.#reject(wait, error));
    return future;
  }

  /** A job is done. */
  onReply(id: string, reply: Reply | undefined): void {
    for (const wait of this.#of(id)) this.#settle(wait, reply);
  }

  /** BullMQ has failed a job. */
  onFailed(id: string, error: Error): void {
    for (const wait of this.#of(id)) this.#reject(wait, error);
  }

  /** Somebody has removed a job. */
  onRemoved(id: string, message: string): void {
    for (const wait of this.#of(id)) this.#cancel(wait, message);
  }

  /** A job is not in Redis. */
  onMissing(id: string): void {
    for (const wait of this.#of(id)) {
      const what = `There is no call with the key '${wait.key}' in queue '${this.#settings.queue}'`;
      const why = "it was not submitted, or cancelled while it waited, or is done for longer than its 'keepJobs'";
      this.#reject(wait, new CallNotFoundError(`${what}: ${why}`));
    }
  }

  /** The executor has ended. */
  close(): void {
    for (const wait of [...this.#waits]) this.#cancel(wait, "The executor was shut down");
  }

  #of(id: string): Wait[] {
    return [...this.#byId.get(id) ?? []];
  }

  /** Finds the job of a key: the last one, if its executor has had the call run again. */
  async #find(wait: Wait): Promise<void> {
    const link = await this.#actions.link();
    await this.#actions.sentAll();
    let attempt = 1;
    while (await link.has(idOfKey(wait.key, attempt + 1))) attempt++;
    if (!this.#waits.has(wait)) return;
    const id = wait.id = idOfKey(wait.key, attempt), others = this.#byId.get(id);
    if (others) others.add(wait);
    else this.#byId.set(id, new Set([wait]));
    await link.lookUp([id]);
  }

  #settle(wait: Wait, reply: Reply | undefined): void {
    if (!reply || "stored" in reply || "each" in reply) return this.#reject(wait, new Error(NO_REPLY));
    if ("cancelled" in reply) return this.#cancel(wait);
    const outcome = readItem("ok" in reply ? reply.ok : reply, this.#settings);
    if (outcome.status === "rejected") this.#reject(wait, outcome.reason);
    else if (this.#forget(wait)) settleFuture(wait.future, "fulfilled", outcome.value);
  }

  #reject(wait: Wait, error: unknown): void {
    if (this.#forget(wait)) settleFuture(wait.future, "rejected", error);
  }

  #cancel(wait: Wait, message?: string): void {
    if (this.#forget(wait)) cancelFuture(wait.future, new CancelledError(message));
  }

  #forget(wait: Wait): boolean {
    if (!this.#waits.delete(wait)) return false;
    const { id } = wait, others = id === undefined ? undefined : this.#byId.get(id);
    if (others?.delete(wait) && others.size === 0) this.#byId.delete(id!);
    this.#actions.onDone();
    return true;
  }
}

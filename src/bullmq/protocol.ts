// What executors and hosts say to each other in Redis: the names of keys, the content of a job and of its reply. Another
// program has written what is read here, so it is checked field by field, and only fields that were checked are taken over.

import { isRecord } from "../wire/check.ts";

/** The data of a job: one call, or a chunk of calls of `map`. */
export interface JobData {
  /** The version of this protocol. */
  readonly futures: 1;
  /** The name under which hosts serve the module. */
  readonly module: string;
  /** The name of the module's export. */
  readonly name: string;
  /** The array of arguments, encoded; of a chunk, one for each of its items. */
  readonly args: string | readonly string[];
  /** How often the call is delivered again when its host is lost. */
  readonly redeliveries: number;
  /** As CallOptions has it, in milliseconds. */
  readonly timeout?: number;
  /** As CallOptions has it, in milliseconds. */
  readonly grace?: number;
  /** How often the host runs the call again when one of its workers is lost. */
  readonly retries?: number;
  /** Whether the call may have to be stopped while it runs. */
  readonly stoppable?: true;
  /** The id of the executor, if nobody wants the result when that has died. */
  readonly owner?: string;
}

/** The return value of a job. */
export type Reply =
  /** The result, encoded. */
  | { readonly ok: string }
  | FailureReply
  /** How each item of a chunk has ended, in their order. */
  | { readonly each: readonly ItemReply[] }
  | CancelledReply
  /** The reply is too long for a stream: it is under {@linkcode Keys.reply}. */
  | { readonly stored: true };

/** The call was stopped as an executor asked; or as its own, whose id is the `owner` then, counted as dead. */
export interface CancelledReply {
  readonly cancelled: true;
  readonly owner?: string;
}

/** The record of a failure, encoded; the task has thrown it, or the host could not run the call. */
export interface FailureReply {
  readonly failure: string;
  readonly by: "task" | "host";
}

/** How an item of a chunk has ended: its result, encoded, or the record of its failure. */
export type ItemReply = string | FailureReply;

/** Maximum number of items in a chunk, as each becomes a call of its own at its host: larger ones go as several. */
export const MOST_ITEMS = 10_000;

/** The names of a queue's keys. BullMQ documents its own; the others have `futures` in their names. */
export class Keys {
  readonly #base: string;

  constructor(prefix: string, queue: string) {
    this.#base = `${prefix}:${queue}`;
  }

  /** BullMQ's list of the jobs that wait. */
  get waiting(): string {
    return `${this.#base}:wait`;
  }

  /** BullMQ's set of the jobs that wait and have a priority. */
  get prioritized(): string {
    return `${this.#base}:prioritized`;
  }

  /** BullMQ's list of the jobs that hosts have. */
  get active(): string {
    return `${this.#base}:active`;
  }

  /** BullMQ's set that wakes workers which wait for jobs. */
  get marker(): string {
    return `${this.#base}:marker`;
  }

  /** BullMQ's stream of events. */
  get events(): string {
    return `${this.#base}:events`;
  }

  /** BullMQ's sets of the jobs that are finished, by when they were. */
  get finished(): readonly string[] {
    return [`${this.#base}:completed`, `${this.#base}:failed`];
  }

  /** What the keys of jobs begin with. */
  get jobs(): string {
    return `${this.#base}:`;
  }

  /** Says which host cleans the queue; it expires. */
  get cleaner(): string {
    return `${this.#base}:futures:cleaner`;
  }

  /** The stream with the ids of jobs that are to be stopped. */
  get stops(): string {
    return `${this.#base}:futures:stops`;
  }

  /** The set of the hosts' ids. */
  get hosts(): string {
    return `${this.#base}:futures:hosts`;
  }

  /** The record of a host, which expires unless the host renews it. */
  host(id: string): string {
    return `${this.#base}:futures:host:${id}`;
  }

  /** Says that an executor lives; it expires unless the executor renews it. */
  owner(id: string): string {
    return `${this.#base}:futures:owner:${id}`;
  }

  /** The reply of a job, if it is too long for a stream. */
  reply(jobId: string): string {
    return `${this.#base}:futures:reply:${jobId}`;
  }

  /** The hosts that could not run a job, by their ids, and how often each has had it. */
  refusals(jobId: string): string {
    return `${this.#base}:futures:refusals:${jobId}`;
  }

  /** BullMQ's hash with the fields of a job. */
  job(id: string): string {
    return `${this.#base}:${id}`;
  }
}

/** The default of `maxPayload`, in characters. Every reader takes texts of this length, whatever its own limit. */
export const MAX_PAYLOAD = 16 * 2 ** 20;

/** From this length on, in characters, a reply has a key of its own: every executor reads the whole stream of events. */
export const LONG_REPLY = 4096;

/** What the ids of the jobs of keyed calls begin with. */
export const KEYED = "key-";

/** How often a host says that it lives, in milliseconds. For so long it is not known when Redis has lost its data. */
export const HEARTBEAT = 5000;

/** What a host is doing; it renews this every few seconds. */
export interface HostStats {
  /** Its name. */
  readonly name: string;
  /** Its runtime: `"deno"`, `"bun"` or `"node"`. */
  readonly runtime: string;
  /** Maximum number of calls that run at the same time. */
  readonly workers: number;
  /** Calls that the host has; if they are short, it takes more than it has workers. */
  readonly running: number;
  /** Calls whose task has returned. */
  readonly completed: number;
  /** Calls that have failed. */
  readonly failed: number;
  /** Calls that were done lately, per second. */
  readonly rate: number;
  /** The names of the modules that the host serves. */
  readonly tasks: readonly string[];
}

/** Maximum length of a name, and of the id of a job, which has the key of its call escaped, in characters. */
export const LONGEST_NAME = 1000, LONGEST_ID = 10_000;

/** Maximum length of the record of a host, in bytes. */
export const LONGEST_HOST = 65_536;

/** Reads the data of a job; `undefined` when it is no call. */
export function readJob(data: unknown): JobData | undefined {
  if (!isRecord(data)) return undefined;
  const { futures, module, name, args, redeliveries, timeout, grace, retries, stoppable, owner } = data;
  if (futures !== 1 || !isName(module) || !isName(name) || !isArguments(args)) return undefined;
  if (!isCount(redeliveries) || (retries !== undefined && !isCount(retries))) return undefined;
  if ((timeout !== undefined && !isTime(timeout)) || (grace !== undefined && !isTime(grace))) return undefined;
  if ((stoppable !== undefined && stoppable !== true) || (owner !== undefined && !isName(owner))) return undefined;
  return {
    ...{ futures, module, name, args, redeliveries },
    ...(timeout === undefined ? undefined : { timeout }),
    ...(grace === undefined ? undefined : { grace }),
    ...(retries === undefined ? undefined : { retries }),
    ...(stoppable && { stoppable }),
    ...(owner === undefined ? undefined : { owner }),
  };
}

/** Reads the return value of a job; `undefined` when it is no reply. */
export function readReply(json: unknown): Reply | undefined {
  const reply = parse(json);
  if (!isRecord(reply)) return undefined;
  const { ok, each, cancelled, owner, stored } = reply;
  if (typeof ok === "string") return { ok };
  const failure = readFailure(reply);
  if (failure) return failure;
  if (Array.isArray(each)) return readEach(each);
  if (cancelled === true) return isName(owner) ? { cancelled, owner } : { cancelled };
  return stored === true ? { stored } : undefined;
}

function readFailure({ failure, by }: Record<string, unknown>): FailureReply | undefined {
  return typeof failure === "string" && (by === "task" || by === "host") ? { failure, by } : undefined;
}

function readEach(each: readonly unknown[]): Reply | undefined {
  if (each.length > MOST_ITEMS) return undefined;
  const items: ItemReply[] = [];
  for (const item of each) {
    const read = typeof item === "string" ? item : isRecord(item) ? readFailure(item) : undefined;
    if (read === undefined) return undefined;
    items.push(read);
  }
  return { each: items };
}

/** Reads the record of a host; `undefined` when it is malformed. */
export function readHost(json: string | null): HostStats | undefined {
  const host = parse(json);
  if (!isRecord(host)) return undefined;
  const { name, runtime, workers, running, completed, failed, rate, tasks } = host;
  if (!isName(name) || !isName(runtime) || !isCount(workers) || !isCount(running)) return undefined;
  if (!isCount(completed) || !isCount(failed) || !isTime(rate)) return undefined;
  if (!Array.isArray(tasks) || !tasks.every(isName)) return undefined;
  return { name, runtime, workers, running, completed, failed, rate, tasks };
}

/** Reads the id of a job that is to be stopped from an entry of the stream; `undefined` when it is malformed. */
export function readStop([name, id]: readonly string[]): string | undefined {
  return name === "job" && id !== undefined && id.length <= LONGEST_ID ? id : undefined;
}

function parse(json: unknown): unknown {
  if (typeof json !== "string") return json;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isArguments(value: unknown): value is string | string[] {
  if (!Array.isArray(value)) return typeof value === "string";
  return value.length > 0 && value.length <= MOST_ITEMS && value.every((text) => typeof text === "string");
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST_NAME;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether it can be a number of milliseconds, or of calls per second. */
function isTime(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

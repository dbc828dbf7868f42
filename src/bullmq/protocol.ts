// What executors and hosts say to each other in Redis: the names of keys, what is in a job and in its reply. Whatever is
// read here was written by another program: it is looked at field by field, and what is taken over is what was looked at.

/** What a job carries: one call. */
export interface JobData {
  /** The version of this protocol. */
  readonly futures: 1;
  /** The name under which hosts have registered the module. */
  readonly module: string;
  /** The export of it. */
  readonly name: string;
  /** The array of arguments, encoded. */
  readonly args: string;
  /** How often it is delivered again when its host is lost. */
  readonly redeliveries: number;
  /** Milliseconds, see CallOptions. */
  readonly timeout?: number;
  readonly grace?: number;
  /** How often the host runs it again when a worker of its own was lost. */
  readonly retries?: number;
  /** It may have to be stopped while it runs. */
  readonly stoppable?: true;
  /** The executor without which nobody wants the result. */
  readonly owner?: string;
}

/** What a job returns. */
export type Reply =
  /** The result, encoded. */
  | { readonly ok: string }
  /** The record of a failure, encoded, and whose it is: the task has thrown, or the host could not run it. */
  | { readonly failure: string; readonly by: "task" | "host" }
  /** It was stopped because it was told to. */
  | { readonly cancelled: true }
  /** One of these, too long for a stream: see {@linkcode Keys.reply}. */
  | { readonly stored: true };

/** The names of a queue's keys. Those of BullMQ are its documented layout; ours are below `futures`. */
export class Keys {
  readonly #base: string;

  constructor(prefix: string, queue: string) {
    this.#base = `${prefix}:${queue}`;
  }

  /** BullMQ's stream of events. */
  get events(): string {
    return `${this.#base}:events`;
  }

  /** The stream of job ids that are to be stopped. */
  get stops(): string {
    return `${this.#base}:futures:stops`;
  }

  /** The set of hosts' ids. */
  get hosts(): string {
    return `${this.#base}:futures:hosts`;
  }

  /** What a host says about itself; it expires. */
  host(id: string): string {
    return `${this.#base}:futures:host:${id}`;
  }

  /** It expires when the executor does not live any more. */
  owner(id: string): string {
    return `${this.#base}:futures:owner:${id}`;
  }

  /** A reply that is too long for a stream. */
  reply(jobId: string): string {
    return `${this.#base}:futures:reply:${jobId}`;
  }

  /** BullMQ's hash of a job. */
  job(id: string): string {
    return `${this.#base}:${id}`;
  }
}

/** The default of `maxPayload`, in characters. Every reader takes texts of this length, whatever its own limit. */
export const MAX_PAYLOAD = 16 * 2 ** 20;

/** From here on, in characters, a reply has a key of its own: the stream of events is read by every executor. */
export const LONG_REPLY = 4096;

/** What a host tells about itself, every few seconds. */
export interface HostStats {
  /** Its name. */
  readonly name: string;
  /** Its runtime: `"deno"`, `"bun"` or `"node"`. */
  readonly runtime: string;
  /** How many calls it runs at the same time. */
  readonly workers: number;
  /** Calls that it has, of short ones more than it has workers. */
  readonly running: number;
  /** Calls whose task has returned there. */
  readonly completed: number;
  /** Calls that have failed there. */
  readonly failed: number;
  /** Calls that were done lately, per second. */
  readonly rate: number;
  /** The names of the modules that it serves. */
  readonly tasks: readonly string[];
}

/** How long a name may be, and the id of a job, which is longer than the key of its call. */
export const LONGEST_NAME = 1000, LONGEST_ID = 10_000;

/** How much a host may say about itself, in bytes. */
export const LONGEST_HOST = 65_536;

/** Reads what a job carries; `undefined` when that is no call. */
export function readJob(data: unknown): JobData | undefined {
  if (!isRecord(data)) return undefined;
  const { futures, module, name, args, redeliveries, timeout, grace, retries, stoppable, owner } = data;
  if (futures !== 1 || !isName(module) || !isName(name) || typeof args !== "string") return undefined;
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

/** Reads a reply; `undefined` when it is none. */
export function readReply(json: unknown): Reply | undefined {
  const reply = parse(json);
  if (!isRecord(reply)) return undefined;
  const { ok, failure, by, cancelled, stored } = reply;
  if (typeof ok === "string") return { ok };
  if (typeof failure === "string" && (by === "task" || by === "host")) return { failure, by };
  if (cancelled === true) return { cancelled };
  return stored === true ? { stored } : undefined;
}

/** Reads what a host tells about itself; `undefined` when that is nothing. */
export function readHost(json: string | null): HostStats | undefined {
  const host = parse(json);
  if (!isRecord(host)) return undefined;
  const { name, runtime, workers, running, completed, failed, rate, tasks } = host;
  if (!isName(name) || !isName(runtime) || !isCount(workers) || !isCount(running)) return undefined;
  if (!isCount(completed) || !isCount(failed) || !isTime(rate)) return undefined;
  if (!Array.isArray(tasks) || !tasks.every(isName)) return undefined;
  return { name, runtime, workers, running, completed, failed, rate, tasks };
}

/** Reads which job is to be stopped; `undefined` when nobody of ours has said so. */
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST_NAME;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Milliseconds, or calls per second. */
function isTime(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

// The jobs that are to be stopped. A stop may come before its job does.

import type { CancelledReply } from "../protocol.ts";

/** How long the host remembers a stop, in milliseconds. */
const MEMORY = 60_000;

/** Maximum number of stops that it remembers, the last ones: more than their stream keeps. */
const MOST = 20_000;

/** Why a job is to be stopped. */
interface Stop {
  readonly since: number;
  /** Its executor, if that has died; otherwise an executor asks for it. */
  readonly owner: string | undefined;
}

/** Remembers the stops of one host. */
export class StoppedJobs {
  /** By the ids of the jobs. */
  readonly #stops = new Map<string, Stop>();

  /** A job is to be stopped, as an executor asks or as its `owner` has died. */
  add(id: string, owner: string | undefined): void {
    if (owner !== undefined && this.has(id)) return;
    this.#stops.set(id, { since: performance.now(), owner });
    if (this.#stops.size > MOST) this.#stops.delete(this.#stops.keys().next().value!);
  }

  /** Whether a job is to be stopped. */
  has(id: string): boolean {
    return this.#stops.has(id);
  }

  /**
   * The executor of a job lives. If the job was to be stopped as that had died, it is not: Redis has lost its data, the executor's
   * sign of life among them, and the job was added again.
   */
  revive(id: string, owner: string): void {
    if (this.#stops.get(id)?.owner === owner) this.#stops.delete(id);
  }

  /** What the host answers when it has stopped a job. */
  reply(id: string): CancelledReply {
    const owner = this.#stops.get(id)?.owner;
    return owner === undefined ? { cancelled: true } : { cancelled: true, owner };
  }

  /** Forgets old stops. */
  forget(): void {
    const before = performance.now() - MEMORY;
    for (const [id, { since }] of this.#stops) if (since < before) this.#stops.delete(id);
  }
}

// Removes jobs from Redis that no host has, and tells the hosts to stop the others.

import { background } from "../background.ts";
import type { Link } from "./link.ts";

/** What stops ask of their engine. */
interface StopsActions {
  /** The link to Redis, if it was ever opened. */
  link(): Promise<Link> | undefined;
  /** A stop has begun: the program must stay alive for it. */
  onWork(): void;
  /** A stop has ended. */
  onDone(): void;
  /** An error that no call has. */
  onError(error: unknown): void;
}

/** Stops the jobs of an executor. */
export class Stops {
  /** Ids of jobs that were told to stop and have not ended. When one goes to another host, that is told as well. */
  readonly #told = new Set<string>();
  readonly #actions: StopsActions;
  #pending = 0;
  #abandoned = false;

  constructor(actions: StopsActions) {
    this.#actions = actions;
  }

  /** How many stops are on their way to Redis. */
  get pending(): number {
    return this.#abandoned ? 0 : this.#pending;
  }

  /** Waits for none of them any more. Returns how many there were. */
  abandon(): number {
    const { pending } = this;
    this.#abandoned = true;
    return pending;
  }

  /** Stops a job, once Redis has added it. */
  tell(id: string, adding?: Promise<void>): void {
    this.#told.add(id);
    this.#pending++;
    this.#actions.onWork();
    background(this.#tell(id, adding), this.#actions.onError);
  }

  async #tell(id: string, adding: Promise<void> | undefined): Promise<void> {
    try {
      await adding;
      await (await this.#actions.link())?.stop(id);
    } catch (error) {
      this.#actions.onError(error); // Redis has refused the command, so no host can be told
    }
    this.#pending--;
    this.#actions.onDone();
  }

  /** Whether a job was told to stop and has not ended. */
  has(id: string): boolean {
    return this.#told.has(id);
  }

  /** A job has ended. */
  ended(id: string): void {
    this.#told.delete(id);
  }
}

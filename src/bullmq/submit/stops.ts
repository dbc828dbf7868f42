// Tells hosts to stop jobs, and Redis to forget those that no host has taken.

import type { Link } from "./link.ts";

/** What it needs of the executor. */
interface StopsActions {
  /** The line to Redis, if there ever was one. */
  link(): Promise<Link> | undefined;
  /** Work has come, which the program has to stay alive for. */
  onWork(): void;
  /** It is done. */
  onDone(): void;
}

/** The stops of an executor. */
export class Stops {
  /** Jobs that a host might have taken when they were told to stop: it is told again if it was another. */
  readonly #told = new Set<string>();
  readonly #actions: StopsActions;
  #pending = 0;

  constructor(actions: StopsActions) {
    this.#actions = actions;
  }

  /** How many are on their way. */
  get pending(): number {
    return this.#pending;
  }

  /** Stops a job, when it has been added. */
  async tell(id: string, adding?: Promise<void>): Promise<void> {
    this.#told.add(id);
    this.#pending++;
    this.#actions.onWork();
    try {
      await adding;
      await (await this.#actions.link())?.stop(id);
    } catch {
      // Redis has refused the command: nobody can be told.
    }
    this.#pending--;
    this.#actions.onDone();
  }

  /** Whether a job was told to stop, and has not ended yet. */
  has(id: string): boolean {
    return this.#told.has(id);
  }

  /** A job has ended. */
  ended(id: string): void {
    this.#told.delete(id);
  }
}

// Says when no host serves the queue: calls that wait for one would wait in silence.

import { readHosts } from "../hosts.ts";
import { HEARTBEAT } from "../protocol.ts";
import { report } from "../../report.ts";
import type { Link } from "./link.ts";

/** How long there has to be no host, in milliseconds: one may be starting, or Redis may have lost what they say. */
const PATIENCE = HEARTBEAT + 1000;

/** Looks for hosts while calls wait. */
export class Unserved {
  readonly #queue: string;
  /** Since when no host is known, by `performance.now()`. */
  #since: number | undefined;
  #said = false;
  #looking = false;

  constructor(queue: string) {
    this.#queue = queue;
  }

  /** Says once that no host serves the queue, and again only when there has been one in the meantime. */
  async check(link: Promise<Link> | undefined, waiting: number): Promise<void> {
    if (this.#looking || !link) return;
    this.#looking = true;
    try {
      const { redis, keys } = await link;
      if ((await readHosts(redis, keys)).length > 0) {
        this.#since = undefined;
        this.#said = false;
        return;
      }
      this.#since ??= performance.now();
      if (this.#said || performance.now() - this.#since < PATIENCE) return;
      this.#said = true;
      const calls = waiting === 1 ? "1 call waits" : `${waiting} calls wait`;
      report("No host serves queue", `'${this.#queue}'`, `${calls}. Start a host, or check its 'queue' and 'prefix'`);
    } catch {
      // Redis cannot be reached, which others say, or the keys hold anything.
    } finally {
      this.#looking = false;
    }
  }
}

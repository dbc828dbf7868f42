// What the tasks of a round have noted, and whether that can be. It is a file, read when the round is over, as a worker
// that is killed leaves nothing else. Tests in memory have a record of their own, tests/properties/ledger.ts, which tasks
// also ask what to do.

import { readFileSync } from "node:fs";

/** The notes of one call: its attempts, in the order in which they were noted. */
export interface Notes {
  readonly begun: number[];
  readonly ended: number[];
}

/** What the tasks say. */
export class Ledger {
  readonly problems: string[] = [];
  readonly #calls = new Map<number, Notes>();

  constructor(path: string) {
    const text = readFileSync(path, "utf8");
    if (text !== "" && !text.endsWith("\n")) this.problems.push("the ledger's last line is not whole");
    for (const line of text.split("\n").slice(0, -1)) this.#read(line);
  }

  /** The notes of a call; empty when it has not begun. */
  of(id: number): Notes {
    return this.#calls.get(id) ?? { begun: [], ended: [] };
  }

  /** The calls that have begun. */
  get ids(): Iterable<number> {
    return this.#calls.keys();
  }

  #read(line: string): void {
    const [, what, ...numbers] = /^([be]) (\d+) (\d+)$/.exec(line) ?? [];
    if (!what) return void this.problems.push(`the ledger has a line '${line}'`);
    const [id, attempt] = numbers.map(Number) as [number, number];
    let notes = this.#calls.get(id);
    if (!notes) this.#calls.set(id, notes = { begun: [], ended: [] });
    const { begun, ended } = notes;
    if (what === "b") {
      if (begun.includes(attempt)) this.problems.push(`call ${id} was run twice: attempt ${attempt}`);
      begun.push(attempt);
    } else {
      if (!begun.includes(attempt)) this.problems.push(`call ${id} ended, and had not begun: attempt ${attempt}`);
      if (ended.includes(attempt)) this.problems.push(`call ${id} ended twice: attempt ${attempt}`);
      ended.push(attempt);
    }
  }
}

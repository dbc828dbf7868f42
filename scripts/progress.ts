// Shows how far something has come: at a terminal as one line that changes, elsewhere as a line now and then.

import process from "node:process";

/** How often the line changes at a terminal, and how often there is a new one elsewhere, in milliseconds. */
const TERMINAL_INTERVAL = 200, LOG_INTERVAL = 30_000;

/** The progress of one thing. */
export class Progress {
  readonly #name: string;
  readonly #interval = process.stdout.isTTY ? TERMINAL_INTERVAL : LOG_INTERVAL;
  #shown = performance.now();

  constructor(name: string) {
    this.#name = name.padEnd(18);
    if (process.stdout.isTTY) process.stdout.write(this.#name);
  }

  /** Shows how far it has come, unless that was shown a moment ago. */
  show(text: string): void {
    const now = performance.now();
    if (now - this.#shown < this.#interval) return;
    this.#shown = now;
    this.#write(text, process.stdout.isTTY ? "" : "\n");
  }

  /** Puts what came of it in the place of the progress. */
  end(text: string): void {
    this.#write(text, "\n");
  }

  #write(text: string, after: string): void {
    process.stdout.write(`${process.stdout.isTTY ? "\r\x1b[2K" : ""}${this.#name}${text}${after}`);
  }
}

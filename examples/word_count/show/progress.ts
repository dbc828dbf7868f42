// How far a run is, on stderr, so that stdout begins with what came of it: a bar in a terminal, and plain lines elsewhere.

// deno-lint-ignore-file no-console -- printing is what a program is for

import process from "node:process";
import cliProgress from "cli-progress";
import { megabytes } from "../report.ts";

/** Plain lines come after so many parts of the whole. */
const LINES = 4;

/** Shows how much of a text was counted, in bytes. */
export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** Begins to show it, for a text of `total` bytes. */
export function showProgress(name: string, total: number): Progress {
  return process.stderr.isTTY ? bar(name, total) : lines(name, total);
}

function bar(name: string, total: number): Progress {
  const bar = new cliProgress.SingleBar({
    format: `${name.padEnd(9)} {bar} {percentage} % of ${megabytes(total)}, {duration_formatted}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(total, 0);
  return bar;
}

function lines(name: string, total: number): Progress {
  let told = 0;
  return {
    update(done) {
      const part = Math.floor((done / total) * LINES);
      if (part > told) console.error(`${name}: ${Math.floor((done / total) * 100)} % of ${megabytes(total)}`);
      told = part;
    },
    stop() {},
  };
}

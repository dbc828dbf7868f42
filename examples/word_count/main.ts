// Counts the words, letters and sentences of texts three times: serially, with threads and with processes. Checks that the counts
// agree, shows how much faster the workers were, and in timeline.svg who worked when.

// deno-lint-ignore-file no-console -- printing is what a program is for

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Batch, cut, textFiles } from "./batches.ts";
import { speeches } from "./corpus.ts";
import type { Counted, Job } from "./map_reduce.ts";
import * as processes from "./processes.ts";
import { showProgress } from "./show/progress.ts";
import { describeText, firstDifference, megabytes, number, speedUps, timeTable, wordTable } from "./report.ts";
import * as serial from "./serial.ts";
import * as threads from "./threads.ts";
import { drawTimeline, type Run } from "./show/timeline.ts";

const HELP = `Counts the words, letters and sentences of texts: serially, with threads and with processes.

  deno task demo [folder] [--workers N]
  bun  examples/word_count/main.ts [folder] [--workers N]
  node examples/word_count/main.ts [folder] [--workers N]

  folder         whose text files to read; by default the State of the Union addresses of the presidents of the
                 United States since 1900
  --workers N    how many threads, and processes; by default as many as can run at the same time here
  --help         this

Hidden folders are left out. Writes timeline.svg into the current folder. Exits with 1 when the three do not agree, and
with 2 when the command line is wrong or there is nothing to read.`;

/** Enough calls for each worker that the last ones of all end at about the same time. */
const CALLS_PER_WORKER = 16;

/** A batch is not smaller than this, as a call has its price too. */
const MIN_BATCH_BYTES = 64 * 1024;

/** With less to read, what is measured is mostly the start-up of the workers. */
const ENOUGH_BYTES = 5e6;

interface Input {
  readonly batches: readonly Batch[];
  readonly bytes: number;
  readonly workers: number;
  readonly description: string;
}

interface Measured extends Run, Counted {}

/** Reads the command line and finds the files. Nothing to do, if only help was wanted. */
function readInput(): Input | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { workers: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return void console.log(HELP);
  if (positionals.length > 1) {
    throw new TypeError(`Cannot count words in more than one folder: received ${positionals}`);
  }
  const workers = Number(values.workers ?? availableParallelism());
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`Cannot count words as --workers must be a positive integer: received ${values.workers}`);
  }
  const [folder] = positionals;
  const files = folder === undefined ? speeches() : textFiles(folder);
  if (files.length === 0) throw new TypeError(`Cannot count words as there is no text in '${folder}'`);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const batches = cut(files, Math.max(MIN_BATCH_BYTES, Math.ceil(bytes / (workers * CALLS_PER_WORKER))));
  const description = `${number(files.length)} files, ${megabytes(bytes)}, in ${batches.length} calls. ` +
    `${runtimeName()}, --workers ${workers}.`;
  return { batches, bytes, workers, description };
}

/** Does the job in one way, and shows that it goes on. */
async function measure(name: string, countAll: (job: Job) => Promise<Counted>, input: Input): Promise<Measured> {
  const progress = showProgress(name, input.bytes);
  let done = 0;
  const start = performance.now();
  try {
    const counted = await countAll({ ...input, onProgress: (bytes) => progress.update(done += bytes) });
    return { name, began: performance.timeOrigin + start, milliseconds: performance.now() - start, ...counted };
  } finally {
    progress.stop();
  }
}

/** Counts in all three ways and shows what came of it. Throws when they do not agree. */
async function compare(input: Input): Promise<void> {
  const first = await measure("serial", serial.countAll, input);
  const runs = [
    first,
    await measure("threads", threads.countAll, input),
    await measure("processes", processes.countAll, input),
  ];
  console.log(`${speedUps(availableParallelism(), runs)}\n\n${input.description}\n`);
  console.log(`${timeTable(runs)}\n\n${wordTable(first.counts)}\n`);
  for (const run of runs) {
    const difference = firstDifference(first, run);
    if (difference) throw new Error(`The three do not agree, as ${run.name} counted ${difference}: did a file change?`);
  }
  console.log(`All three agree: ${describeText(first)}.`);
  writeFileSync("timeline.svg", drawTimeline(input.description, runs));
  console.log(`Who worked when: ${resolve("timeline.svg")}`);
  if (input.bytes < ENOUGH_BYTES) {
    console.log(`${megabytes(input.bytes)} is little, and much of the time is start-up: a larger folder shows more.`);
  }
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  return deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`;
}

/** Ends the program with a message, and no stack: what went wrong is in the input. */
function fail(exitCode: number, message: string): void {
  console.error(message);
  process.exitCode = exitCode;
}

let input: Input | undefined;
try {
  input = readInput();
} catch (error) {
  fail(2, `${(error as Error).message}\nSee --help.`);
}
try {
  if (input) await compare(input);
} catch (error) {
  fail(1, (error as Error).message);
}

// Counts the words, letters and sentences of texts three times: with threads, with processes, and on two hosts, which are programs
// on different runtimes with a Redis server between. Checks that the counts agree, and shows who did what.

// deno-lint-ignore-file no-console -- printing is what a program is for

import process from "node:process";
import { parseArgs } from "node:util";
import { cut, textFiles } from "../word_count/batches.ts";
import { speeches } from "../word_count/corpus.ts";
import type { Counted, Job } from "../word_count/map_reduce.ts";
import * as processes from "../word_count/processes.ts";
import { describeText, firstDifference, megabytes, number, timeTable, wordTable } from "../word_count/report.ts";
import * as threads from "../word_count/threads.ts";
import type { Run } from "../word_count/show/timeline.ts";
import * as machines from "./machines.ts";
import { startHost, startRedis, twoRuntimes } from "./servers.ts";

const HELP = `Counts the words, letters and sentences of texts: with threads, with processes and on two hosts.

  deno task demo:cluster [folder] [--redis URL] [--host COMMAND]...
  bun  examples/cluster/main.ts [folder] [--redis URL] [--host COMMAND]...
  node examples/cluster/main.ts [folder] [--redis URL] [--host COMMAND]...

  folder          whose text files to read; by default the State of the Union addresses of the presidents of the
                  United States since 1900
  --redis URL     a Redis server that runs; by default one is started, where redis-server is installed
  --host COMMAND  what runs a host: deno, bun or node; by default this runtime and another
  --help          this

Exits with 1 when the three do not agree, and with 2 when the command line is wrong.`;

/** Workers of each executor, and threads of all hosts together. */
const WORKERS = 2;

/** So many calls, unless that makes them very small. */
const CALLS = 32, MIN_BATCH_BYTES = 64 * 1024;

async function measure(name: string, count: () => Promise<Counted>): Promise<Run & Counted> {
  const start = performance.now();
  const counted = await count();
  return { name, began: performance.timeOrigin + start, milliseconds: performance.now() - start, ...counted };
}

async function main(folder: string | undefined, redis: string | undefined, commands: readonly string[]): Promise<void> {
  const files = folder === undefined ? speeches() : textFiles(folder);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes === 0) throw new TypeError(`Cannot count words as there is no text in '${folder}'`);
  const batches = cut(files, Math.max(MIN_BATCH_BYTES, Math.ceil(bytes / CALLS)));
  console.log(`${number(files.length)} files, ${megabytes(bytes)}, in ${batches.length} calls.`);
  const job: Job = { batches, workers: WORKERS };

  await using own = redis === undefined ? await startRedis() : undefined;
  const address = redis ?? own!.address;
  await using first = await startHost(commands[0]!, address, WORKERS / 2);
  await using second = await startHost(commands[1]!, address, WORKERS / 2);
  console.log(`Hosts: ${first.address}, ${second.address}.\n`);

  const runs = [
    await measure("threads", () => threads.countAll(job)),
    await measure("processes", () => processes.countAll(job)),
    await measure("hosts", () => machines.countAll(job, address)),
  ];
  console.log(`${wordTable(runs[0]!.counts)}\n\n${timeTable(runs)}\n`);
  for (const run of runs) {
    const difference = firstDifference(runs[0]!, run);
    if (difference) throw new Error(`The three do not agree, as ${run.name} counted ${difference}: did a file change?`);
  }
  const { calls } = runs[2]!;
  for (const worker of new Set(calls.map((call) => call.worker))) {
    console.log(`${worker}: ${calls.filter((call) => call.worker === worker).length} calls`);
  }
  console.log(`All three agree: ${describeText(runs[2]!)}.`);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      redis: { type: "string" },
      host: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) console.log(HELP);
  else await main(positionals[0], values.redis, [...values.host, ...twoRuntimes()].slice(0, 2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}

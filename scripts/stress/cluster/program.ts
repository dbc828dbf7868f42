// The chaos run across machines with submitters on one runtime: the program that main.ts starts. Its last line is the result.
//
//   <runtime> program.ts <seconds> <seed> <folder>

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import { Cluster } from "../../../tests/support/bullmq_host.ts";
import { entryCounts } from "../../../tests/support/entry_counts.ts";
import { RedisServer } from "../../../tests/support/redis_server.ts";
import { Dice } from "../lib/dice.ts";
import { KINDS, NOTING } from "./calls.ts";
import { Faults } from "./faults.ts";
import { count, type Counts, type Verdict } from "../lib/verdict.ts";

/** Calls that are out at a time, about. */
const MOST = 60;

/** How long calls may take when nothing befalls anybody any more, in milliseconds. */
const PATIENCE = 60_000;

const [seconds, seed, folder] = process.argv.slice(2) as [string, string, string];
const injected: Counts = {}, survived: Counts = {};
const problems: string[] = [];
/** Calls that have returned, and whose task notes that in the ledger. */
const noted: number[] = [];
const ledger = join(folder, "ledger");
writeFileSync(ledger, "");

const server = await RedisServer.start({ appendOnly: true });
const cluster = new Cluster(server);
const executors: BullMQExecutor[] = [
  cluster.executor(),
  cluster.executor(),
  cluster.executor({ orphans: "cancel" }),
];
const faults = new Faults(cluster, server, new Dice(Number(seed), 1));
const out = new Map<number, string>();
const end = performance.now() + Number(seconds) * 1000;
const goesOn = () => problems.length === 0 && performance.now() < end;

await faults.begin();
await Promise.all([call(new Dice(Number(seed), 2)), strike(new Dice(Number(seed), 3))]);
await Promise.race([settled(), delay(PATIENCE)]);
checkLedger();
for (const [serial, kind] of out) problems.push(`${kind} ${serial} hangs`);
if (problems.length === 0) await checkEnd();

const verdict: Verdict = { injected, survived, problems };
process.stdout.write(`\n${JSON.stringify(verdict)}\n`);
await cluster[Symbol.asyncDispose]();
await server[Symbol.asyncDispose]();
process.stdout.write("\n", () => process.exit(problems.length === 0 ? 0 : 1));

/** Makes calls, alone and many at once. */
async function call(dice: Dice): Promise<void> {
  for (let serial = 0; goesOn();) {
    const executor = dice.pick(executors);
    for (let count = dice.oneIn(8) ? dice.int(1, 80) : dice.int(0, 3); count > 0; count--) {
      void follow(dice.pick(Object.keys(KINDS)), executor, dice, serial++);
    }
    await delay(dice.int(0, 60));
    while (out.size > MOST && goesOn()) await delay(50);
  }
}

async function follow(kind: string, executor: BullMQExecutor, dice: Dice, serial: number): Promise<void> {
  out.set(serial, kind);
  try {
    const what = await KINDS[kind]!({ executor, dice, ledger, serial });
    count(survived, `${kind}: ${what}`);
    if (what === "returned" && NOTING.has(kind)) noted.push(serial);
  } catch (error) {
    problems.push(`${kind} ${serial}: ${error instanceof Error ? error.message : error}`);
  }
  out.delete(serial);
}

async function strike(dice: Dice): Promise<void> {
  while (goesOn()) {
    await delay(dice.int(500, 4000));
    try {
      count(injected, await faults.strike());
    } catch (error) {
      problems.push(String(error));
    }
  }
}

async function settled(): Promise<void> {
  while (out.size > 0) await delay(50);
}

/** What has returned has run; what did so more than once had lost its host. */
function checkLedger(): void {
  const runs = entryCounts(ledger);
  for (const serial of noted) if (!runs.has(serial)) problems.push(`call ${serial} returned and has not run`);
  count(survived, "ran to its end more than once", [...runs.values()].filter((times) => times > 1).length);
}

/** Nothing is left in Redis, and the executors end. */
async function checkEnd(): Promise<void> {
  const [executor] = executors as [BullMQExecutor];
  const late = performance.now() + PATIENCE;
  for (;;) {
    const { waiting, running } = await executor.cluster();
    if (waiting + running === 0) break;
    // What was stopped has still to be told to its host.
    if (performance.now() > late) return void problems.push(`${waiting} jobs wait and ${running} run for nobody`);
    await delay(100);
  }
  const ended = Promise.all(executors.map((executor) => executor.shutdown())).then(() => true);
  if (!await Promise.race([ended, delay(PATIENCE, false)])) problems.push("shutdown() hangs");
}

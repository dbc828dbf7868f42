// The chaos run across machines with submitters on one runtime: the program that main.ts starts. Its last line is the result.
//
//   <runtime> program.ts <seconds> <seed> <folder>

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import { Cluster } from "../../../tests/support/bullmq_host.ts";
import { RedisServer } from "../../../tests/support/redis_server.ts";
import { Relay } from "../../../tests/support/relay.ts";
import { Dice } from "../lib/dice.ts";
import { count, type Counts, type Verdict } from "../lib/verdict.ts";
import { KINDS } from "./calls.ts";
import { FAULTS, type Targets } from "./faults.ts";
import { Hosts } from "./hosts.ts";
import { intime, PATIENCE } from "./intime.ts";
import { Judge } from "./judge.ts";
import { FIRST_PASSWORD, Passwords, usersWith } from "./passwords.ts";

/** Calls that are out at a time, about. */
const MOST = 60;

/** Executors at a time; the last one has its calls cancelled if it dies. */
const EXECUTORS = 3;

const [seconds, seed, folder] = process.argv.slice(2) as [string, string, string];
const injected: Counts = {}, survived: Counts = {};
const ledger = join(folder, "ledger");
writeFileSync(ledger, "");

const server = await RedisServer.start({ appendOnly: true, users: usersWith(FIRST_PASSWORD) });
const lines = { ofExecutors: await Relay.start(server.url), ofHosts: await Relay.start(server.url) };
const cluster = new Cluster(server);
const passwords = new Passwords(server);
const judge = new Judge(ledger);
const { problems } = judge;
const hosts = new Hosts({
  ...{ cluster, line: lines.ofHosts, passwords, folder },
  dice: new Dice(Number(seed), 1),
});
let executors = makeExecutors();
const targets: Targets = {
  ...{ server, hosts, lines, passwords },
  dice: new Dice(Number(seed), 3),
  executors: () => executors,
  async replaceExecutors() {
    const before = executors;
    executors = makeExecutors();
    await intime("shutdown()", Promise.all(before.map((executor) => executor.shutdown())));
  },
};
const end = performance.now() + Number(seconds) * 1000;
const goesOn = () => problems.length === 0 && performance.now() < end;

await hosts.begin();
await Promise.all([call(new Dice(Number(seed), 2)), strike()]);
await judge.allSettled();
judge.checkRuns(survived);
if (problems.length === 0) await checkEnd();
count(survived, "most lines that a host has printed", hosts.longestLog);
count(survived, "lines that the executors have printed", judge.lines);

const verdict: Verdict = { injected, survived, problems };
process.stdout.write(`\n${JSON.stringify(verdict)}\n`);
await cluster[Symbol.asyncDispose]();
await server[Symbol.asyncDispose]();
process.stdout.write("\n", () => process.exit(problems.length === 0 ? 0 : 1));

function makeExecutors(): BullMQExecutor[] {
  const options = {
    connection: { url: lines.ofExecutors.url, password: passwords.current },
    log: (line: string) => judge.said(line),
  };
  return Array.from(
    { length: EXECUTORS },
    (_, i) =>
      cluster.executor({
        name: `executor-${i}`,
        ...options,
        ...(i === EXECUTORS - 1 ? { orphans: "cancel" } : undefined),
      }),
  );
}

/** Makes calls, alone and many at once. */
async function call(dice: Dice): Promise<void> {
  for (let serial = 0; goesOn();) {
    const executor = dice.pick(executors), least = dice.int(0, MOST);
    for (let more = dice.oneIn(8) ? dice.int(1, 80) : dice.int(0, 3); more > 0; more--) {
      const kind = dice.pick(Object.keys(KINDS)), setup = { executor, dice, ledger, serial };
      void judge.follow(serial++, kind, KINDS[kind]!(setup)).then((what) => count(survived, what));
    }
    await delay(dice.int(0, 60));
    judge.checkHanging();
    // While calls keep coming, those of a low priority do not get their turn.
    for (let most = MOST; judge.isBehind(most) && goesOn(); most = least) {
      await delay(50);
      judge.checkHanging();
    }
  }
}

async function strike(): Promise<void> {
  const { dice } = targets;
  // In rounds, each in an order of its own: none stays away for long.
  for (let round: string[] = []; goesOn();) {
    await delay(dice.int(500, 4000));
    if (round.length === 0) round = Object.keys(FAULTS);
    const [name] = round.splice(dice.int(0, round.length - 1), 1) as [string];
    count(injected, name);
    await judge.during(name, intime(name, FAULTS[name]!(targets)));
  }
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
  await intime("shutdown()", Promise.all(executors.map((executor) => executor.shutdown()))).catch((error) =>
    problems.push(error.message)
  );
}

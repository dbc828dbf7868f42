// All cases with one contender, one run: the program that main.ts starts on each runtime. Its last line is the figures.
//
//   <runtime> measure.ts ours|plain|threads <Redis> [quick]

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { expect, time } from "../case.ts";
import { type Client, type Consumer, CONSUMERS, costOf, idleIn } from "./contender.ts";
import { type ContenderName, CONTENDERS } from "./contenders.ts";

/** Figures by what they are of. */
export type ClusterFigures = Record<string, number>;

/** Workers of the one host, in all cases but those that vary the hosts; these have one each. */
const WORKERS = 2;

/** Items of a chunk. */
const CHUNK = 100;

/** What a task of the scaling cases takes, in milliseconds. */
const TASK = 5;

/** The unit of Linux in which it counts that of a process, in milliseconds. */
const TICK = 10;

const [name, url, size] = process.argv.slice(2);
const quick = size === "quick";
const contender = CONTENDERS[name as ContenderName];
const figures: ClusterFigures = {};

await withHosts(1, WORKERS, async (client, hosts) => {
  const calls = quick ? 1_000 : 10_000;
  const args = Array.from({ length: calls }, (_, i) => i);
  await client.many("increment", args);
  await throughput("burst", calls, hosts, () => client.many("increment", args));
  if (client.map) await throughput("map", calls, hosts, () => client.map!("increment", args));
  if (client.chunks) {
    const items = Array.from({ length: 5 * calls }, (_, i) => i);
    await throughput("chunks", items.length, hosts, () => client.chunks!("increment", items, CHUNK));
  }
  const times = quick ? 50 : 300;
  await throughput("trips", times, hosts, async () => {
    for (let n = 0; n < times; n++) expect(await client.one("increment", n), n + 1);
  });
  figures["one by one"] = 1000 / figures["trips"]!;
});

for (const [task, counts] of [["work", [1, 2]], ["sleep", [1, 2, 4]]] as const) {
  // That Redis and the submitter keep up with several hosts is a question to the executor alone.
  if (task === "sleep" && name !== "ours") continue;
  for (const count of counts) {
    await withHosts(count, 1, async (client, hosts) => {
      // Every host has begun, and there is enough for each to the end.
      await client.many(task, Array(20 * count).fill(TASK));
      const calls = (quick ? 50 : 100) * count;
      await throughput(`${task}, ${count}`, calls, hosts, () => client.many(task, Array(calls).fill(TASK)));
    });
  }
}

process.stdout.write(`\n${JSON.stringify(figures)}\n`, () => process.exit());

/** Starts hosts on a queue of their own, uses it and ends them. */
async function withHosts(
  count: number,
  workers: number,
  use: (client: Client, hosts: readonly ChildProcess[]) => Promise<void>,
): Promise<void> {
  const queue = `bench-${crypto.randomUUID()}`;
  const hosts = Array.from({ length: count }, () => startHost(queue, workers));
  try {
    const client = await contender.open(url!, queue);
    await Promise.all(hosts.map(ready));
    await use(client, hosts);
    await client.close();
  } finally {
    for (const host of hosts) host.kill("SIGKILL");
  }
}

function startHost(queue: string, workers: number): ChildProcess {
  const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : [];
  const file = fileURLToPath(new URL("./host.ts", import.meta.url));
  return spawn(process.execPath, [...flags, file, name!, url!, queue, String(workers)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function ready(host: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    host.stdout!.once("data", () => resolve());
    host.once("exit", (code) => reject(new Error(`A host has ended, with exit code ${code}`)));
    host.once("error", reject);
  });
}

/** Measures calls per second, what a call takes each of the programs, and how much of the processors nobody uses. */
async function throughput(
  figure: string,
  calls: number,
  hosts: readonly ChildProcess[],
  run: () => Promise<unknown>,
): Promise<void> {
  let runs = 0;
  const before = await used(hosts);
  figures[figure] = calls / await time(() => (runs++, run()), quick) * 1000;
  const after = await used(hosts);
  for (const who of CONSUMERS) figures[costOf(figure, who)] = (after[who] - before[who]) / calls / runs * 1000;
  figures[idleIn(figure)] = (after.idle - before.idle) / (after.all - before.all);
}

/** What each has used of the processors, and how long they were idle, and there, in milliseconds. */
async function used(hosts: readonly ChildProcess[]): Promise<Record<Consumer | "idle" | "all", number>> {
  const redis = new Redis(url!);
  const info = await redis.info("cpu");
  redis.disconnect();
  const seconds = (name: string) => Number(new RegExp(`^${name}:(.*)`, "m").exec(info)![1]);
  const { user, system } = process.cpuUsage();
  const times = cpus().map(({ times }) => times);
  return {
    host: hosts.reduce((sum, { pid }) => sum + usedByProcess(pid!), 0),
    Redis: (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1000,
    submitter: (user + system) / 1000,
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    all: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}

/** NaN but on Linux. */
function usedByProcess(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return NaN;
  // After the name, which is in brackets and may be anything: the 12th and 13th are the time in the program and for it.
  const fields = readFileSync(file, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

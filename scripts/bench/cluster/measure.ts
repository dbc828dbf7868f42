// All cases with one contender, one run: the program that main.ts starts on each runtime. Its last line is the figures.
//
//   <runtime> measure.ts ours|plain|threads <Redis> [quick]

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { expect, time } from "../case.ts";
import { type Client, type Consumer, CONSUMERS } from "./contender.ts";
import { type ContenderName, CONTENDERS } from "./contenders.ts";

/** Figures by what they are of. */
export type ClusterFigures = Record<string, number>;

/** Workers of the one host, in all cases but those that vary the hosts; these have one each. */
const WORKERS = 2;

/** What a task of the scaling cases takes, in milliseconds. */
const TASK = 5;

/** The unit of Linux in which it counts that of a process, in milliseconds. */
const TICK = 10;

const [name, url, size] = process.argv.slice(2);
const quick = size === "quick";
const contender = CONTENDERS[name as ContenderName];
const figures: ClusterFigures = {};

await withHosts(1, WORKERS, async (client, [host]) => {
  const calls = quick ? 1_000 : 10_000;
  const args = Array.from({ length: calls }, (_, i) => i);
  await client.many("increment", args);
  let bursts = 0;
  const before = await usedBy(host!);
  figures["burst"] = calls / await time(() => (bursts++, client.many("increment", args)), quick) * 1000;
  const after = await usedBy(host!);
  for (const who of CONSUMERS) figures[`CPU, ${who}`] = (after[who] - before[who]) / calls / bursts * 1000;
  if (client.map) figures["map"] = calls / await time(() => client.map!("increment", args), quick) * 1000;
  const times = quick ? 50 : 300;
  figures["one by one"] = await time(async () => {
    for (let n = 0; n < times; n++) expect(await client.one("increment", n), n + 1);
  }, quick) / times;
});

for (const [task, counts] of [["work", [1, 2]], ["sleep", [1, 2, 4]]] as const) {
  // That Redis and the submitter keep up with several hosts is a question to the executor alone.
  if (task === "sleep" && name !== "ours") continue;
  for (const hosts of counts) {
    await withHosts(hosts, 1, async (client) => {
      // Every host has begun, and there is enough for each to the end.
      await client.many(task, Array(20 * hosts).fill(TASK));
      const calls = (quick ? 50 : 100) * hosts;
      figures[`${task}, ${hosts}`] = calls / await time(() => client.many(task, Array(calls).fill(TASK)), quick) * 1000;
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

/** The processor time that each has used, in milliseconds. */
async function usedBy(host: ChildProcess): Promise<Record<Consumer, number>> {
  const redis = new Redis(url!);
  const info = await redis.info("cpu");
  redis.disconnect();
  const seconds = (name: string) => Number(new RegExp(`^${name}:(.*)`, "m").exec(info)![1]);
  const { user, system } = process.cpuUsage();
  return {
    host: usedByProcess(host.pid!),
    Redis: (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1000,
    submitter: (user + system) / 1000,
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

// The soak on one runtime and backend: the program that main.ts starts. Calls in bursts and maps, or what lasts longer
// (outcome.ts), every result checked, and now and then a look at the memory.
//
//   <runtime> program.ts <backend> <calls> <what>

import process from "node:process";
import { type Group, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "../../../mod.ts";
import { runtime } from "../../../src/runtime.ts";
import { takeSample } from "../lib/sample.ts";
import type { Backend } from "../lib/target.ts";
import type { Soak, SoakLine } from "./outcome.ts";

/** Calls of a burst, and items of a map. */
const BURST = 5000;

/** Looks at the memory. */
const LOOKS = 100;

/** Calls of a group, and of a map that reports. */
const MEMBERS = 20;

/** One call of so many that report is stopped, with its worker. */
const STOPPED = 50;

const [backend, total, soak] = process.argv.slice(2) as [Backend, string, Soak];
const calls = Number(total);
const tasks = taskModule<typeof import("./tasks.ts")>(new URL("./tasks.ts", import.meta.url));
const double = (n: number) => n * 2;
const executor = new (backend === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor)({ maxWorkers: 2 });
let problem: string | undefined;

/** Does some more, from `done` on; returns how much. */
const STEPS: Readonly<Record<Soak, (done: number, turn: number) => Promise<number>>> = {
  async calls(done, turn) {
    const count = Math.min(BURST, calls - done);
    const numbers = Array.from({ length: count }, (_, i) => done + i);
    let n = done;
    if (turn % 2 === 1) { for await (const result of executor.map(double, numbers)) check(result, n++); }
    else for (const future of numbers.map((n) => executor.submit(double, n))) check(await future, n++);
    if (n !== done + count) problem ??= `${n} results of ${done + count}`;
    return count;
  },
  /** Streams in both directions; every second one is left in the middle. */
  async streams(done, turn) {
    const count = Math.min(BURST, calls - done), leave = turn % 2 === 1 ? Math.ceil(count / 2) : Infinity;
    let n = 0;
    const doubled = executor.with({ buffersize: 100 }).stream(async function* (numbers: AsyncIterable<number>) {
      for await (const n of numbers) yield n * 2;
    }, naturals(count));
    for await (const value of doubled) {
      check(value, n++);
      if (n === leave) break;
    }
    return count;
  },
  /** Every second group is in another, every third fails, and each has a stream that nobody reads. */
  async groups(done, turn) {
    const failure = new Error("the block"), fails = turn % 3 === 2;
    const fill = (group: Group) => {
      group.stream(function* () {
        for (let n = 0;; n++) yield n;
      });
      for (let n = 0; n < MEMBERS; n++) group.submit(double, done + n);
      if (fails) throw failure;
    };
    const ended = executor.group((group) => turn % 2 === 1 ? group.group(fill) : fill(group));
    await ended.then(() => fails && (problem ??= "a group has not failed"), (error) => {
      if (error !== failure) problem ??= `a group has failed: ${error}`;
    });
    return MEMBERS;
  },
  /** More and fewer workers, each of which runs something. */
  async workers(_done, turn) {
    executor.resize(2 + turn % 2);
    await executor.warmUp();
    const told = await executor.broadcast(double, turn);
    if (told.length === 0) problem ??= "a broadcast has reached nobody";
    for (const value of told) check(value, turn);
    executor.resize(1); // whenever the memory is looked at
    return 1;
  },
  /** Numbers of a call, then objects of a map; now and then those of a call that is stopped. */
  async reports(done, turn) {
    const count = Math.min(BURST, calls - done), enough = new Error("enough"), controller = new AbortController();
    const heard = new Map<object, number>();
    const onReport = (value: number | { value: number }, future: object) => {
      const n = heard.get(future) ?? 0;
      check(typeof value === "number" ? value : value.value, n);
      heard.set(future, n + 1);
      if (turn % STOPPED === 1 && n + 1 === count) controller.abort(enough);
    };
    const { signal } = controller;
    if (turn % STOPPED === 1) {
      await executor.with({ onReport, signal, grace: 0 }).submit(tasks.tell, count, false, true).catch((error) => {
        if (error !== enough) problem ??= `a call that was stopped has failed: ${error}`;
      });
    } else if (turn % 2 === 1) await executor.with({ onReport }).submit(tasks.tell, count, false, false);
    else {
      const counts = Array.from({ length: MEMBERS }, (_, n) => Math.floor((count + n) / MEMBERS));
      for await (
        const _ of executor.with({ onReport }).map(
          tasks.tell,
          counts,
          counts.map(() => true),
          counts.map(() => false),
        )
      );
    }
    const sum = [...heard.values()].reduce((sum, n) => sum + n, 0);
    if (sum !== count) problem ??= `${sum} reports of ${count}`;
    return count;
  },
};

for (let done = 0, look = 0, turn = 0; done < calls && !problem; turn++) {
  done += await STEPS[soak](done, turn);
  if (done >= calls * (look + 1) / LOOKS) {
    look = Math.floor(done * LOOKS / calls);
    say({ calls: done, rss: takeSample().rss });
  }
}
const { completed } = executor.stats();
if (soak === "calls" && completed !== calls) problem ??= `${completed} calls were completed of ${calls}`;
await executor.shutdown();
say({ done: true, version: process.versions[runtime] ?? "unknown", ...(problem && { problem }) });

async function* naturals(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n;
}

function check(result: number, n: number): void {
  if (result !== 2 * n) problem ??= `the result of ${n} is ${result}`;
}

function say(line: SoakLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// The soak on one runtime and backend: the program that main.ts starts. Calls in bursts and maps, every result checked,
// and now and then a look at the memory.
//
//   <runtime> program.ts <backend> <calls>

import process from "node:process";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../../mod.ts";
import { runtime } from "../../../src/runtime.ts";
import { takeSample } from "../lib/sample.ts";
import type { Backend } from "../lib/target.ts";
import type { SoakLine } from "./outcome.ts";

/** Calls of a burst, and items of a map. */
const BURST = 5000;

/** Looks at the memory. */
const LOOKS = 100;

const [backend, total] = process.argv.slice(2) as [Backend, string];
const calls = Number(total);
const double = (n: number) => n * 2;
const executor = new (backend === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor)({ maxWorkers: 2 });
let problem: string | undefined;

for (let done = 0, look = 0, mapped = false; done < calls && !problem; mapped = !mapped) {
  const count = Math.min(BURST, calls - done);
  const numbers = Array.from({ length: count }, (_, i) => done + i);
  let n = done;
  if (mapped) { for await (const result of executor.map(double, numbers)) check(result, n++); }
  else for (const future of numbers.map((n) => executor.submit(double, n))) check(await future, n++);
  done += count;
  if (n !== done) problem = `${n} results of ${done}`;
  if (done >= calls * (look + 1) / LOOKS) {
    look = Math.floor(done * LOOKS / calls);
    say({ calls: done, rss: takeSample().rss });
  }
}
const { completed } = executor.stats();
if (completed !== calls) problem ??= `${completed} calls were completed of ${calls}`;
await executor.shutdown();
say({ done: true, version: process.versions[runtime] ?? "unknown", ...(problem && { problem }) });

function check(result: number, n: number): void {
  if (result !== 2 * n) problem ??= `the result of ${n} is ${result}`;
}

function say(line: SoakLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

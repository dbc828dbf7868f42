// deno-lint-ignore-file no-console -- a program prints
// `deno task chaos:cluster`: runs the chaos program across machines with submitters on each runtime, one after the other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { HOW_TO_INSTALL_REDIS, redisProgram } from "../../../tests/support/redis_server.ts";
import { describeEnding, drive } from "../lib/drive.ts";
import { chooseRuntimes, numberOf, type Target } from "../lib/target.ts";
import { showCounts } from "../lib/table.ts";
import type { Counts, Verdict } from "../lib/verdict.ts";

const HELP = `deno task chaos:cluster [--minutes <number>] [--seed <number>] [--runtime deno|bun|node]...

Three executors make calls of all kinds on two hosts: they return, throw, are cancelled, aborted and out of time, share a
key, end their worker. Meanwhile one thing after the other befalls them:

  hosts, on any runtime, with threads or processes, are killed, told to end, and frozen past the time after which they lose
  their calls; others are started that have a broken module, an older one, or one that breaks;
  Redis is killed, ended, frozen and full, its data are dropped, it is restarted without them, its password is changed by
  mistake and rotated; connections are cut half-way through a message, or go silent.

Every Future has to settle, with the right result or an error that it may have. A call may run twice only when a fault
explains it, and may be lost only after as many faults as it may survive. Nothing may be left in Redis, and shutdown() has
to end. A call that is not settled after three minutes hangs: the machine may be busy.

  --minutes <number>  how long it takes for each runtime of the executors (1)
  --seed <number>     repeats the choices of another run; the timing is the machine's (a new one)
  --runtime           executors only on this one; several with commas or by repeating the option

Exit code 1 when anything is wrong.`;

/** How much longer than its time the program may take, in milliseconds: for what hangs. */
const EXTRA = 600_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      runtime: { type: "string", multiple: true },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (!redisProgram) throw new Error(`Cannot run as ${HOW_TO_INSTALL_REDIS}`);
  const seconds = numberOf("minutes", values.minutes) * 60, seed = numberOf("seed", values.seed);
  if (seconds === 0 || !Number.isSafeInteger(seed)) {
    throw new Error("--minutes wants more than 0, --seed a whole number");
  }

  const injected: Record<string, Counts> = {}, survived: Record<string, Counts> = {};
  let wrong = false;
  for (const runtime of chooseRuntimes(values.runtime)) {
    const { problems, ...verdict } = await runOn(runtime, seconds, seed);
    injected[runtime] = verdict.injected;
    survived[runtime] = verdict.survived;
    wrong ||= problems.length > 0;
    console.log(`${runtime}: ${problems.length > 0 ? `WRONG\n  ${problems.join("\n  ")}` : "right"}`);
  }
  showCounts("Faults", injected);
  showCounts("Calls", survived);
  console.log(`${wrong ? "To repeat: deno task chaos:cluster --seed" : "Nothing is wrong, seed"} ${seed}`);
  process.exitCode = wrong ? 1 : 0;
}

async function runOn(runtime: Target["runtime"], seconds: number, seed: number): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), "futures-chaos-"));
  const args = [join(import.meta.dirname!, "program.ts"), String(seconds), String(seed), folder];
  let verdict: Verdict | undefined;
  const ending = await drive({ runtime }, args, seconds * 1000 + EXTRA, (line) => verdict = line as Verdict);
  rmSync(folder, { recursive: true, force: true });
  if (verdict && (ending.code === 0 || verdict.problems.length > 0)) return verdict;
  return { injected: {}, survived: {}, ...verdict, problems: [describeEnding(ending)] };
}

await main();

// The chaos run on one runtime and backend: the program that main.ts starts. It plays round after round until its time is
// over, and prints a line of JSON for each; the last one is the result.
//
//   <runtime> program.ts <backend> <seconds> <seed> <first round> <folder> <plan>

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runtime } from "../../../src/runtime.ts";
import { assertNothingIsLeft } from "../../../tests/support/leaks.ts";
import type { Backend } from "../lib/target.ts";
import { quarter, type Sample, takeSample } from "../lib/sample.ts";
import { judge } from "./judge.ts";
import { type Plan, planRound, type Round } from "./plan.ts";
import type { Line, Outcome } from "./outcome.ts";
import { PlayedRound } from "./round.ts";
import { count, type Counts } from "../lib/verdict.ts";

/**
 * A round of which nothing changes in this time hangs, in milliseconds. There is no limit to the whole: a round of two thousand
 * calls that replaces a process of Node after each few takes minutes on a busy machine.
 */
const STILL = 60_000;

/** How much more may be there in the last quarter than in the second: of memory a share and MiB, of handles a number. */
const MORE = { rss: [1.25, 32], heap: [1.1, 4], files: [1, 4], threads: [1, 8] } as const;

/** Fewer rounds have no quarters. */
const FEWEST_ROUNDS = 8;

const [backend, seconds, seed, firstRound, folder, plan] = process.argv.slice(2) as [
  Backend,
  ...[seconds: string, seed: string, firstRound: string, folder: string],
  Plan,
];
const injected: Counts = {}, survived: Counts = {};
const problems: string[] = [];
const samples: Sample[] = [];
const start = performance.now();
let rounds = 0;

mkdirSync(folder, { recursive: true });
while (problems.length === 0 && performance.now() - start < Number(seconds) * 1000) {
  const round = planRound(Number(seed), Number(firstRound) + rounds++, backend, plan);
  for (const problem of await play(round)) problems.push(`round ${round.number}: ${problem}`);
  say({ elapsed: (performance.now() - start) / 1000, rounds, workersLost: survived["workers lost"] ?? 0 });
}
problems.push(...judgeLevel());
const outcome: Outcome = {
  ...{ rounds, injected, survived, problems, seconds: Math.round((performance.now() - start) / 1000) },
  ...(samples.length >= FEWEST_ROUNDS && { level: { early: quarter(samples, 2), late: quarter(samples, 4) } }),
};
say({ outcome, version: process.versions[runtime] ?? "unknown" });
// After what is written has left: what hangs does not keep the program from ending.
process.stdout.write("\n", () => process.exit(problems.length === 0 ? 0 : 1));

/** Plays a round and says what is wrong with it. */
async function play(round: Round): Promise<string[]> {
  const ledger = join(folder, `${round.number}.ledger`);
  writeFileSync(ledger, "");
  const played = new PlayedRound(round, backend, ledger);
  let timer: ReturnType<typeof setInterval> | undefined;
  const hung = new Promise<string>((resolve) => {
    let before = "";
    timer = setInterval(() => {
      const now = played.describe();
      if (now === before) resolve(now);
      before = now;
    }, STILL);
  });
  const ended = await Promise.race([hung, played.play()]);
  clearInterval(timer);
  if (typeof ended === "string") return [`it hangs: ${ended}`];
  try {
    await assertNothingIsLeft();
  } catch (error) {
    return [String(error)];
  }
  const verdict = judge(round, played, ledger);
  rmSync(ledger);
  add(injected, verdict.injected);
  add(survived, verdict.survived);
  samples.push(takeSample());
  return [...verdict.problems];
}

function add(to: Counts, counts: Counts): void {
  for (const [what, by] of Object.entries(counts)) count(to, what, by);
}

/** Memory and handles at the end, against those when everything had warmed up. */
function judgeLevel(): string[] {
  if (samples.length < FEWEST_ROUNDS) return [];
  const early = quarter(samples, 2), late = quarter(samples, 4);
  return (Object.keys(MORE) as (keyof Sample)[]).flatMap((what) => {
    const [times, plus] = MORE[what];
    const most = early[what] * times + plus;
    const grows = late[what] > most;
    return grows ? [`${what} grows from ${early[what].toFixed(1)} to ${late[what].toFixed(1)}`] : [];
  });
}

function say(line: Line): void {
  process.stdout.write(`\n${JSON.stringify(line)}\n`);
}

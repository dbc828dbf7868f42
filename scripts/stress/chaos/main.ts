// deno-lint-ignore-file no-console -- a program prints
// `deno task chaos`: runs the chaos program on each runtime and backend, one after the other, shows what it did and what
// survived, and keeps the figures.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ROOT } from "../../install.ts";
import { Progress } from "../../progress.ts";
import { describeEnding, drive } from "../lib/drive.ts";
import { reportToReaders } from "../lib/report.ts";
import { type ChaosResult, conditions, QUICK_RESULTS, RESULTS, writeResult } from "../lib/results.ts";
import { chooseTargets, numberOf, type Target, TARGET_OPTIONS } from "../lib/target.ts";
import type { Line, Outcome } from "./outcome.ts";
import { type Plan, PLANS } from "./plan.ts";
import { showCounts } from "../lib/table.ts";

const HELP =
  `deno task chaos [--minutes <number>] [--seed <number>] [--runtime deno|bun|node]... [--backend threads|processes]...
                 [--plan usual|lying]

Round after round an executor is made, given calls and maps, cancelled, aborted, timed out and shut down, while its workers
are lost: they exit, throw where nobody catches, run out of memory (processes of Deno and Node), or are killed from outside
(processes, on Linux). Tasks report to listeners, some of which are slow, throw or abort. The tasks themselves note
their begin and end in a file. From these notes it is shown that every Future settled, that no call ran twice but by a retry,
that no result was lost or exchanged, and that only those calls failed whose worker was struck. Reports have to come in order,
with the Future of their call, and before it is done. Memory, open files, threads and child processes have to be level at the
end.

  --minutes <number>    how long it takes in all, shared evenly by the runtimes and backends (1)
  --seed <number>       repeats the plan of another run: which calls there are, what becomes of each, when workers are struck
                        (a new one). Timing is the machine's and cannot be repeated: a failure may need several tries
  --plan <name>         "lying": most calls are of one task that takes now nothing, now long, so that what was expected of a
                        call is wrong whenever it matters: two lengths, growing ones, or quick until many are handed ahead
                        ("usual")
  --round <number>      begins with this round of the plan (0)
  --runtime, --backend  only these; several with commas or by repeating the option
  --report              runs nothing: writes the summary in docs/reliability.md again from what was kept last

Exit code 1 when anything is wrong. Figures are kept in reliability/*.json and docs/reliability.md when every runtime and backend had
ten minutes or more, otherwise in reliability/quick.`;

/** From this long on figures are kept, in seconds for each runtime and backend. */
const LONG = 600;

/** How much longer than its time the program may take, in milliseconds: for its last round, which may hang. */
const EXTRA = 180_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...TARGET_OPTIONS,
      minutes: { type: "string", default: "1" },
      seed: { type: "string" },
      plan: { type: "string", default: "usual" },
      round: { type: "string", default: "0" },
      report: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.report) return await reportToReaders();

  const seed = numberOf("seed", values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const round = numberOf("round", values.round);
  const plan = PLANS.find((plan) => plan === values.plan);
  if (!plan) throw new Error(`There is no plan '${values.plan}': ${PLANS.join(", ")}`);
  const targets = chooseTargets(values);
  const seconds = numberOf("minutes", values.minutes) * 60 / targets.length;
  console.log(`Seed ${seed}: ${seconds.toFixed(0)} s for each of ${targets.length}`);
  const results: ChaosResult[] = [];
  for (const target of targets) {
    const result = await runTarget(target, seconds, seed, round, plan);
    writeResult(seconds >= LONG ? RESULTS : QUICK_RESULTS, result);
    results.push(result);
  }
  for (const what of ["injected", "survived"] as const) {
    const runs = results.map(({ runtime, backend, outcome }) => [`${runtime} ${backend}`, outcome[what]]);
    showCounts(`What was ${what}`, Object.fromEntries(runs));
  }
  if (seconds >= LONG) await reportToReaders();
  const failed = results.filter(({ outcome }) => outcome.problems.length > 0);
  for (const { runtime, backend, outcome } of failed) {
    console.log(`\n${runtime}, ${backend}: wrong\n  ${outcome.problems.slice(0, 20).join("\n  ")}`);
    console.log(`To repeat: deno task chaos --plan ${plan} --seed ${seed} --runtime ${runtime} --backend ${backend}`);
  }
  console.log(failed.length > 0 ? "" : `\nNothing is wrong (seed ${seed})`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

async function runTarget(
  target: Target,
  seconds: number,
  seed: number,
  round: number,
  plan: Plan,
): Promise<ChaosResult> {
  const { runtime, backend } = target;
  const folder = mkdtempSync(join(tmpdir(), "futures-chaos-"));
  const progress = new Progress(`${runtime} ${backend}`);
  let outcome: Outcome | undefined;
  let version = "";
  const program = join(ROOT, "scripts/stress/chaos/program.ts");
  const args = [program, backend, String(seconds), String(seed), String(round), folder, plan];
  const ending = await drive(target, args, seconds * 1000 + EXTRA, (said) => {
    const line = said as Line;
    if ("outcome" in line) ({ outcome, version } = line);
    else {
      const { elapsed, rounds, workersLost } = line;
      progress.show(`${elapsed.toFixed(0)} of ${seconds.toFixed(0)} s, ${rounds} rounds, ${workersLost} workers lost`);
    }
  });
  rmSync(folder, { recursive: true, force: true });
  outcome ??= { rounds: 0, seconds: 0, injected: {}, survived: {}, problems: [] };
  if (outcome.problems.length === 0 && ending.code !== 0) outcome = { ...outcome, problems: [describeEnding(ending)] };
  const verdict = outcome.problems.length > 0 ? "WRONG" : "right";
  progress.end(`${outcome.rounds} rounds in ${outcome.seconds} s, ${verdict}`);
  return { program: plan === "lying" ? "chaos-lying" : "chaos", seed, outcome, ...conditions(target, version) };
}

await main();

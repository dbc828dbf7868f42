// What one round of a chaos run does, as data: drawn from the seed and the number of the round, before anything runs. Its
// steps are for real workers, which are struck and waited for; those of tests/properties move messages and time by hand.

import { type Runtime, runtime } from "../../../src/runtime.ts";
import type { Backend } from "../lib/target.ts";
import { Dice } from "../lib/dice.ts";
import { type ListenerPlan, LISTENERS, type ReportsPlan } from "./heard.ts";
import type { GroupPlan, StreamPlan } from "./longer.ts";

/** How a worker is lost from within a call. */
export const CRASHES = ["exit", "Deno.exit", "close", "SIGKILL", "timer", "rejection", "stray", "memory"] as const;
export type Crash = typeof CRASHES[number];

/** What a task does between its two notes in the ledger. */
export type Way =
  | Crash
  /** Nothing. */
  | "quick"
  /** Blocks its worker, some calls much longer than those before them: see {@linkcode planRound}. */
  | "lying"
  /** Waits. */
  | "async"
  /** Blocks its worker. */
  | "busy"
  /** Waits, and ends when its signal aborts. */
  | "cooperative"
  /** Gives its payload back, inverted. */
  | "echo"
  /** Throws. */
  | "throw"
  /** Gets, or returns, what cannot be copied. */
  | "bad argument"
  | "bad result";

/** One call. */
export interface Job {
  /** No other call of the run has it. */
  readonly id: number;
  readonly way: Way;
  /** How long it takes, in milliseconds. */
  readonly ms: number;
  /** Bytes of its payload. */
  readonly size: number;
  /** So many attempts throw or lose their worker; the next one returns. */
  readonly times: number;
  readonly reports?: ReportsPlan;
}

/** The options of the calls of one step. */
export interface Limits {
  readonly timeout?: number;
  readonly grace?: number;
  readonly retries?: number;
  readonly priority?: number;
  /** Whether there is a signal, for a later step to abort. */
  readonly signal?: boolean;
  /** Who listens to what the tasks report. */
  readonly listens?: ListenerPlan;
}

/** The options of a map; `leave`: the loop is left after so many results. */
export interface MapPlan {
  readonly ordered: boolean;
  readonly settled: boolean;
  readonly chunksize?: number;
  readonly buffersize?: number;
  readonly timeout?: number;
  readonly leave?: number;
}

/** What the program does next. A `pick` chooses among those that are there then. */
export type Step =
  | { readonly do: "submit"; readonly jobs: readonly Job[]; readonly limits: Limits; readonly look: boolean }
  | { readonly do: "map"; readonly jobs: readonly Job[]; readonly limits: Limits; readonly map: MapPlan }
  /** `running`: of those that run, if any does; what cannot be cancelled must not be. */
  | { readonly do: "cancel"; readonly picks: readonly number[]; readonly running: boolean }
  | { readonly do: "abort"; readonly pick: number }
  | { readonly do: "kill"; readonly pick: number; readonly signal: "SIGKILL" | "SIGTERM" }
  | {
    readonly do: "wait";
    readonly ms: number;
    readonly until: "ALL_COMPLETED" | "FIRST_COMPLETED" | "FIRST_EXCEPTION";
  }
  | { readonly do: "stream"; readonly stream: StreamPlan; readonly limits: Limits }
  | { readonly do: "group"; readonly jobs: readonly Job[]; readonly limits: Limits; readonly group: GroupPlan }
  | { readonly do: "broadcast"; readonly id: number }
  | { readonly do: "resize"; readonly maxWorkers: number }
  | { readonly do: "ready" }
  | { readonly do: "pause"; readonly ms: number };

/** How a round ends. "late": as an afterthought to a plain shutdown(). */
export const ENDINGS = ["shutdown", "cancelFutures", "terminateWorkers", "killWorkers"] as const;
export type Ending = typeof ENDINGS[number];

/** One executor's life. */
export interface Round {
  readonly number: number;
  readonly options: {
    readonly maxWorkers: number;
    readonly maxTasksPerWorker?: number;
    readonly idleTimeout?: number;
    readonly maxQueue?: number;
    readonly memoryLimit?: number;
  };
  readonly steps: readonly Step[];
  readonly ending: Ending;
  readonly late: boolean;
}

/** Calls of a round at most: ids of one round are below those of the next. */
const CALLS_PER_ROUND = 100_000;

/** The longest that a call keeps its worker busy: threads of Deno cannot be stopped, and are waited for. */
const LONGEST = 250;

/** Bytes that one attempt reports at most: where nothing holds a task that nobody hears, its worker keeps them. */
const MOST_REPORTED = 2 ** 22;

/** The ways to lose a worker from within: those that a runtime and backend have, and that leave the program alone. */
export function crashes(backend: Backend, on: Runtime = runtime): Crash[] {
  return CRASHES.filter((crash) => {
    if (crash === "Deno.exit" || crash === "close") return on === "deno";
    if (crash === "SIGKILL") return backend === "processes";
    // Elsewhere there is no limit of the heap, or the whole program may end.
    if (crash === "memory") return backend === "processes" && on !== "bun";
    return true;
  });
}

/** What the rounds of a run are like. In those that lie, most calls are of one task, which takes now nothing, now long. */
export const PLANS = ["usual", "lying"] as const;
export type Plan = typeof PLANS[number];

/** Draws a round. */
export function planRound(seed: number, number: number, backend: Backend, plan: Plan): Round {
  const dice = new Dice(seed, number);
  const available = crashes(backend);
  let id = number * CALLS_PER_ROUND;
  // Some rounds are calm: what is quick is then handed ahead by the thousand.
  const danger = dice.pick([0, 10, 10, 10, 40]);
  const memory = available.includes("memory") && dice.oneIn(6);
  const lies = plan === "lying";
  const steps: Step[] = [];
  if (!dice.oneIn(4)) {
    // What comes would all be over before the first worker is up.
    const jobs = lies ? costs(dice.int(1, 40), 0).map(lie) : many(quick, dice.int(1, 8));
    steps.push({ do: "submit", jobs, limits: {}, look: true });
    steps.push({ do: "wait", ms: 5000, until: dice.pick(["FIRST_COMPLETED", "ALL_COMPLETED"]) });
  }
  for (let left = dice.int(5, 40); left > 0; left--) steps.push(step());
  return {
    number,
    options: {
      maxWorkers: dice.int(1, 4),
      ...(dice.oneIn(4) && { maxTasksPerWorker: dice.skewed(30, 1000) }),
      ...(dice.oneIn(4) && { idleTimeout: dice.int(1, 50) }),
      ...(dice.oneIn(5) && { maxQueue: dice.skewed(1, 500) }),
      ...(memory && { memoryLimit: 128 }),
    },
    steps,
    ending: dice.pick(["shutdown", "shutdown", ...ENDINGS]),
    late: dice.oneIn(3),
  };

  function step(): Step {
    if (lies && dice.oneIn(2)) return lyingStep();
    switch (dice.int(0, 20)) {
      case 0:
      case 1:
        return { do: "submit", jobs: many(() => quick(), dice.skewed(1, 3000)), limits: {}, look: dice.oneIn(2) };
      case 2:
      case 3:
      case 4:
        return { do: "submit", jobs: many(() => job(), dice.skewed(1, 40)), limits: limits(), look: dice.oneIn(2) };
      case 5:
        return { do: "map", jobs: many(() => quick(), dice.skewed(1, 3000)), limits: {}, map: mapPlan() };
      case 6:
        return { do: "map", jobs: many(() => job(), dice.skewed(1, 40)), limits: limits(), map: mapPlan() };
      case 7:
      case 8:
        return {
          do: "cancel",
          picks: many(() => dice.int(0, 1_000_000), dice.skewed(1, 100)),
          running: dice.oneIn(2),
        };
      case 9:
        return { do: "abort", pick: dice.int(0, 1_000_000) };
      case 10:
        if (danger === 0 || backend === "threads") return { do: "pause", ms: 0 };
        return { do: "kill", pick: dice.int(0, 1_000_000), signal: dice.pick(["SIGKILL", "SIGKILL", "SIGTERM"]) };
      case 11:
        return {
          do: "wait",
          ms: dice.int(0, 50),
          until: dice.pick(["ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"]),
        };
      case 12:
        return { do: "ready" };
      case 13: {
        const { retries: _retries, ...rest } = limits(); // a stream that has yielded is not run again
        return { do: "stream", stream: streamPlan(), limits: rest };
      }
      case 14: {
        const { signal: _signal, ...rest } = limits(); // a group has its own
        const jobs = many(() => dice.oneIn(2) ? quick() : job(), dice.skewed(1, 20));
        const unread = dice.oneIn(3) ? { unread: streamPlan() } : {};
        return { do: "group", jobs, limits: rest, group: { throws: dice.oneIn(4), inside: dice.oneIn(3), ...unread } };
      }
      case 15:
        return { do: "broadcast", id: id++ };
      case 16:
        return { do: "resize", maxWorkers: dice.int(1, 5) };
      default:
        return { do: "pause", ms: dice.pick([0, dice.int(1, 10), dice.int(10, 80)]) };
    }
  }

  function lyingStep(): Step {
    const jobs = lyingCosts().map(lie);
    if (dice.oneIn(3)) return { do: "map", jobs, limits: {}, map: mapPlan() };
    // With a time limit, a signal or retries, a call is handed to a worker alone.
    return { do: "submit", jobs, limits: dice.oneIn(2) ? {} : { priority: dice.int(-2, 2) }, look: dice.oneIn(2) };
  }

  /** How long calls take, one after another: what came before says little of what comes next. */
  function lyingCosts(): number[] {
    const long = dice.skewed(5, 60);
    switch (dice.pick(["bimodal", "growing", "adversarial"] as const)) {
      case "bimodal": {
        const oneIn = dice.skewed(2, 100);
        return many(() => dice.oneIn(oneIn) ? long : 0, dice.skewed(1, 60 * oneIn));
      }
      case "growing": {
        const growth = 1 + dice.int(1, 30) / 10;
        return many(() => 0, dice.skewed(1, 60)).map((_, n) => Math.min(long, Math.floor(0.05 * growth ** n)));
      }
      case "adversarial":
        // As many quick ones as the executor wants to trust the task, then the opposite.
        return [...costs(dice.skewed(1, 2000), 0), ...costs(dice.skewed(1, 40), long)];
    }
  }

  function costs(count: number, ms: number): number[] {
    return many(() => ms, count);
  }

  function lie(ms: number): Job {
    return { id: id++, way: "lying", ms, size: 0, times: 0 };
  }

  function many<T>(make: () => T, count: number): T[] {
    return Array.from({ length: count }, make);
  }

  function quick(): Job {
    return { id: id++, way: "quick", ms: 0, size: 0, times: 0 };
  }

  function job(): Job {
    if (danger > 0 && dice.int(1, 100) <= danger) {
      const way = dice.pick(available.filter((crash) => crash !== "memory" || memory));
      return { id: id++, way, ms: dice.int(0, 5), size: 0, times: dice.int(1, 3), ...reporting() };
    }
    const way = dice.pick(
      [
        "quick",
        "quick",
        "async",
        "async",
        "busy",
        "cooperative",
        "echo",
        "throw",
        "bad argument",
        "bad result",
      ] as const,
    );
    return {
      id: id++,
      way,
      ms: way === "busy" || way === "cooperative" ? dice.skewed(1, LONGEST) : dice.skewed(0, 40),
      size: way === "echo" ? dice.skewed(0, 2 ** 18) : 0,
      times: way === "throw" ? dice.int(1, 4) : 0,
      ...reporting(),
    };
  }

  function reporting(): { reports?: ReportsPlan } {
    if (!dice.oneIn(2)) return {};
    const count = dice.skewed(1, 5000), kind = dice.pick(["text", "object", "bytes"] as const);
    return {
      reports: {
        ...{ count, kind },
        size: kind === "object" ? 0 : dice.skewed(0, Math.floor(Math.min(2 ** 16, MOST_REPORTED / count))),
        pause: dice.pick([0, 0, 50, 500]),
        leaves: dice.oneIn(4),
      },
    };
  }

  function limits(): Limits {
    if (dice.oneIn(3)) return {};
    return {
      ...(dice.oneIn(3) && { timeout: dice.skewed(1, 200) }),
      ...(dice.oneIn(3) && { grace: dice.skewed(0, 100) }),
      ...(dice.oneIn(3) && { retries: dice.int(1, 3) }),
      ...(dice.oneIn(3) && { priority: dice.int(-2, 2) }),
      ...(dice.oneIn(2) && { signal: true }),
      ...(dice.oneIn(2) && { listens: dice.pick(LISTENERS) }),
    };
  }

  function streamPlan(): StreamPlan {
    const crash = danger > 0 && dice.int(1, 100) <= danger;
    return {
      id: id++,
      count: dice.skewed(0, 3000),
      buffersize: dice.skewed(1, 200),
      way: crash
        ? dice.pick(available.filter((way) => way !== "memory" && way !== "stray"))
        : dice.pick(["ends", "ends", "throws"] as const),
      taskPause: dice.pick([0, 0, 0, 1]),
      readerPause: dice.pick([0, 0, 0, 1]),
      ...(dice.oneIn(4) && { leave: dice.skewed(1, 1000) }),
      ...reporting(),
    };
  }

  function mapPlan(): MapPlan {
    return {
      ordered: !dice.oneIn(3),
      settled: dice.oneIn(2),
      ...(dice.oneIn(3) && { chunksize: dice.skewed(1, 50) }),
      ...(dice.oneIn(3) && { buffersize: dice.skewed(1, 50) }),
      ...(dice.oneIn(6) && { timeout: dice.int(1, 200) }),
      ...(dice.oneIn(5) && { leave: dice.skewed(0, 30) }),
    };
  }
}

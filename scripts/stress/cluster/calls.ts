// The calls that a chaos run across machines makes, and how each may end. Nothing records every begin on a host, and a
// job may be run more than once, so these calls are not judged by tests/support/outcome.ts.

import { delay } from "@std/async";
import { isDeepStrictEqual } from "node:util";
import { CancelledError, type Future, TimeoutError, WorkerLostError } from "../../../mod.ts";
import type { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import { divide, square } from "../../../tests/fixtures/tasks/arithmetic.ts";
import { echo, enterSlowly } from "../../../tests/fixtures/tasks/cluster_tasks.ts";
import { exit } from "../../../tests/fixtures/tasks/worker_tasks.ts";
import { JobLostError } from "../../../src/bullmq/errors.ts";
import type { Dice } from "../lib/dice.ts";

/** What calls need besides. */
export interface CallSetup {
  readonly executor: BullMQExecutor;
  readonly dice: Dice;
  /** A file in which each slow call notes that it ends. */
  readonly ledger: string;
  /** A number that no other call has. */
  readonly serial: number;
}

/** Makes a call; resolves with what came of it when that is right, and throws when it is not. */
type Kind = (setup: CallSetup) => Promise<string>;

/** Calls of one key in a row are one job; so many keys are in use at a time. */
const KEYS = 50;

/** From `LONG_REPLY` of protocol.ts on a reply has a key of its own in Redis. */
const LONGEST_TEXT = 20_000;

const stopped = new Error("stopped by its signal");

/** All kinds of calls. */
export const KINDS: Readonly<Record<string, Kind>> = {
  returns: ({ executor, serial }) => judge(executor.submit(square, serial), serial ** 2),
  throws: ({ executor }) => judge(executor.submit(divide, 0), undefined, isDivisionByZero),
  text({ executor, dice }) {
    const text = "x".repeat(dice.int(0, LONGEST_TEXT));
    return judge(executor.submit(echo, text), text);
  },
  slow: ({ executor, dice, ledger, serial }) =>
    judge(executor.submit(enterSlowly, ledger, serial, dice.int(0, 300)), serial * 2),
  async cancelled({ executor, dice, ledger, serial }) {
    const future = executor.submit(enterSlowly, ledger, serial, dice.int(0, 100));
    const judged = outcomeOf(future);
    await delay(dice.int(0, 200));
    const cancelled = future.cancel();
    return right(await judged, serial * 2, (error) => cancelled && error instanceof CancelledError, !cancelled);
  },
  timeout: ({ executor, dice, ledger, serial }) =>
    judge(
      executor.with({ timeout: dice.int(50, 350) }).submit(enterSlowly, ledger, serial, dice.int(0, 300)),
      serial * 2,
      (error) => error instanceof TimeoutError,
    ),
  signal({ executor, dice, ledger, serial }) {
    const controller = new AbortController();
    const future = executor.with({ signal: controller.signal, grace: 100 })
      .submit(enterSlowly, ledger, serial, dice.int(0, 500));
    void delay(dice.int(0, 500)).then(() => controller.abort(stopped));
    return judge(future, serial * 2, (error) => error === stopped);
  },
  exits: ({ executor }) => judge(executor.with({ retries: 0 }).submit(exit, 7), undefined, () => false, false),
  key({ executor, dice, serial }) {
    // Some are one job of several executors; after so many calls they are others, as hosts may be lost more than thrice.
    const key = `${Math.floor(serial / 1000)}-${dice.int(1, KEYS)}`;
    return judge(executor.with({ key }).submit(square, 7), 49);
  },
  priority: ({ executor, dice, serial }) =>
    judge(executor.with({ priority: dice.int(-1, 2) }).submit(square, serial), serial ** 2),
  retryOn({ executor, dice }) {
    const retrying = executor.with({ retries: 2, retryOn: (error) => !isDivisionByZero(error) });
    return judge(retrying.submit(divide, dice.pick([0, 5])), 2, isDivisionByZero);
  },
  async map({ executor, dice }) {
    const items = Array.from({ length: dice.int(1, 30) }, (_, i) => i);
    const taken = dice.int(1, 40);
    const results: number[] = [];
    const outcome = await outcomeOf((async () => {
      for await (const result of executor.map(square, items)) if (results.push(result) === taken) break;
      return results;
    })());
    return right(outcome, items.slice(0, taken).map((item) => item ** 2));
  },
};

/** Kinds whose tasks note in the ledger that they end. */
export const NOTING: ReadonlySet<string> = new Set(["slow", "cancelled", "timeout", "signal"]);

type Outcome = { readonly value: unknown } | { readonly error: unknown };

function outcomeOf<T>(future: Future<T> | Promise<T>): Promise<Outcome> {
  return Promise.resolve(future).then((value) => ({ value }), (error) => ({ error }));
}

/** What comes of a call whose hosts, or whose jobs, keep being lost. */
export const HOSTS_LOST = "lost with its hosts", JOB_LOST = "lost with Redis' data";

/** How often a call of a kind may lose its host or its job before it fails for that; 3 without a word. */
export const REDELIVERIES: Readonly<Record<string, number>> = { exits: 0, retryOn: 2 };

/** Any call may be lost, when its hosts or its jobs keep being lost; the program finds out whether they were. */
function right(
  outcome: Outcome,
  value: unknown,
  mayFail: (error: unknown) => boolean = () => false,
  mayReturn = true,
): string {
  if ("value" in outcome) {
    if (mayReturn && isDeepStrictEqual(outcome.value, value)) return "returned";
    throw new Error(`it returned ${JSON.stringify(outcome.value)?.slice(0, 200)}`);
  }
  const { error } = outcome;
  if (error instanceof WorkerLostError) return HOSTS_LOST;
  if (error instanceof JobLostError) return JOB_LOST;
  if (mayFail(error)) return "failed as it should";
  throw new Error(`it failed: ${error}`, { cause: error });
}

async function judge(
  future: Future<unknown>,
  value: unknown,
  mayFail?: (error: unknown) => boolean,
  mayReturn = value !== undefined,
): Promise<string> {
  return right(await outcomeOf(future), value, mayFail, mayReturn);
}

function isDivisionByZero(error: unknown): boolean {
  return error instanceof RangeError && error.message === "Division by zero";
}

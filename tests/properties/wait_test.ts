// wait() and asCompleted() against models: futures that are done before or settle in any order, several in one turn.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import {
  ALL_COMPLETED,
  asCompleted,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  type ReturnWhen,
  TimeoutError,
  wait,
  type WaitResult,
} from "../../mod.ts";
import { property } from "./properties.ts";
import { turn, VirtualTime } from "./virtual_time.ts";

type End = "fulfilled" | "rejected" | "cancelled";

/** What happens in one turn. */
interface Turn {
  /** The futures that settle, by number, and how. Those that are done already are skipped. */
  readonly settled: readonly { readonly future: number; readonly end: End }[];
  /** How much time passes then. */
  readonly ms: number;
  /** How often asCompleted()'s next() is called then. */
  readonly nexts: number;
}

interface WaitPlan {
  /** The futures, and whether each runs already. */
  readonly futures: readonly boolean[];
  /** The input of wait() or asCompleted(), by number. */
  readonly input: readonly number[];
  readonly before: Turn["settled"];
  readonly timeout: number | undefined;
  readonly turns: readonly Turn[];
}

const MOST = 8;

const settled = fc.array(
  fc.record({ future: fc.nat(MOST - 1), end: fc.constantFrom<End>("fulfilled", "rejected", "cancelled") }),
  { maxLength: 3 },
);

const plan: fc.Arbitrary<WaitPlan> = fc.record({
  futures: fc.array(fc.boolean(), { minLength: MOST, maxLength: MOST }),
  input: fc.array(fc.nat(MOST - 1), { maxLength: 12, size: "max" }),
  before: settled,
  timeout: fc.constantFrom(undefined, undefined, -1, 0, 20, 40),
  turns: fc.array(
    fc.record({ settled, ms: fc.constantFrom(0, 0, 10, 30), nexts: fc.constantFrom(0, 0, 1, 2, 5) }),
    { maxLength: 12, size: "max" },
  ),
});

/** The futures of a plan, in virtual time. */
class Stage {
  readonly time: VirtualTime = new VirtualTime();
  readonly futures: readonly Future<number>[];
  /** The futures of the input, each once. */
  readonly input: readonly Future<number>[];
  /** The futures of the input that are done, in the order in which they ended. */
  readonly done: Future<number>[] = [];
  readonly #plan: WaitPlan;

  constructor(plan: WaitPlan) {
    this.#plan = plan;
    this.futures = plan.futures.map((running) => {
      const future = new Future<number>();
      if (running) future.setRunningOrNotifyCancel();
      return future;
    });
    this.input = [...new Set(plan.input)].map((n) => this.futures[n]!);
    this.settle(plan.before);
  }

  /** The input, with each future as often as the plan says. */
  get given(): Future<number>[] {
    return this.#plan.input.map((n) => this.futures[n]!);
  }

  /** The numbers of futures, in order. */
  numbers(futures: Iterable<Future<number>>): number[] {
    return [...futures].map((future) => this.futures.indexOf(future)).sort((a, b) => a - b);
  }

  settle(settled: Turn["settled"]): void {
    for (const { future: number, end } of settled) {
      const future = this.futures[number]!;
      if (future.done()) continue;
      if (end === "rejected") future.setException(new Error(`future ${number}`));
      else if (end === "fulfilled") future.setResult(number);
      else if (!future.cancel()) continue;
      if (this.input.includes(future)) this.done.push(future);
    }
  }

  /** Settles all that are left. */
  settleAll(): void {
    this.settle(this.futures.map((_, future) => ({ future, end: "fulfilled" })));
  }

  async run(fn: () => Promise<void>): Promise<void> {
    this.time.install();
    try {
      await fn();
      assertEquals(this.time.timers, 0, "a timer is left");
    } finally {
      this.time.uninstall();
    }
  }
}

/** Whether wait() has nothing more to wait for. */
function isMet(stage: Stage, returnWhen: ReturnWhen): boolean {
  const { done, input } = stage;
  if (done.length === input.length) return true;
  if (returnWhen === FIRST_COMPLETED) return done.length > 0;
  return returnWhen === FIRST_EXCEPTION && done.some((future) => future.outcome?.status === "rejected");
}

property(
  "wait() returns when its condition is met or its time is up, with what is done then",
  1000,
  fc.tuple(plan, fc.constantFrom(ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION)),
  ([plan, returnWhen]) => {
    const stage = new Stage(plan), { timeout } = plan;
    return stage.run(async () => {
      let result: WaitResult<Future<number>> | undefined;
      let expected: Future<number>[] | undefined;
      const check = (over: boolean) => {
        if (over) expected ??= [...stage.done];
        assertStrictEquals(
          result !== undefined,
          expected !== undefined,
          result ? "it returns too early" : "it does not return",
        );
        if (!result) return;
        // By number: to deepEqual(), one Future is like another.
        assertEquals(stage.numbers(result.done), stage.numbers(expected!));
        assertEquals(
          stage.numbers(result.notDone),
          stage.numbers(stage.input.filter((future) => !expected!.includes(future))),
        );
      };
      const options = { returnWhen, ...(timeout === undefined ? {} : { timeout }) };
      void wait(stage.given, options).then((returned) => result = returned);
      await turn();
      let now = 0;
      check(isMet(stage, returnWhen) || (timeout ?? Infinity) <= now);
      for (const { settled, ms } of plan.turns) {
        stage.settle(settled);
        await turn();
        check(isMet(stage, returnWhen));
        await stage.time.advance(ms);
        now += ms;
        check((timeout ?? Infinity) <= now);
      }
      stage.settleAll();
      await turn();
      check(true);
    });
  },
);

/** What next() must give. */
type Given = Future<number> | "end" | "timeout";

/** The model of asCompleted(): what next() gives, call by call. */
class Completions {
  /** The results of next(); `undefined` for one that waits. */
  readonly given: (Given | undefined)[] = [];
  readonly #stage: Stage;
  readonly #deadline: number;
  #served = 0;
  #yielded = 0;
  #over = false;

  constructor(stage: Stage, timeout: number) {
    this.#stage = stage;
    this.#deadline = timeout;
  }

  next(now: number): void {
    this.given.push(undefined);
    this.serve(now);
  }

  end(): void {
    this.#over = true;
    this.serve(0);
  }

  serve(now: number): void {
    const { done, input } = this.#stage;
    for (; this.#served < this.given.length; this.#served++) {
      if (this.#over || this.#yielded === input.length) this.given[this.#served] = "end";
      else if (this.#yielded < done.length) this.given[this.#served] = done[this.#yielded++]!;
      else if (now < this.#deadline) return;
      else {
        this.given[this.#served] = "timeout";
        this.#over = true;
      }
    }
  }
}

property(
  "asCompleted() gives each future once, as it is done, and those first that were done before",
  1000,
  fc.tuple(plan, fc.option(fc.nat(10), { nil: undefined })),
  ([plan, returnAt]) => {
    const stage = new Stage(plan), { timeout } = plan;
    // Futures that were done before come in any order.
    stage.done.sort((a, b) => stage.input.indexOf(a) - stage.input.indexOf(b));
    return stage.run(async () => {
      const model = new Completions(stage, timeout ?? Infinity);
      const iterator = asCompleted(stage.given, timeout === undefined ? {} : { timeout });
      const given: (Given | undefined)[] = [];
      const before = new Set(stage.done);
      let now = 0;
      const next = () => {
        const place = given.push(undefined) - 1;
        // In braces: a Future that is returned to a promise is awaited by it.
        iterator.next().then(({ done, value }) => {
          given[place] = done ? "end" : value;
        }, (error) => {
          assert(error instanceof TimeoutError);
          given[place] = "timeout";
        });
        model.next(now);
      };
      const check = async () => {
        model.serve(now);
        await turn();
        assertEquals(given.map(nameOf), model.given.map(nameOf));
      };
      const nameOf = (given: Given | undefined) => given instanceof Future ? stage.futures.indexOf(given) : given;
      for (const [n, { settled, ms, nexts }] of plan.turns.entries()) {
        if (n === returnAt) {
          await iterator.return();
          model.end();
        }
        for (let n = 0; n < nexts; n++) next();
        await check();
        stage.settle(settled);
        await check();
        await stage.time.advance(ms);
        now += ms;
        await check();
      }
      stage.settleAll();
      await check();
      for (let n = 0; n <= stage.input.length; n++) next();
      await check();
      const first = given.slice(0, before.size).filter((given) => given instanceof Future);
      assert(first.every((future) => before.has(future)), "one comes before those that were done first");
    });
  },
);

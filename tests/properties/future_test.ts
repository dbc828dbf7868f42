// Future against a model: any operations in any order.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import node from "node:assert/strict";
import fc from "fast-check";
import { CancelledError, Future, type FutureOutcome, InvalidStateError, TimeoutError } from "../../mod.ts";
import { reportsOf } from "../support/observe.ts";
import { commands, property } from "./properties.ts";
import { turn, VirtualTime } from "./virtual_time.ts";

/** What a callback does besides being called. */
type Behaviour = "nothing" | "throws" | "rejects" | "adds" | "settles";

/** The model of a Future. */
interface Model {
  state: "pending" | "running" | "cancelled" | "fulfilled" | "rejected";
  value: unknown;
  now: number;
  /** The names of the callbacks that wait. */
  waiting: { readonly name: string; readonly behaviour: Behaviour }[];
  /** The names of the callbacks that were called, in order. */
  called: string[];
  /** What each promise should tell, and until when. */
  promises: Map<string, { readonly deadline: number; told: "nothing" | "outcome" | "timeout" }>;
  /** How many callbacks have failed. */
  reports: number;
  /** Numbers the callbacks and promises. */
  names: number;
}

/** A real Future, and what it has told. */
interface Real {
  readonly future: Future<unknown>;
  readonly time: VirtualTime;
  /** The names of callbacks and promises, in the order in which they were told. */
  readonly log: string[];
  readonly promises: Map<string, PromiseSettledResult<unknown>>;
  /** The outcome that was seen first. */
  seen: FutureOutcome<unknown> | undefined;
}

type Command = fc.AsyncCommand<Model, Real>;

const isDone = ({ state }: Model) => state !== "pending" && state !== "running";

/** A command that may always run. After it, the Future must equal the model. */
function command(text: string, run: (model: Model, real: Real) => unknown): Command {
  return {
    check: () => true,
    async run(model, real) {
      await run(model, real);
      await turn();
      compare(model, real);
    },
    toString: () => text,
  };
}

/** Calls the model's callbacks. */
function call(model: Model, { name, behaviour }: Model["waiting"][number]): void {
  model.called.push(name);
  if (behaviour === "throws" || behaviour === "rejects") model.reports++;
  if (behaviour === "adds") model.called.push(`${name}+`);
}

function settle(model: Model, state: Model["state"], value: unknown): void {
  model.state = state;
  model.value = value;
  for (const promise of model.promises.values()) {
    if (promise.told === "nothing") promise.told = "outcome";
  }
  for (const callback of model.waiting.splice(0)) call(model, callback);
}

/** Settles the model and the Future, which must refuse when it is done. */
function settling(text: string, state: "fulfilled" | "rejected", value: unknown): Command {
  return command(text, (model, { future }) => {
    const act = () => state === "fulfilled" ? future.setResult(value) : future.setException(value);
    if (isDone(model)) return assertThrows(act, InvalidStateError);
    act();
    settle(model, state, value);
  });
}

function addCallback(behaviour: Behaviour): Command {
  return command(`addDoneCallback(${behaviour})`, (model, { future, log }) => {
    const name = `callback ${model.names++}`;
    future.addDoneCallback((told) => {
      assertStrictEquals(told, future);
      assert(future.done() && !future.running());
      log.push(name);
      if (behaviour === "throws") throw new Error(name);
      if (behaviour === "rejects") return Promise.reject(new Error(name));
      if (behaviour === "adds") future.addDoneCallback(() => log.push(`${name}+`));
      if (behaviour === "settles") {
        assertThrows(() => future.setResult(name), InvalidStateError);
        assertStrictEquals(future.cancel(), future.cancelled());
      }
    });
    if (isDone(model)) call(model, { name, behaviour });
    else model.waiting.push({ name, behaviour });
  });
}

/** Asks the Future for a promise, in one of several ways. */
function ask(how: "result" | "then" | "exception", timeout: number | undefined): Command {
  return command(`${how}(${timeout ?? ""})`, (model, { future, log, promises }) => {
    const name = `promise ${model.names++}`;
    const tell = (result: PromiseSettledResult<unknown>) => {
      log.push(name);
      promises.set(name, result);
    };
    // exception() resolves to the error. Thrown here, it looks like the other ways.
    const raise = (reason: unknown) => {
      if (model.state === "rejected") throw reason;
      return model.value;
    };
    const promise = how === "result"
      ? future.result(timeout)
      : how === "then"
      ? future.then()
      : future.exception(timeout).then(raise);
    promise.then(
      (value) => tell({ status: "fulfilled", value }),
      (reason) => tell({ status: "rejected", reason }),
    );
    const limit = how === "then" ? Infinity : timeout ?? Infinity;
    const told = isDone(model) ? "outcome" : limit <= 0 ? "timeout" : "nothing";
    model.promises.set(name, { deadline: model.now + limit, told });
  });
}

function compare(model: Model, real: Real): void {
  const { future, log } = real;
  const { state, value } = model;
  node.deepEqual(
    [future.done(), future.running(), future.cancelled()],
    [isDone(model), state === "running", state === "cancelled"],
  );
  assertMatch(String(future), new RegExp(isDone(model) && state !== "cancelled" ? "finished" : state));
  const { outcome } = future;
  assertStrictEquals(outcome?.status, isDone(model) ? state : undefined);
  if (outcome?.status === "fulfilled") assert(Object.is(outcome.value, value));
  else if (outcome?.status === "rejected") assert(Object.is(outcome.reason, value));
  else if (outcome) {
    assert(outcome.reason instanceof CancelledError);
    model.value = outcome.reason;
  }
  if (real.seen) node.deepEqual(outcome, real.seen, "the outcome has changed");
  real.seen = outcome;
  node.deepEqual(log.filter((name) => name.startsWith("callback")), model.called);
  checkPromises(model, real);
}

function checkPromises(model: Model, { promises }: Real): void {
  for (const [name, { told }] of model.promises) {
    const result = promises.get(name);
    if (told === "nothing") {
      assertEquals(result, undefined, `${name} is told too early`);
    } else if (told === "timeout") {
      assert(result?.status === "rejected" && result.reason instanceof TimeoutError, name);
    } else {
      assertStrictEquals(result?.status, model.state === "fulfilled" ? "fulfilled" : "rejected", name);
      assert(Object.is(result?.status === "fulfilled" ? result.value : result?.reason, model.value), name);
    }
  }
}

const value = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 0, -0, NaN, "", false),
  fc.string(),
  fc.object(),
  fc.constant(new CancelledError("as a value")),
);

const kinds: fc.Arbitrary<Command>[] = [
  value.map((value) => settling("setResult", "fulfilled", value)),
  value.map((value) => settling("setException", "rejected", value)),
  fc.constant(command("cancel", (model, { future }) => {
    const possible = model.state === "pending" || model.state === "cancelled";
    const pending = model.state === "pending";
    if (pending) settle(model, "cancelled", undefined);
    assertStrictEquals(future.cancel(), possible);
  })),
  fc.constant(command("setRunningOrNotifyCancel", (model, { future }) => {
    if (model.state !== "pending" && model.state !== "cancelled") {
      return assertThrows(() => future.setRunningOrNotifyCancel(), InvalidStateError);
    }
    assertStrictEquals(future.setRunningOrNotifyCancel(), model.state === "pending");
    if (model.state === "pending") model.state = "running";
  })),
  ...(["nothing", "throws", "rejects", "adds", "settles"] as const).map((behaviour) =>
    fc.constant(addCallback(behaviour))
  ),
  fc.constantFrom("result" as const, "then" as const, "exception" as const).chain((how) =>
    fc.constantFrom(undefined, -1, 0, 20, 50, 1e10).map((timeout) => ask(how, timeout))
  ),
  fc.integer({ min: 1, max: 40 }).map((ms) =>
    command(`advance(${ms})`, async (model, { time }) => {
      model.now += ms;
      for (const promise of model.promises.values()) {
        if (promise.told === "nothing" && promise.deadline <= model.now) promise.told = "timeout";
      }
      await time.advance(ms);
    })
  ),
];

property(
  "Future equals its model in every state, whatever is done with it",
  1000,
  commands(kinds),
  async (commands) => {
    const time = new VirtualTime();
    const log: string[] = [];
    const model: Model = {
      state: "pending",
      value: undefined,
      now: 0,
      waiting: [],
      called: [],
      promises: new Map(),
      reports: 0,
      names: 0,
    };
    time.install();
    try {
      const reports = await reportsOf(() =>
        fc.asyncModelRun(() => ({
          model,
          real: { future: new Future<unknown>(), time, log, promises: new Map(), seen: undefined },
        }), commands)
      );
      assertStrictEquals(reports.length, model.reports, "a failed callback is reported once");
      for (const [text] of reports) assertMatch(String(text), /Exception calling callback for/);
      // Timers of promises that still wait. None is left of promises that have settled.
      const waiting = [...model.promises.values()].filter(({ told, deadline }) =>
        told === "nothing" && deadline < Infinity
      );
      assertStrictEquals(time.timers, waiting.length);
    } finally {
      time.uninstall();
    }
  },
);

property(
  "Future calls its callbacks before those who await it are told, in the order of addition",
  200,
  fc.array(fc.boolean(), { maxLength: 20 }),
  async (additions) => {
    const future = new Future<number>();
    const log: string[] = [];
    additions.forEach((callback, n) => {
      if (callback) future.addDoneCallback(() => log.push(`callback ${n}`));
      else void future.then(() => log.push(`then ${n}`));
    });
    future.setResult(1);
    const names = (kind: boolean, name: string) => additions.flatMap((is, n) => is === kind ? [`${name} ${n}`] : []);
    node.deepEqual(log, names(true, "callback"));
    await turn();
    node.deepEqual(log, [...names(true, "callback"), ...names(false, "then")]);
  },
);

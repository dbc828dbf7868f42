// Future.then() against a native promise: any handlers, errors and thenables, on two Futures, before and after they are done.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Future } from "../../mod.ts";
import { property } from "./properties.ts";
import { turn } from "./virtual_time.ts";

/** What a handler does besides being called; `none`: there is no handler. */
const HANDLERS = [
  "none",
  "returns",
  "throws",
  "gives a promise",
  "gives a rejected promise",
  "gives a later promise",
  "gives a thenable",
  "gives the subject",
  "adds",
  "settles the other",
] as const;
type Handler = typeof HANDLERS[number];

type Way = "then" | "catch" | "finally" | "await" | "resolve" | "all" | "race";

type Step =
  | { readonly kind: "ask"; readonly subject: number; readonly way: Way; readonly handlers: readonly Handler[] }
  | { readonly kind: "settle"; readonly subject: number; readonly fails: boolean }
  | { readonly kind: "microtask" }
  | { readonly kind: "turn" };

/** A Future, or what stands for it: a thenable around a native promise. */
interface Subject {
  then: Future<unknown>["then"];
  catch: Future<unknown>["catch"];
  finally: Future<unknown>["finally"];
  settle(fails: boolean, value: string): void;
}

function real(): Subject {
  class Settled extends Future<unknown> {
    settle(fails: boolean, value: string): void {
      if (!this.done()) fails ? this.setException(value) : this.setResult(value);
    }
  }
  return new Settled();
}

function model(): Subject {
  let fulfil!: (value: unknown) => void, reject!: (reason: unknown) => void;
  const promise = new Promise<unknown>((onFulfil, onReject) => {
    fulfil = onFulfil;
    reject = onReject;
  });
  promise.catch(() => {}); // a Future that nobody asks is no unhandled rejection
  return {
    then: (onFulfilled, onRejected) => promise.then(onFulfilled, onRejected),
    catch: (onRejected) => promise.then(undefined, onRejected),
    finally: (onFinally) => promise.then().finally(onFinally),
    settle: (fails, value) => fails ? reject(value) : fulfil(value),
  };
}

/** Runs the steps; resolves to what was called and told, in order. */
async function run(make: () => Subject, steps: readonly Step[]): Promise<string[]> {
  const subjects = [make(), make()], log: string[] = [];
  const tell = (name: string, promise: Promise<unknown>) =>
    void promise.then((value) => log.push(`${name} = ${value}`), (reason) => log.push(`${name} ! ${reason}`));
  const handler = (kind: Handler, name: string, subject: number) => {
    if (kind === "none") return undefined;
    return (value?: unknown): unknown => {
      log.push(`${name}(${value})`);
      switch (kind) {
        case "throws":
          throw `${name} throws`;
        case "gives a promise":
          return Promise.resolve(name);
        case "gives a rejected promise":
          return Promise.reject(name);
        case "gives a later promise":
          return turn().then(() => name);
        case "gives a thenable":
          return { then: (onFulfilled: (value: string) => void) => onFulfilled(name) };
        case "gives the subject":
          return subjects[subject];
        case "adds":
          return tell(`${name} added`, subjects[subject]!.then((value) => (log.push(`${name}+`), value)));
        case "settles the other":
          return subjects[1 - subject]!.settle(false, name);
      }
      return name;
    };
  };
  const ask = ({ way, handlers, subject: index }: Step & { kind: "ask" }, name: string): Promise<unknown> => {
    const subject = subjects[index]!;
    const [first, second] = handlers.map((kind, n) => handler(kind, `${name}.${n}`, index));
    switch (way) {
      case "then":
        return subject.then(first, second).then(second, first);
      case "catch":
        return subject.catch(first).then(second);
      case "finally":
        return subject.finally(first);
      case "await":
        return (async () => await subject)();
      case "resolve":
        return Promise.resolve(subject).then(first, second);
      case "all":
        return Promise.all(subjects).then(first, second);
      case "race":
        return Promise.race([subject, subjects[1 - index]]).then(first, second);
    }
  };
  for (const [n, step] of steps.entries()) {
    const name = `${n}`;
    if (step.kind === "ask") tell(name, ask(step, name));
    else if (step.kind === "settle") subjects[step.subject]!.settle(step.fails, name);
    else if (step.kind === "turn") await turn();
    else await undefined;
    log.push(`after ${n}`);
  }
  for (const subject of subjects) subject.settle(false, "end");
  for (let n = 0; n < 3; n++) await turn();
  return log;
}

const subject = fc.nat({ max: 1 });
const ask = fc.record({
  kind: fc.constant("ask" as const),
  subject,
  way: fc.constantFrom<Way[]>("then", "then", "catch", "finally", "await", "resolve", "all", "race"),
  handlers: fc.tuple(fc.constantFrom(...HANDLERS), fc.constantFrom(...HANDLERS)),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: ask },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("settle" as const), subject, fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "microtask" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "turn" as const }) },
);

property(
  "Future.then() equals that of a promise: what is called and told, with what, and in which order",
  2000,
  fc.array(step, { maxLength: 12 }),
  async (steps) => assertEquals(await run(real, steps), await run(model, steps)),
);

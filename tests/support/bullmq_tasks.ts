// The modules that hosts serve in tests, by name, and tasks that are exports of these modules.

import type { CallOptions, Executor, ExecutorView, Group } from "../../mod.ts";
import { setTaskRef } from "../../src/wire/marks.ts";
import { type TaskRef, taskRef } from "../../src/wire/task_ref.ts";
import { inline } from "../fixtures/tasks/cluster_tasks.ts";

const HERE = new URL("..", import.meta.url).href;

/** The modules that hosts serve in tests, by name. */
export const MODULES: Readonly<Record<string, URL>> = {
  tasks: new URL("behaviour/cases/tasks.ts", HERE),
  ...Object.fromEntries(
    [
      ...["arithmetic", "cluster_tasks", "gate_tasks", "memory_tasks", "plain_module", "stop_tasks", "worker_tasks"],
    ].map((name) => [name, new URL(`fixtures/tasks/${name}.ts`, HERE)] as const),
  ),
};

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** Makes the same task with the name that hosts have for its module. */
export function named<F extends AnyFunction>(fn: F): F {
  const ref = taskRef("name a task", fn, false);
  const task = ((...args: unknown[]) => fn(...args)) as F;
  setTaskRef(task, { ...ref, registered: moduleName(ref) } as TaskRef);
  return task;
}

const namedInline = named(inline);
const tasks = new WeakMap<object, AnyFunction>();
/** The executors themselves, by what stands for them. */
const executors = new WeakMap<object, ExecutorView>();

/**
 * The same executor, which takes whatever a local one takes: tasks of the tests' modules get their names, and inline
 * tasks become arguments of a task that evaluates them. So a behaviour is written once for all executors.
 */
export function takingAll<E extends ExecutorView>(executor: E): E {
  const members: Record<PropertyKey, unknown> = {
    submit: (fn: unknown, ...args: unknown[]) => {
      const [task, before] = portable("submit a task", fn);
      return executor.submit(task, ...before, ...args.map((arg) => executors.get(arg as object) ?? arg));
    },
    map: (fn: unknown, ...rest: unknown[]) => {
      const [task, before] = portable("map a task", fn);
      const inputs = rest.some((input) => isIterable(input)) ? before.map((value) => repeat(value)) : [];
      return (executor.map as AnyFunction)(task, ...inputs, ...rest);
    },
    with: (options: CallOptions) => takingAll(executor.with(options)),
    group: (...args: unknown[]) => {
      const blocks = args.map((arg) => typeof arg === "function" ? (group: Group) => arg(takingAll(group)) : arg);
      const opened = (executor.group as AnyFunction)(...blocks);
      return "submit" in opened ? takingAll(opened) : opened;
    },
    on: (other: object) => takingAll((executor as unknown as Group).on((executors.get(other) ?? other) as Executor)),
  };
  const proxy = new Proxy(executor, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name];
      const value = Reflect.get(target, name, target);
      // No bound function: Node 24 does not take one for `await using`.
      return typeof value === "function" ? (...args: unknown[]) => value.apply(target, args) : value;
    },
  });
  executors.set(proxy, executor);
  return proxy;
}

/** The task that stands for a function on a host, and the arguments to put before its own. */
function portable(action: string, fn: unknown): [task: AnyFunction, before: unknown[]] {
  const ref = taskRef(action, fn); // throws what a local executor throws
  if (ref.kind === "source") return [namedInline, [ref.source]];
  let task = tasks.get(fn as object);
  if (!task) tasks.set(fn as object, task = named(fn as AnyFunction));
  return [task, []];
}

function moduleName(ref: TaskRef): string {
  if (ref.kind !== "export") throw new TypeError("An inline task has no module");
  return /([^/]+)\.ts$/.exec(ref.module)![1]!;
}

function* repeat<T>(value: T): Generator<T> {
  for (;;) yield value;
}

function isIterable(value: unknown): boolean {
  return typeof value === "string" ||
    (typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value));
}

// What an executor can be told when it is made: defaults and checks.

import { availableParallelism } from "../runtime.ts";
import type { ErrorConstructorLike } from "../wire/failure.ts";
import { type TaskRef, taskRef } from "../wire/task_ref.ts";
import type { Backend } from "./backend.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/** Options of both executors. All times are milliseconds. */
export interface ExecutorOptions {
  /** How many workers there are at most. By default as many as the machine can run at the same time. */
  maxWorkers?: number;
  /** Workers are called `${name}_${index}`. By default `ThreadPoolExecutor-0`, counting up. */
  name?: string;
  /** A task that each worker runs once, before its first call. When it fails, the executor is broken. */
  initializer?: AnyFunction;
  /** The arguments of `initializer`. */
  initargs?: readonly unknown[];
  /** A worker ends after so many calls and another takes its place. By default it stays. */
  maxTasksPerWorker?: number;
  /** A worker ends when it has been idle for so long. By default it stays; it never keeps the program alive. */
  idleTimeout?: number;
  /** Custom error classes: errors of a task that are of one of these, by name, are of it here too. */
  errorTypes?: readonly ErrorConstructorLike[];
}

/** Options with defaults, checked. */
export interface Settings {
  readonly maxWorkers: number;
  readonly name: string;
  readonly initializer: { readonly task: TaskRef; readonly args: readonly unknown[] } | undefined;
  readonly maxTasksPerWorker: number | undefined;
  readonly idleTimeout: number | undefined;
  readonly errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
}

/**
 * Checks the options of an executor.
 *
 * @param backend What the executor runs.
 * @param options What its maker wants.
 * @param defaultName Makes a name for it.
 * @returns The options with defaults.
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readOptions(backend: Backend, options: ExecutorOptions, defaultName: () => string): Settings {
  const action = `create ${backend.name}`;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action} as its options must be an object: received ${show(options)}`);
  }
  const { maxWorkers, name, initializer, initargs = [], maxTasksPerWorker, idleTimeout, errorTypes = [] } = options;
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`Cannot ${action} as 'name' must be a string: received ${show(name)}`);
  }
  if (!Array.isArray(initargs)) {
    throw new TypeError(`Cannot ${action} as 'initargs' must be an array: received ${show(initargs)}`);
  }
  if (!Array.isArray(errorTypes)) {
    throw new TypeError(`Cannot ${action} as 'errorTypes' must be an array: received ${show(errorTypes)}`);
  }
  for (const type of errorTypes) {
    if (typeof type !== "function" || !(type.prototype instanceof Error)) {
      throw new TypeError(`Cannot ${action} as 'errorTypes' must hold classes of errors: received ${show(type)}`);
    }
  }
  return {
    maxWorkers: positiveInteger(action, "maxWorkers", maxWorkers) ?? availableParallelism(),
    name: name ?? defaultName(),
    initializer: initializer === undefined
      ? undefined
      : { task: taskRef(`${action} with this 'initializer'`, initializer), args: initargs },
    maxTasksPerWorker: positiveInteger(action, "maxTasksPerWorker", maxTasksPerWorker),
    idleTimeout: duration(action, "idleTimeout", idleTimeout),
    errorTypes: new Map(errorTypes.map((type) => [type.name, type])),
  };
}

/**
 * Checks an option that counts something.
 *
 * @param action What cannot be done otherwise, for the message.
 * @param name The option's name.
 * @param value Its value.
 * @returns The value.
 * @throws {TypeError} when it is not a number.
 * @throws {RangeError} when it is not a positive integer.
 */
export function positiveInteger(action: string, name: string, value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${action} as '${name}' must be a number: received ${show(value)}`);
  }
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Cannot ${action} as '${name}' must be a positive integer: received ${show(value)}`);
  }
  return value;
}

function duration(action: string, name: string, value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${action} as '${name}' must be a number of milliseconds: received ${show(value)}`);
  }
  if (!(value >= 0)) throw new RangeError(`Cannot ${action} as '${name}' must be >= 0: received ${show(value)}`);
  return value === Infinity ? undefined : value;
}

/** A value as it is shown in a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return value.name ? `the function ${value.name}` : "an anonymous function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

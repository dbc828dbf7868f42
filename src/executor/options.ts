// What an executor can be told when it is made: defaults and checks.

import { availableParallelism } from "../runtime.ts";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type TaskRef, taskRef } from "../wire/task_ref.ts";
import type { Backend, WorkerLimits, WorkerPermissions } from "./backend.ts";
import type { TaskFunction } from "./task.ts";
import type { UnobservedHandler } from "./unobserved.ts";

/** Options of both executors. All times are milliseconds. */
export interface ExecutorOptions {
  /** How many workers there are at most. By default as many as the machine can run at the same time. */
  maxWorkers?: number;
  /** Workers are called `${name}_${index}`. By default `ThreadPoolExecutor-0`, counting up. */
  name?: string;
  /** A task that each worker runs once, before its first call. When it fails, the executor is broken. */
  initializer?: TaskFunction;
  /** The arguments of `initializer`. */
  initargs?: readonly unknown[];
  /** A worker ends after so many calls and another takes its place. By default it stays. */
  maxTasksPerWorker?: number;
  /** A worker ends when it has been idle for so long. By default it stays; it never keeps the program alive. */
  idleTimeout?: number;
  /**
   * What happens when a worker is lost. `"replace"`, the default: what it ran fails, the rest goes on and another takes
   * its place. `"break"`: as in Python, the executor is broken and every call that is not done fails.
   */
  onWorkerLost?: "replace" | "break";
  /** So many calls may wait; more are a {@linkcode QueueFullError}, see {@linkcode Executor.ready}. By default any. */
  maxQueue?: number;
  /** `false`: only tasks of modules are taken, no source is ever evaluated. */
  inlineTasks?: boolean;
  /**
   * Memory of a worker, in MiB: the limit of its heap where the runtime has one (threads and processes of Node,
   * processes of Deno), and a worker that uses more retires between two calls, on every runtime.
   */
  memoryLimit?: number;
  /** What workers may do on Deno; by default all that the program may do. Never more. */
  permissions?: WorkerPermissions;
  /** Told of failures that nobody looked at when the executor has shut down; by default the console is. */
  onUnobserved?: UnobservedHandler;
  /** Custom error classes: errors of a task that are of one of these, by name, are of it here too. */
  errorTypes?: readonly ErrorConstructorLike[];
}

/** Options of processes. */
export interface ProcessPoolExecutorOptions extends ExecutorOptions {
  /** The environment of the processes; by default the program's. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where the processes run; by default where the program does. */
  cwd?: string | URL;
  /** Flags of the runtime for the processes, besides what the program itself was started with. */
  execArgv?: readonly string[];
}

/** Options with defaults, checked. */
export interface Settings {
  readonly onWorkerLost: "replace" | "break";
  readonly maxQueue: number;
  readonly inlineTasks: boolean;
  readonly limits: WorkerLimits;
  readonly onUnobserved: UnobservedHandler | undefined;
  readonly maxWorkers: number;
  readonly name: string;
  readonly initializer: { readonly task: TaskRef; readonly args: readonly unknown[] } | undefined;
  readonly maxTasksPerWorker: number | undefined;
  readonly idleTimeout: number | undefined;
  readonly errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
}

/** How many executors of each kind there have been, for their names. */
const counts = new WeakMap<Backend, number>();

/**
 * Checks the options of an executor.
 *
 * @param backend What the executor runs.
 * @param options What its maker wants.
 * @returns The options with defaults.
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readOptions(backend: Backend, options: ProcessPoolExecutorOptions): Settings {
  const action = `create ${backend.name}`;
  const refuse = (name: string, wanted: string, value: unknown): never => {
    throw new TypeError(`Cannot ${action} as '${name}' must be ${wanted}: received ${show(value)}`);
  };
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action} as its options must be an object: received ${show(options)}`);
  }
  const { name, initializer, initargs = [], errorTypes = [], onWorkerLost = "replace", inlineTasks = true } = options;
  const { onUnobserved, permissions = "inherit", env, cwd, execArgv } = options;
  if (name !== undefined && typeof name !== "string") refuse("name", "a string", name);
  if (!Array.isArray(initargs)) refuse("initargs", "an array", initargs);
  if (!Array.isArray(errorTypes)) refuse("errorTypes", "an array", errorTypes);
  for (const type of errorTypes) {
    if (typeof type !== "function" || !(type.prototype instanceof Error)) {
      refuse("errorTypes", "an array of classes of errors", type);
    }
  }
  if (onWorkerLost !== "replace" && onWorkerLost !== "break") {
    const received = show(onWorkerLost);
    throw new RangeError(`Cannot ${action} as 'onWorkerLost' must be "replace" or "break": received ${received}`);
  }
  checkBoolean(action, "inlineTasks", inlineTasks);
  if (onUnobserved !== undefined && typeof onUnobserved !== "function") {
    refuse("onUnobserved", "a function", onUnobserved);
  }
  if (
    permissions !== "inherit" && permissions !== "none" && (typeof permissions !== "object" || permissions === null)
  ) {
    refuse("permissions", `"inherit", "none" or an object`, permissions);
  }
  if (env !== undefined && (typeof env !== "object" || env === null)) refuse("env", "an object", env);
  if (cwd !== undefined && typeof cwd !== "string" && !(cwd instanceof URL)) refuse("cwd", "a string or URL", cwd);
  if (execArgv !== undefined && !Array.isArray(execArgv)) refuse("execArgv", "an array", execArgv);
  const defaultName = () => {
    const count = counts.get(backend) ?? 0;
    counts.set(backend, count + 1);
    return `${backend.name}-${count}`;
  };
  return {
    maxWorkers: positiveInteger(action, "maxWorkers", options.maxWorkers) ?? availableParallelism(),
    initializer: initializer === undefined
      ? undefined
      : { task: taskRef(`${action} with this 'initializer'`, initializer, inlineTasks), args: initargs },
    maxTasksPerWorker: positiveInteger(action, "maxTasksPerWorker", options.maxTasksPerWorker),
    maxQueue: options.maxQueue === Infinity
      ? Infinity
      : positiveInteger(action, "maxQueue", options.maxQueue) ?? Infinity,
    idleTimeout: duration(action, "idleTimeout", options.idleTimeout),
    limits: {
      memoryLimit: positiveInteger(action, "memoryLimit", options.memoryLimit),
      permissions,
      env,
      cwd,
      execArgv,
    },
    errorTypes: new Map(errorTypes.map((type) => [type.name, type])),
    onWorkerLost,
    inlineTasks,
    onUnobserved,
    name: name ?? defaultName(),
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

/**
 * Checks an option that is on or off.
 *
 * @param action What cannot be done otherwise, for the message.
 * @param name The option's name.
 * @param value Its value.
 * @throws {TypeError} when it is not a boolean.
 */
export function checkBoolean(action: string, name: string, value: boolean | undefined): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new TypeError(`Cannot ${action} as '${name}' must be a boolean: received ${show(value)}`);
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

// The options of an executor of local workers: defaults and checks.

import { availableParallelism } from "../runtime.ts";
import {
  checkArray,
  checkBoolean,
  checkDuration,
  checkErrorTypes,
  checkFunction,
  checkOptions,
  checkPositiveInteger,
  checkString,
  refuseKind,
  refuseRange,
} from "../wire/check.ts";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type TaskRef, taskRef } from "../wire/task_ref.ts";
import type { Backend, WorkerOptions, WorkerPermissions } from "./backend.ts";
import { checkPermissions } from "./permissions.ts";
import type { TaskFunction } from "../task/task.ts";
import type { UnobservedHandler } from "../future/unobserved.ts";

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
  /**
   * So many calls may wait for a worker, besides what workers were handed ahead; more are a {@linkcode QueueFullError},
   * see {@linkcode Executor.ready}. By default any number.
   */
  maxQueue?: number;
  /**
   * `false`: only tasks of modules are taken, and no module whose URL is its source (`data:`, `blob:`). Workers refuse
   * sources, too, whoever sends them.
   */
  inlineTasks?: boolean;
  /**
   * Memory of a worker, in MiB: the limit of its heap where the runtime has one (threads, by a quarter more, and processes of Node,
   * processes of Deno), and a worker that uses more retires between two calls, on every runtime.
   */
  memoryLimit?: number;
  /**
   * What workers may do on Deno; by default all that the program may do. Never more: to ask for that is an error when the
   * executor is made. Relative paths are below the folder in which the program is then. For threads, Deno (2.9) ends a
   * program that gives anything else here without `--unstable-worker-options`. Bun and Node have no permissions.
   */
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
  /**
   * Flags of the runtime for the processes, besides what the program itself was started with. On Deno, none about
   * permissions.
   */
  execArgv?: readonly string[];
}

/** The options, checked and with defaults. */
export interface PoolSettings {
  readonly onWorkerLost: "replace" | "break";
  readonly maxQueue: number;
  readonly inlineTasks: boolean;
  readonly workerOptions: WorkerOptions;
  readonly onUnobserved: UnobservedHandler | undefined;
  readonly maxWorkers: number;
  readonly name: string;
  readonly initializer: { readonly task: TaskRef; readonly args: readonly unknown[] } | undefined;
  readonly maxTasksPerWorker: number | undefined;
  readonly idleTimeout: number;
  readonly errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
}

/**
 * Checks the options of an executor.
 *
 * @param backend The kind of workers.
 * @param options The options as given.
 * @returns The options with defaults.
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 * @throws {Error} when workers would have a permission that the program does not have.
 */
export function readOptions(backend: Backend, options: ProcessPoolExecutorOptions): PoolSettings {
  const action = `create ${backend.name}`;
  checkOptions(action, options);
  const { name, initializer, initargs = [], errorTypes = [], onWorkerLost = "replace", inlineTasks = true } = options;
  const { maxWorkers, maxTasksPerWorker, maxQueue = Infinity, idleTimeout = Infinity, memoryLimit } = options;
  const { onUnobserved, permissions = "inherit", env, cwd, execArgv } = options;
  checkString(action, "name", name);
  checkArray(action, "initargs", initargs);
  checkErrorTypes(action, errorTypes);
  if (onWorkerLost !== "replace" && onWorkerLost !== "break") {
    refuseRange(action, "onWorkerLost", '"replace" or "break"', onWorkerLost);
  }
  checkBoolean(action, "inlineTasks", inlineTasks);
  checkPositiveInteger(action, "maxWorkers", maxWorkers);
  checkPositiveInteger(action, "maxTasksPerWorker", maxTasksPerWorker);
  if (maxQueue !== Infinity) checkPositiveInteger(action, "maxQueue", maxQueue);
  checkDuration(action, "idleTimeout", idleTimeout);
  checkPositiveInteger(action, "memoryLimit", memoryLimit);
  checkFunction(action, "onUnobserved", onUnobserved);
  checkPermissions(action, permissions);
  if (env !== undefined && !isObject(env)) refuseKind(action, "env", "an object", env);
  if (cwd !== undefined && typeof cwd !== "string" && !(cwd instanceof URL && cwd.protocol === "file:")) {
    refuseKind(action, "cwd", "a path or a file: URL", cwd);
  }
  checkArray(action, "execArgv", execArgv);
  for (const [i, flag] of execArgv?.entries() ?? []) {
    if (typeof flag !== "string") refuseKind(action, `execArgv[${i}]`, "a string", flag);
  }
  // Copies: what was checked is what workers are started with.
  const workerOptions = { memoryLimit, permissions, env: env && { ...env }, cwd, execArgv: execArgv && [...execArgv] };
  return {
    maxWorkers: maxWorkers ?? availableParallelism(),
    initializer: initializer === undefined
      ? undefined
      : { task: taskRef(`${action} with this 'initializer'`, initializer, inlineTasks), args: initargs },
    maxTasksPerWorker,
    maxQueue,
    idleTimeout,
    workerOptions: backend.checkWorkerOptions?.(action, workerOptions) ?? workerOptions,
    errorTypes: new Map(errorTypes.map((type) => [type.name, type])),
    onWorkerLost,
    inlineTasks,
    onUnobserved,
    name: name ?? defaultName(backend),
  };
}

/** How many executors of each kind there have been. */
const counts = new WeakMap<Backend, number>();

function defaultName(backend: Backend): string {
  const count = counts.get(backend) ?? 0;
  counts.set(backend, count + 1);
  return `${backend.name}-${count}`;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

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
  isRecord,
  optionNames,
  refuseKind,
  refuseRange,
} from "../wire/check.ts";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type TaskRef, taskRef } from "../wire/task_ref.ts";
import type { Backend, WorkerOptions, WorkerPermissions } from "./backend.ts";
import { checkEntry, checkWorker, type OwnWorker } from "./own_worker.ts";
import { checkPermissions } from "./permissions.ts";
import type { Task, TaskFunction } from "../task/task.ts";
import type { UnobservedHandler } from "../future/unobserved.ts";

/** Options of {@linkcode ThreadPoolExecutor}, and of {@linkcode ProcessPoolExecutor} besides its own. */
export interface ExecutorOptions {
  /**
   * Maximum number of workers. A worker starts when a call finds none idle.
   *
   * @default the number of calls that the machine can run at the same time
   */
  maxWorkers?: number | undefined;
  /**
   * Name of the executor. Its workers are `${name}_0`, `${name}_1` and so on.
   *
   * @default "ThreadPoolExecutor-0" or "ProcessPoolExecutor-0", counting up
   */
  name?: string | undefined;
  /**
   * Task that each worker runs once, before its first call. If it throws, the executor is broken.
   *
   * @default none
   */
  initializer?: TaskFunction | Task<never, unknown> | undefined;
  /**
   * Arguments of `initializer`.
   *
   * @default []
   */
  initargs?: readonly unknown[] | undefined;
  /**
   * Task that each worker runs last: when it ends after `maxTasksPerWorker` calls, because of `memoryLimit`, `idleTimeout` or
   * {@linkcode Executor.resize}, at the shutdown, and at the end of the program. It has 5 seconds; then its worker is killed.
   * If it fails, that is reported, and nothing else fails. It does not run in a worker that is lost or killed.
   *
   * @default none
   */
  finalizer?: TaskFunction | Task<never, unknown> | undefined;
  /**
   * Number of calls after which a worker ends and another takes its place.
   *
   * @default no limit
   */
  maxTasksPerWorker?: number | undefined;
  /**
   * Time in milliseconds after which an idle worker ends. An idle worker never keeps the program alive.
   *
   * @default Infinity
   */
  idleTimeout?: number | undefined;
  /**
   * What happens when a worker ends by itself or is killed. `"replace"`: the call that it ran fails, its other calls run on
   * other workers, and a new worker takes its place. `"break"`: as in Python, the executor is broken, and every call that
   * is not done fails.
   *
   * @default "replace"
   */
  onWorkerLost?: "replace" | "break" | undefined;
  /**
   * Maximum number of calls that wait for a worker, besides those that workers were handed ahead. Beyond it,
   * {@linkcode Executor.submit} throws a {@linkcode QueueFullError}; {@linkcode Executor.ready} waits for a place.
   *
   * @default Infinity
   */
  maxQueue?: number | undefined;
  /**
   * Whether functions are sent to workers by their source. `false`: the executor takes only tasks of modules, and no module
   * whose URL is its source (`data:`, `blob:`). Its workers refuse sources too, whoever sends them.
   *
   * @default true
   */
  inlineTasks?: boolean | undefined;
  /**
   * Memory of each worker, in MiB. A worker that uses more ends between two calls and is replaced, on every runtime. It is
   * also the limit of the worker's heap where the runtime has one: for threads of Node (and a quarter more), for processes
   * of Node and Deno.
   *
   * @default no limit
   */
  memoryLimit?: number | undefined;
  /**
   * What workers may do on Deno: `"inherit"` (all that the program may do), `"none"`, or a list of permissions that the
   * program has too. A relative path in a list is below the working folder at the time. For threads, Deno (2.9) requires
   * `--unstable-worker-options` for anything but `"inherit"`. Bun and Node have no permissions and ignore this.
   *
   * @default "inherit"
   */
  permissions?: WorkerPermissions | undefined;
  /**
   * Called once, after the shutdown, when calls have failed and nothing has observed their errors.
   *
   * @default writes to `console.error`
   */
  onUnobserved?: UnobservedHandler | undefined;
  /**
   * Classes of errors that tasks throw. An error whose class has the name of one of them arrives as an instance of it;
   * errors of other classes of a program's own arrive as `Error`.
   *
   * @default []
   */
  errorTypes?: readonly ErrorConstructorLike[] | undefined;
}

/** Options of {@linkcode ThreadPoolExecutor}. */
export interface ThreadPoolExecutorOptions extends ExecutorOptions {
  /**
   * Starts each thread from a file of your own, which imports `@concurrent/futures/worker` and then its tasks:
   * `() => new Worker(new URL("./my_worker.ts", import.meta.url), { type: "module" })`. Build tools make a bundle of such a
   * file. On Node, it is the `Worker` of `node:worker_threads`.
   *
   * @default starts them from a file of this package
   */
  worker?: (() => OwnWorker) | undefined;
}

/** Options of {@linkcode ProcessPoolExecutor}. */
export interface ProcessPoolExecutorOptions extends ExecutorOptions {
  /**
   * Environment of the processes.
   *
   * @default the program's
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Working folder of the processes: a path or a `file:` URL.
   *
   * @default the program's
   */
  cwd?: string | URL | undefined;
  /**
   * File of your own from which the processes start: it imports `@concurrent/futures/worker` and then its tasks.
   *
   * @default a file of this package
   */
  entry?: URL | undefined;
  /**
   * Flags of the runtime for the processes, besides those that the program was started with. On Deno, none about
   * permissions: these are `permissions`.
   *
   * @default []
   */
  execArgv?: readonly string[] | undefined;
}

const EXECUTOR_OPTIONS = optionNames<ExecutorOptions>({
  maxWorkers: true,
  name: true,
  initializer: true,
  initargs: true,
  finalizer: true,
  maxTasksPerWorker: true,
  idleTimeout: true,
  onWorkerLost: true,
  maxQueue: true,
  inlineTasks: true,
  memoryLimit: true,
  permissions: true,
  onUnobserved: true,
  errorTypes: true,
});

/** The names of the options that processes have besides. */
export const PROCESS_OPTIONS: readonly string[] = optionNames<
  Omit<ProcessPoolExecutorOptions, keyof ExecutorOptions>
>({ env: true, cwd: true, entry: true, execArgv: true });

/** The names of the options that threads have besides. */
export const THREAD_OPTIONS: readonly string[] = optionNames<
  Omit<ThreadPoolExecutorOptions, keyof ExecutorOptions>
>({ worker: true });

/** The options of local executors. */
export type LocalExecutorOptions = ThreadPoolExecutorOptions & ProcessPoolExecutorOptions;

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
  readonly finalizer: TaskRef | undefined;
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
export function readOptions(backend: Backend, options: LocalExecutorOptions): PoolSettings {
  const action = `create ${backend.name}`;
  checkOptions(action, options, [...EXECUTOR_OPTIONS, ...backend.ownOptions ?? []]);
  const { name, initializer, initargs = [], finalizer, errorTypes = [], onWorkerLost = "replace", inlineTasks = true } =
    options;
  const { maxWorkers, maxTasksPerWorker, maxQueue = Infinity, idleTimeout = Infinity, memoryLimit } = options;
  const { onUnobserved, permissions = "inherit", env, cwd, execArgv, worker, entry } = options;
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
  checkWorker(action, options);
  checkEntry(action, entry);
  if (env !== undefined && !isRecord(env)) refuseKind(action, "env", "an object", env);
  if (cwd !== undefined && typeof cwd !== "string" && !(cwd instanceof URL && cwd.protocol === "file:")) {
    refuseKind(action, "cwd", "a path or a file: URL", cwd);
  }
  checkArray(action, "execArgv", execArgv);
  for (const [i, flag] of execArgv?.entries() ?? []) {
    if (typeof flag !== "string") refuseKind(action, `execArgv[${i}]`, "a string", flag);
  }
  // Copies: what was checked is what workers are started with.
  const workerOptions = {
    ...{ memoryLimit, permissions, cwd, worker, entry: entry && new URL(entry) },
    ...{ env: env && { ...env }, execArgv: execArgv && [...execArgv] },
  };
  return {
    maxWorkers: backend.mostWorkers ?? maxWorkers ?? availableParallelism(),
    initializer: initializer === undefined
      ? undefined
      : { task: taskRef(`${action} with this 'initializer'`, initializer, inlineTasks), args: initargs },
    finalizer: finalizer === undefined ? undefined : taskRef(`${action} with this 'finalizer'`, finalizer, inlineTasks),
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

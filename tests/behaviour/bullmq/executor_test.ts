// The behaviours that all executors share, with a BullMQExecutor and a host in this program.

import { test } from "node:test";
import {
  BrokenExecutor,
  type ExecutorOptions,
  type ExecutorStats,
  type ShutdownOptions,
  ThreadPoolExecutor,
} from "../../../mod.ts";
import { BullMQExecutor } from "../../../src/bullmq/submit/bullmq_executor.ts";
import type { Host } from "../../../src/bullmq/host/host.ts";
import type { BullMQExecutorOptions } from "../../../src/bullmq/submit/options.ts";
import { serve } from "../../../src/bullmq/host/serve.ts";
import { MODULES, takingAll } from "../../support/bullmq_tasks.ts";
import { cancelCases } from "../cases/cancel.ts";
import { errorCases } from "../cases/errors.ts";
import { groupCases } from "../cases/groups.ts";
import { lossCases } from "../cases/loss.ts";
import { mapCases } from "../cases/map.ts";
import { mapInputCases } from "../cases/map_input.ts";
import { memoryCases } from "../cases/memory.ts";
import { optionCases } from "../cases/options.ts";
import { shutdownCases } from "../cases/shutdown.ts";
import { submitCases } from "../cases/submit.ts";
import { taskCases } from "../cases/tasks.ts";
import { valueCases } from "../cases/values.ts";
import type { ExecutorClass, Kind } from "../behaviour.ts";
import { workerThreads } from "../../support/leaks.ts";
import { needsRedis, RedisServer } from "../../support/redis_server.ts";

const NO_INLINE = "no source ever comes over the network: the tests' own task evaluates it";

const NOT_SERVED = "a host does not serve what it cannot load: see unfit_host_test.ts";

const RACE = "a call may begin before its cancellation reaches the host: stopping_test.ts waits for that";

/** Behaviours that this executor does not have, by how the test's name goes on, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  ".submit() returns before any worker is there": "hosts have the workers, and start them when they like",
  ".submit() copies arguments when the call is handed to a worker": "they are copied at the end of the tick",
  ".submit() starts calls in the order of submission": "a host fetches several at the same time",
  ".submit() takes every form of function by its source": NO_INLINE,
  ".submit() runs inline tasks in strict mode, without the names of the worker": NO_INLINE,
  ".submit() rejects with the name that an inline task closed over": NO_INLINE,
  ".submit() rejects when an inline task has no meaning by itself": NO_INLINE,
  ".submit() rejects a getter, and what leaves its module, with what to do": NO_INLINE,
  ".submit() rejects when a module cannot be loaded, naming it and why": NOT_SERVED,
  ".submit() rejects again when the same module fails again": NOT_SERVED,
  ".submit() gives Futures that are either cancelled or run, once, in a race with the workers": RACE,
  ".submit() gives a Future that can be cancelled until a worker begins it": RACE,
  ".submit() gives Futures that can be cancelled though a worker that is blocked holds them": RACE,
  ".map() whose timeout is over cancels all that a blocked worker has not begun": RACE,
  ".shutdown({ cancelFutures: true }) cancels all that a blocked worker has not begun": RACE,
  ".map() cancels the call that it waited for when time is up, in a full pool": RACE,
  ".map() ends for good when it is left, and cancels the rest": RACE,
  ".map() stops when its signal aborts, with its reason": RACE,
  ".shutdown({ cancelFutures: true }) still cancels when a plain shutdown is under way": RACE,
  ".group() does not take a cancelled call for a failure": RACE,
  ".with({ onReport }) keeps no report, no Future of map() and no listener": "hosts send no reports",
  ".shutdown() starts nothing when nothing was submitted": "a host loads its modules in a worker before it serves",
  " errors form Python's families": "the class of these tests has another name",
  " refuses wrong options when it is made": "its options are others, see unit/bullmq/options_test.ts",
};

const server = needsRedis.skip ? undefined : await RedisServer.start();
let queues = 0;

/** An executor with a host of its own. The host ends with it, and its workers count as the executor's. */
class Pair extends BullMQExecutor {
  readonly #pool: ThreadPoolExecutor;
  readonly #host: Promise<Host>;
  #ended: Promise<void> | undefined;

  constructor(options: ExecutorOptions = {}) {
    const { maxWorkers, initializer: _, initargs: __, maxTasksPerWorker: ___, idleTimeout: ____, ...others } = options;
    const name = options.name ?? `pool-${queues}`;
    const where = { queue: `cases-${queues++}`, connection: { url: server!.url }, name };
    super({ ...others, ...where } as BullMQExecutorOptions);
    this.#pool = new ThreadPoolExecutor({ name, ...(maxWorkers === undefined ? {} : { maxWorkers }) });
    this.#host = serve({ ...where, tasks: MODULES, executor: this.#pool });
    return takingAll(this);
  }

  override stats(): ExecutorStats {
    const { workers, idle, busy, lost, abandoned } = this.#pool.stats();
    return { ...super.stats(), workers, idle, busy, lost, abandoned };
  }

  override killWorkers(): void {
    super.killWorkers();
    void this.shutdown();
  }

  override shutdown(options?: ShutdownOptions): Promise<void> {
    const closed = super.shutdown(options);
    this.#ended ??= super.shutdown().then(async () => {
      await (await this.#host).close();
      await this.#pool.shutdown();
    });
    return options?.wait === false ? closed : this.#ended;
  }
}

const KIND: Kind = {
  name: "BullMQExecutor",
  Executor: Pair as unknown as ExecutorClass,
  Broken: BrokenExecutor,
  sharesMemory: false,
  alive: workerThreads,
  skip: needsRedis.skip,
  absent: ABSENT,
};

for (
  const cases of [
    ...[submitCases, taskCases, valueCases, errorCases, cancelCases, mapCases, mapInputCases, groupCases, lossCases],
    ...[shutdownCases, optionCases, memoryCases],
  ]
) cases(KIND);

test("BullMQExecutor's tests leave nothing behind", needsRedis, async () => {
  await server?.[Symbol.asyncDispose]();
});

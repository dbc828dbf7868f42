// The scheduler: when calls are queued again, after a failure or behind another call, and when they must not be.

import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import {
  type CallOptions,
  type Executor,
  type ExecutorOptions,
  type ExecutorStats,
  TaskTimeoutError,
  WorkerLostError,
} from "../../../mod.ts";
import { Ledger } from "../../properties/ledger.ts";
import { BrokenNetwork, Network, NetworkExecutor } from "../../properties/network.ts";
import { World } from "../../properties/scheduler_world.ts";
import { CLAIMS_KINDS, ownersOf } from "../../support/memory_channel.ts";

/** The calls of these tests. */
const CALL = 1, OTHER = 2;

/** Holds, then fails. */
const fail = async (call: number) => {
  await ledger.hold(ledger.begin(call));
  throw new RangeError(`call ${call}`);
};

interface Setup {
  readonly network: Network;
  readonly ledger: Ledger;
  readonly executor: Executor<ExecutorStats>;
  /** Delivers everything that is under way. */
  readonly settle: () => Promise<void>;
}

/** Registers a test for threads and one for processes. In the end, the executor must shut down. */
function requeue(
  behaviour: string,
  options: ExecutorOptions & { readonly refused?: readonly boolean[] },
  body: (setup: Setup) => Promise<void>,
): void {
  for (const claims of CLAIMS_KINDS) {
    test(`Executor of ${ownersOf(claims)} ${behaviour}`, () => {
      const { refused = [], ...rest } = options;
      const network = new Network({ claims, refused });
      const ledger = new Ledger(network);
      const executor = new NetworkExecutor(network, { onUnobserved() {}, ...rest });
      const settle = async () => {
        while (await network.deliver(0));
      };
      return network.run(async () => {
        await body({ network, ledger, executor, settle });
        let closed = false;
        void executor.shutdown().then(() => closed = true);
        await ledger.finish();
        assertEquals([closed, executor.stats().workers], [true, 0]);
      });
    });
  }
}

requeue("takes a call for waiting that rests before it is run again", { maxWorkers: 1 }, async (setup) => {
  const { ledger, executor, settle } = setup;
  const future = executor.with({ retries: 1, retryOn: () => true }).submit(fail, CALL);
  await settle();
  assertEquals(future.running(), true);
  await ledger.open(CALL);
  await settle();
  assertEquals([executor.stats().queued, executor.stats().running], [1, 0]);
  assertEquals(future.running(), false);
  assertEquals(future.cancel(), true);
  await ledger.finish();
  assertEquals(ledger.runs(CALL), 1);
});

const failures:
  readonly (readonly [string, CallOptions, (setup: Setup) => Promise<void>, (error: unknown) => boolean])[] = [
    [
      "fails by its own error",
      { retryOn: () => true },
      ({ ledger }) => ledger.open(CALL),
      (error) => error instanceof RangeError,
    ],
    [
      "is out of time",
      { timeout: 50 },
      ({ network }) => network.time.advance(50),
      (error) => error instanceof TaskTimeoutError,
    ],
  ];

for (const [how, options, end, isExpected] of failures) {
  requeue(
    `that is broken runs no call again that ${how}`,
    { maxWorkers: 2, refused: [false, true, true, true] },
    async (setup) => {
      const { network, ledger, executor, settle } = setup;
      const future = executor.with({ retries: 5, ...options }).submit(fail, CALL);
      await settle();
      const other = executor.submit(fail, OTHER);
      await settle();
      assert(other.outcome?.status === "rejected" && other.outcome.reason instanceof BrokenNetwork);
      assertEquals(future.done(), false, "what runs goes on");
      await end(setup);
      await ledger.finish();
      assert(future.outcome?.status === "rejected" && isExpected(future.outcome.reason));
      assertEquals([ledger.runs(CALL), network.lines.length], [1, 4]);
    },
  );
}

for (const how of ["killWorkers", "terminateWorkers"] as const) {
  requeue(`runs no call again after ${how}(), and starts no worker`, { maxWorkers: 2 }, async (setup) => {
    const { network, ledger, executor, settle } = setup;
    const future = executor.with({ retries: 5 }).submit(fail, CALL);
    await settle();
    executor[how]();
    await ledger.finish();
    assert(future.outcome?.status === "rejected" && future.outcome.reason instanceof WorkerLostError);
    assertEquals([ledger.runs(CALL), network.lines.length], [1, 1]);
  });
}

for (const claims of CLAIMS_KINDS) {
  for (const maxTasksPerWorker of [2, 3]) {
    const kind = ownersOf(claims);
    test(`Executor of ${kind} that retire after ${maxTasksPerWorker} calls has none wait while a worker could be started`, () =>
      // The calls were short so far, so the last ones are handed over ahead, to a worker that has to wait now.
      new World({
        claims,
        maxWorkers: 2,
        maxTasksPerWorker,
        onWorkerLost: "replace",
        finalizes: false,
        refused: [],
        known: [],
        steps: [{ kind: "submit", task: "held", count: 33 }],
      }).run());
  }
}

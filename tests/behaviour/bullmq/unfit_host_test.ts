// Hosts that cannot do the work: a module of tasks that does not load, or lacks what other hosts have. They do not get the work.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { taskModule, ThreadPoolExecutor, wait } from "../../../mod.ts";
import { run } from "../../../scripts/run.ts";
import { clusterTest, type TestCluster } from "../../support/bullmq_cluster.ts";
import { hostCommand } from "../../support/bullmq_host.ts";
import { Gate } from "../../support/gate.ts";
import { reportsOf } from "../../support/observe.ts";
import { runtime } from "../../support/runtime.ts";
import { CEILING, until, within } from "../../support/until.ts";

const BROKEN = new URL("../../fixtures/tasks/broken_module.ts", import.meta.url);
const NO_MODULE = new URL("../../fixtures/tasks/no_such_module.ts", import.meta.url);

/** A module whose task returns a text; writes it into a folder. While there is a file `broken` beside it, it does not load. */
function makeModule(folder: string, name: string, tasks: Readonly<Record<string, string>>): URL {
  const file = join(folder, name);
  const exports = Object.entries(tasks).map(([task, text]) => `export const ${task} = () => ${JSON.stringify(text)};`);
  writeFileSync(
    file,
    `import { existsSync } from "node:fs";
    if (existsSync(${JSON.stringify(`${file}.broken`)})) throw new Error("it has been damaged");
    ${exports.join("\n")}`,
  );
  return pathToFileURL(file);
}

/** The tasks of such modules, which this program has not. */
const texts = taskModule<{ first(): string; second(): string; third(): string }>(new URL("file:///texts.ts"), {
  module: "texts",
});

async function hostNames(cluster: TestCluster): Promise<string[]> {
  return (await cluster.executor().cluster()).hosts.map(({ name }) => name).sort();
}

clusterTest(
  "serve() rejects when a module of tasks does not load in a worker, and is no host then",
  async (cluster) => {
    for (
      const [url, why] of [
        [BROKEN, /tasks 'words' cannot be run: module .*broken_module\.ts fails to load: this module fails to load/],
        [NO_MODULE, /tasks 'words' cannot be run: module .*no_such_module\.ts fails to load/],
      ] as const
    ) {
      const error = await assertRejects(() => cluster.serve({ tasks: { words: url }, name: "unfit" }), Error);
      assertMatch(error.message, new RegExp(`^Cannot serve queue '${cluster.queue}' as its `));
      assertMatch(error.message, why);
      assert(error.cause instanceof Error);
    }
    assertEquals(await hostNames(cluster), []);
  },
);

clusterTest("serve() rejects when the executor that is to run the calls has no workers", async (cluster) => {
  await using executor = new ThreadPoolExecutor({
    maxWorkers: 1,
    initializer: () => Promise.reject(new Error("no licence")),
  });
  const error = await assertRejects(() => cluster.serve({ executor }), Error);
  assertMatch(String((error.cause as Error)?.message), /no licence/);
});

clusterTest(
  "The command of a host ends with 1 and the reason when a module of tasks does not load",
  async (cluster) => {
    const [command, ...first] = hostCommand(runtime);
    const args = [...first, "--queue", cluster.queue, "--url", cluster.server.url, "--tasks", `words=${BROKEN.href}`];
    const { code, output } = await run(command, [...args, "--workers", "1"], { timeout: CEILING });
    assertMatch(
      output,
      /^(?:Error: )?Cannot serve queue '.*' as its tasks 'words' cannot be run: .*this module fails to load/m,
    );
    assertEquals(code, 1);
  },
);

clusterTest("A call goes on to a host that has its task, past hosts with an older module or none", async (cluster) => {
  using gate = new Gate();
  const old = makeModule(gate.folder, "old.mjs", { first: "old" });
  const recent = makeModule(gate.folder, "recent.mjs", { first: "recent", second: "recent" });
  const other = makeModule(gate.folder, "other.mjs", { first: "other" });
  await cluster.serve({ tasks: { texts: old }, workers: 2, name: "old" });
  await cluster.serve({ tasks: { other }, workers: 2, name: "other" });
  await cluster.serve({ tasks: { texts: recent }, workers: 1, name: "recent" });
  const executor = cluster.executor();
  const futures = Array.from({ length: 20 }, () => executor.submit(texts.second));
  assertEquals(await within("the calls", Promise.all(futures)), futures.map(() => "recent"));
  assertEquals(await hostNames(cluster), ["old", "other", "recent"], "none of them has ended");

  // No host has this one: it is not handed about for ever.
  const error = await within("an unknown task", executor.submit(texts.third).exception());
  assert(error instanceof TypeError, String(error));
  assertMatch(error.message, /'third'.*the hosts of queue .* serve: /);
  const { waiting, running } = await executor.cluster();
  assertEquals([waiting, running], [0, 0]);
});

/** Serves an old module, beside a host that lives for ever by its record, and takes no calls. */
async function serveBesideFrozen(cluster: TestCluster, gate: Gate) {
  const old = makeModule(gate.folder, "old.mjs", { first: "old" });
  const host = await cluster.serve({ tasks: { texts: old }, workers: 1 });
  const redis = cluster.redis(), { keys } = cluster;
  await redis.set(keys.host("frozen"), JSON.stringify({ ...host.stats(), name: "frozen" }));
  await redis.sadd(keys.hosts, "frozen");
  return { redis, keys };
}

clusterTest("A call that hosts hand back can be cancelled meanwhile", async (cluster) => {
  using gate = new Gate();
  const { redis, keys } = await serveBesideFrozen(cluster, gate);
  const executor = cluster.executor();
  const future = executor.submit(texts.second);
  let refused = false;
  const look = async () => {
    refused = (await redis.keys(keys.refusals("*"))).length > 0;
    if (!refused) setTimeout(look, 5);
  };
  void look();
  await until("the call was handed back", () => refused);
  await until("it can be cancelled", () => future.cancel());
  assert(future.cancelled());
  assertEquals(await within("another call", executor.submit(texts.first)), "old");
});

clusterTest(
  "A call that hosts have handed back 500 times fails, whatever hosts say that they serve",
  async (cluster) => {
    using gate = new Gate();
    const { redis, keys } = await serveBesideFrozen(cluster, gate);
    const future = cluster.executor().submit(texts.second);
    let key: string | undefined;
    await until("it was handed back", async () => (key = (await redis.keys(keys.refusals("*")))[0]) !== undefined);
    assertEquals(future.done(), false);
    await redis.hincrby(key!, "somebody", 500);
    const error = await within("the call", future.exception());
    assertMatch(String(error), /^TypeError: .*'second'/);
  },
);

clusterTest("A call is handed on while Redis has lost which hosts there are", async (cluster) => {
  using gate = new Gate();
  const old = makeModule(gate.folder, "old.mjs", { first: "old" });
  const recent = makeModule(gate.folder, "recent.mjs", { second: "recent" });
  await cluster.serve({ tasks: { texts: old }, workers: 1 });
  const redis = cluster.redis(), { keys } = cluster, executor = cluster.executor();
  assertEquals(await within("a call", executor.submit(texts.first)), "old");
  await redis.del(keys.hosts, ...await redis.keys(keys.host("*")));
  const future = executor.submit(texts.second);
  await until("it was handed back", async () => (await redis.keys(keys.refusals("*"))).length > 0);
  await cluster.serve({ tasks: { texts: recent }, workers: 1 });
  assertEquals(await within("the call", future), "recent");
});

clusterTest("A host whose module fails to load again and again hands back its calls, and ends", async (cluster) => {
  using gate = new Gate();
  const damaged = makeModule(gate.folder, "damaged.mjs", { first: "damaged" });
  const sound = makeModule(gate.folder, "sound.mjs", { first: "sound" });
  await using local = new ThreadPoolExecutor({ maxWorkers: 2, maxTasksPerWorker: 1 }); // each call loads the module
  const unfit = await cluster.serve({ tasks: { texts: damaged }, executor: local, name: "unfit" });
  const executor = cluster.executor();
  assertEquals(await within("a call", executor.submit(texts.first)), "damaged");
  await cluster.serve({ tasks: { texts: sound }, workers: 1, name: "fit" });
  writeFileSync(join(gate.folder, "damaged.mjs.broken"), "");
  const reports = await reportsOf(async () => {
    let reason = "";
    unfit.closed.catch((error: Error) => reason = error.message);
    await until("the host has closed", async () => {
      // The sound host can take nearly all of a burst: the damaged one may get less than three of its calls.
      const futures = Array.from({ length: 100 }, () => executor.submit(texts.first));
      await within("the calls", wait(futures));
      for (const future of futures) assertEquals(future.outcome?.status, "fulfilled");
      return reason !== "";
    });
    assertMatch(
      reason,
      /^Host unfit takes no more calls as its tasks 'texts' cannot be run: module .*damaged\.mjs fails to load: it has been damaged/,
    );
  });
  assertEquals(reports.length, 1);
  assertMatch(String(reports[0]![0]), /Host unfit/);
  assertEquals(await hostNames(cluster), ["fit"]);
  assertEquals(await within("the next call", executor.submit(texts.first)), "sound");
});

clusterTest("A call waits for another host when the only one cannot load its module any more", async (cluster) => {
  using gate = new Gate();
  const damaged = makeModule(gate.folder, "damaged.mjs", { first: "damaged" });
  await using local = new ThreadPoolExecutor({ maxWorkers: 1, maxTasksPerWorker: 1 });
  const unfit = await cluster.serve({ tasks: { texts: damaged }, executor: local, log() {} });
  const executor = cluster.executor();
  assertEquals(await within("a call", executor.submit(texts.first)), "damaged");
  writeFileSync(join(gate.folder, "damaged.mjs.broken"), "");
  const future = executor.submit(texts.first);
  await within("the host's end", unfit.closed.catch(() => {}));
  assertEquals(future.done(), false);
  await cluster.serve({ tasks: { texts: makeModule(gate.folder, "sound.mjs", { first: "sound" }) }, workers: 1 });
  assertEquals(await within("the call", future), "sound");
});

// An answer that has arrived and cannot be read fails its own call and no other.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { delivered, MemoryExecutor } from "../../support/memory_backend.ts";
import { reportsOf } from "../../support/observe.ts";
import { CLAIMS_KINDS, ownersOf } from "../../support/memory_channel.ts";

const identity = (n: number) => n;

for (const claims of CLAIMS_KINDS) {
  const kind = ownersOf(claims);

  test(`Executor fails the oldest call of ${kind} whose answer cannot be read, and goes on with the others`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
    const futures = [1, 2].map((n) => executor.submit(identity, n));
    const [worker] = executor.workers;
    worker!.ready();
    await delivered();
    if (claims) worker!.begin(0);
    worker!.say({ kind: "unread" });
    assertEquals((await futures[0]!.exception() as Error).name, "DataCloneError");
    await delivered();
    if (claims) worker!.begin(1);
    worker!.done(1, [2]);
    assertEquals(await futures[1], 2);
    assertEquals([worker!.endedBy, executor.stats().lost, executor.stats().failed], [undefined, 0, 1]);
    await executor.shutdown();
  });

  test(`Executor ends ${kind} that has no call whose answer could be unreadable`, async () => {
    const executor = new MemoryExecutor({ maxWorkers: 1 }, { claims, served: false });
    const future = executor.submit(identity, 1);
    const [worker] = executor.workers;
    await reportsOf(() => worker!.say({ kind: "unread" }));
    assertEquals(worker!.endedBy, "kill");
    await delivered();
    const next = executor.workers[1]!;
    next.ready();
    await delivered();
    if (claims) next.begin(0);
    next.done(0, [1]);
    assertEquals(await future, 1);
    await executor.shutdown();
  });
}

// Claims: what both ends of a worker's calls may rely on, in the words of threads and in the pages of processes.

import { assert, assertEquals, fail } from "@std/assert";
import { test } from "node:test";
import {
  CALLS_PER_WORKER,
  type ParentClaims,
  WordClaims,
  WordClaimsOfWorker,
  type WorkerClaims,
} from "../../../src/wire/claims.ts";
import { PageClaims, PageClaimsOfWorker } from "../../../src/wire/page_claims.ts";
import { MemoryPage } from "../../support/memory_page.ts";

/** Both ends of the claims of a thread, or of a process. */
const KINDS: Readonly<Record<string, () => { parent: ParentClaims; worker: WorkerClaims }>> = {
  "a thread": () => {
    const parent = new WordClaims();
    return { parent, worker: new WordClaimsOfWorker(parent.shared) };
  },
  "a process": () => {
    const page = new MemoryPage();
    return { parent: new PageClaims(page), worker: new PageClaimsOfWorker(page) };
  },
};

for (const [owner, make] of Object.entries(KINDS)) {
  const { parent, worker } = make();

  test(`of ${owner}: a call is begun or withdrawn, whoever comes first`, () => {
    for (let call = 0; call < 3; call++) parent.offer(call);
    assertEquals(parent.hasBegun(0), false);
    assertEquals(worker.begin(0, undefined), true);
    assertEquals([parent.hasBegun(0), parent.withdraw(0)], [true, false]);
    assertEquals(parent.withdraw(1), true);
    assertEquals(worker.begin(1, undefined), false);
    assertEquals([parent.hasBegun(2), worker.begin(2, undefined), parent.hasBegun(2)], [false, true, true]);
    assertEquals([0, 1, 2].map((call) => parent.mayHaveSkipped(call)), [false, false, false]);
  });

  test(`of ${owner}: the youngest calls are withdrawn, down to the first that has begun`, () => {
    for (let call = 3; call < 9; call++) parent.offer(call);
    assertEquals(worker.begin(3, undefined), true);
    assertEquals(parent.withdraw(6), true);
    assertEquals(parent.withdrawYoungest([8, 7]), 2);
    assertEquals(parent.withdrawYoungest([5, 4, 3]), 2);
    assertEquals(parent.withdrawYoungest([3]), 0);
    assertEquals(parent.withdrawYoungest([]), 0);
    for (let call = 4; call < 9; call++) assertEquals(worker.begin(call, undefined), false, `call ${call}`);
  });

  test(`of ${owner}: a number is offered anew after its call was withdrawn`, () => {
    parent.offer(9);
    assertEquals(parent.withdraw(9), true);
    parent.offer(9);
    assertEquals(parent.hasBegun(9), false);
    assertEquals(worker.begin(9, undefined), true);
  });

  test(`of ${owner}: claims hold for as many calls as there may be, lap after lap`, () => {
    for (let call = 10; call < 300 * CALLS_PER_WORKER; call++) {
      parent.offer(call);
      const isWithdrawn = call % 1021 === 0;
      if (isWithdrawn) assertEquals(parent.withdraw(call), true);
      else if (call % 997 === 0) assertEquals(parent.hasBegun(call), false);
      if (worker.begin(call, undefined) === isWithdrawn) fail(`call ${call}`);
    }
  });
}

/** A process and its page, with the calls from 0 to 99 offered. */
function process() {
  const page = new MemoryPage();
  const parent = new PageClaims(page), worker = new PageClaimsOfWorker(page);
  for (let call = 0; call < 100; call++) parent.offer(call);
  /** Begins a call of a message with these 100. */
  const begin = (call: number) => worker.begin(call, { countAhead: (most) => Math.min(most, 100 - call) });
  return { page, parent, worker, begin };
}

/** A clock that tests set. */
function atTimes<T>(fn: (pass: (ms: number) => void) => T): T {
  const real = performance.now;
  let now = 0;
  performance.now = () => now;
  try {
    return fn((ms) => now += ms);
  } finally {
    performance.now = real;
  }
}

/** How many calls the worker has announced that it has not begun, when it has begun `begun`. */
const ahead = (parent: PageClaims, begun: number) => {
  let count = 0;
  while (parent.hasBegun(begun + count)) count++;
  return count;
};

test("a process announces more calls at once the more of them were short, and those of no other message", () => {
  atTimes((pass) => {
    const { parent, begin } = process();
    const most: number[] = [];
    for (let call = 0; call < 100; call++) {
      begin(call);
      most.push(ahead(parent, call + 1));
      pass(0.001);
    }
    assertEquals(most.slice(0, 16), Array(16).fill(0), "16 calls go one by one");
    assertEquals(Math.max(...most.slice(16, 32)), 1);
    assert(Math.max(...most) >= 4);
    assertEquals(parent.hasBegun(99), true);
  });
});

test("a process leaves calls free when one takes long, and when it waits", () => {
  for (const way of ["look", "pause"] as const) {
    atTimes((pass) => {
      const { parent, worker, begin } = process();
      let call = 0;
      while (ahead(parent, call) < 3) {
        begin(call++);
        pass(0.001);
      }
      pass(20);
      if (way === "look") worker.look(performance.now());
      else worker.pause();
      assertEquals(ahead(parent, call), 0);
      assertEquals(parent.withdraw(call), true);
      assertEquals(begin(call), false);
      begin(++call);
      if (way === "look") assert(ahead(parent, call + 1) < 3, "the next batch is smaller");
    });
  }
});

test("a page that cannot be read any more has every call begun, and is closed once", () => {
  const { page, parent } = process();
  page.read = () => {
    throw new Error("EBADF");
  };
  assertEquals([parent.hasBegun(1), parent.withdraw(1), parent.withdrawYoungest([3, 2])], [true, false, 0]);
  parent.close();
  assertEquals(page.closed, 1);
});

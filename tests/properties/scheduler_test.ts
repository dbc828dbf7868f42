// The scheduler in random programs: calls of all kinds are submitted, cancelled and stopped while messages are delivered
// in any order and workers die at any point. Any scheduler must pass.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TASKS } from "./ledger.ts";
import { advance, choice, deliver, die, open, share } from "./network_steps.ts";
import { CLAIMS_KINDS } from "../support/memory_channel.ts";
import { property } from "./properties.ts";
import type { Options, Program, Reaction, Step } from "./scheduler_program.ts";
import { World } from "./scheduler_world.ts";

const task = fc.constantFrom(...Object.keys(TASKS) as (keyof typeof TASKS)[]);

/** Enough calls for a process to be handed some ahead. */
const burst: fc.WeightedArbitrary<Step> = {
  weight: 1,
  arbitrary: fc.record({ kind: fc.constant("submit"), task, count: fc.integer({ min: 33, max: 50 }) }),
};

const HANDED = ["instant", "short", "held", "bimodal", "growing", "adversarial"] as const;

/** Calls that take much longer than those of the same task before them, in bursts that are handed ahead. */
const lying: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      task: fc.constantFrom("bimodal", "growing", "adversarial"),
      count: fc.constantFrom(1, 8, 70),
      options: fc.record({ priority: fc.constantFrom(-1, 0, 1) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("map"),
      task: fc.constantFrom("bimodal", "growing", "adversarial"),
      count: fc.integer({ min: 1, max: 20 }),
      chunksize: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 5, arbitrary: deliver(5) },
  // The watch over the workers looks each 10 ms.
  { weight: 2, arbitrary: advance(1, 11, 40) },
];

/** Calls that are handed over ahead, as all were short so far, and recalled when one of them takes long. */
const handing: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      task: fc.constantFrom("instant", "short"),
      count: fc.constantFrom(1, 40, 100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      task: fc.constant("held"),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: deliver(5) },
  { weight: 1, arbitrary: open },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel"), choice }) },
];

/** Calls whose arguments cannot be sent, or run code while they are. */
function touchy(...reactions: Reaction[]): fc.WeightedArbitrary<Step> {
  return {
    weight: reactions.length,
    arbitrary: fc.record({
      kind: fc.constant("submitTouchy"),
      argument: fc.constantFrom("function", "getter", "throwing getter", "proxy", "revoked proxy"),
      reaction: fc.constantFrom(...reactions),
      choice,
      neighbours: fc.nat(3),
    }),
  };
}

/** User code that calls the executor when the executor calls it. */
const reacting: fc.WeightedArbitrary<Step>[] = [
  touchy(
    "submit",
    "submitMany",
    "cancel",
    "abort",
    "shutdown",
    "cancelAll",
    "kill",
    "leave",
    "warmUp",
    "resize",
    "broadcast",
  ),
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("submitReacting"),
      task,
      place: fc.constantFrom("callback", "retryOn"),
      reaction: fc.constantFrom<Reaction>(
        ...["submit", "submitMany", "cancel", "abort", "shutdown", "cancelAll", "kill", "leave"] as const,
        ...["warmUp", "resize", "broadcast"] as const,
      ),
      choice,
    }),
  },
];

/** What is done with all workers. */
const controlling: fc.WeightedArbitrary<Step>[] = [
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("warmUp") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("resize"), maxWorkers: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("broadcast"),
      task: fc.constantFrom("instant", "long", "later", "throwing"), // a call is held in one worker at a time
    }),
  },
];

/** Steps of a program in which no worker fails. */
const ordinary: fc.WeightedArbitrary<Step>[] = [
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("submit"), task, count: fc.integer({ min: 1, max: 4 }) }) },
  burst,
  touchy("nothing"),
  { weight: 10, arbitrary: deliver() },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("cancel"), choice }) },
  { weight: 3, arbitrary: open },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("shutdown"), cancelFutures: fc.boolean() }) },
];

/** Calls of Executor.with(), aborts, and time that passes. */
const limiting: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      task,
      count: fc.integer({ min: 1, max: 3 }),
      options: fc.record<Options>({
        priority: fc.constantFrom(-1, 0, 1, Infinity),
        retries: fc.integer({ min: 1, max: 2 }),
        retryOn: fc.boolean(),
        signal: fc.nat(1),
        timeout: fc.constantFrom(5, 50),
      }, { requiredKeys: [] }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort"), signal: fc.nat(1) }) },
  { weight: 3, arbitrary: advance(1, 40, 200, 1000) },
];

const prioritized: fc.WeightedArbitrary<Step> = {
  weight: 4,
  arbitrary: fc.record({
    kind: fc.constant("submit"),
    task,
    count: fc.integer({ min: 1, max: 3 }),
    options: fc.record({ priority: fc.constantFrom(-1, 0, 1, Infinity) }),
  }),
};

const mapping: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("map"),
      task,
      count: fc.integer({ min: 1, max: 9 }),
      chunksize: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave"), choice }) },
];

const dying: fc.WeightedArbitrary<Step> = { weight: 2, arbitrary: die };

/** Workers that die or send nonsense. */
const faults: fc.WeightedArbitrary<Step>[] = [
  dying,
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("submitDeadly"), share }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("babble"), choice }) },
];

const ending: fc.WeightedArbitrary<Step> = {
  weight: 1,
  arbitrary: fc.record({ kind: fc.constant("end"), how: fc.constantFrom("terminate", "kill") }),
};

function program(steps: fc.WeightedArbitrary<Step>[], settings: Partial<Program> = {}): fc.Arbitrary<Program> {
  return fc.record({
    claims: fc.constantFrom(...CLAIMS_KINDS),
    maxWorkers: settings.maxWorkers ? fc.constant(settings.maxWorkers) : fc.integer({ min: 1, max: 3 }),
    maxTasksPerWorker: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 4 }),
    finalizes: fc.boolean(),
    onWorkerLost: fc.constant(settings.onWorkerLost ?? "replace"),
    refused: settings.refused ? fc.array(fc.boolean(), { maxLength: 8 }) : fc.constant([]),
    known: fc.constant(settings.known ?? []),
    steps: fc.array(fc.oneof(...steps), { maxLength: 40, size: "max" }),
  });
}

async function runsEachOnce(program: Program): Promise<void> {
  const world = new World(program);
  await world.run();
  for (const call of world.calls) {
    if (world.isLeft(call)) continue;
    const { status } = world.outcome(call);
    if (status !== "cancelled" && !call.unsendable) assertEquals(world.ledger.runs(call.id), 1, world.show(call));
  }
  assertEquals(world.executor.stats().lost, 0);
  assert(world.calls.every((call) => !world.failedFromOutside(call)), "a call failed though nothing went wrong");
}

property(
  "Executor runs every call once and gives its result, whatever the order of the messages",
  300,
  program([...ordinary, ...mapping]),
  runsEachOnce,
);

property(
  "Executor runs every call once, however it is resized, warmed up and told to broadcast",
  200,
  program([...ordinary, ...mapping, ...controlling]),
  runsEachOnce,
);

property(
  "Executor that is resized, warmed up and told to broadcast loses no call and runs none twice when workers die",
  200,
  program([...ordinary, ...handing, ...limiting, ...mapping, ...controlling, ...faults, ending], { refused: [] }),
  (program) => new World(program).run(),
);

property(
  "Executor moves calls between its workers, and runs each once",
  100,
  program(handing, { known: HANDED }),
  runsEachOnce,
);

property(
  "Executor runs every call once that takes longer than those before it, when calls that wait behind it are taken back",
  100,
  program([...handing, ...lying], { known: HANDED }),
  runsEachOnce,
);

property(
  "Executor loses no call and runs none twice when workers die, whatever calls take",
  100,
  program([...handing, ...lying, ...faults], { known: HANDED }),
  (program) => new World(program).run(),
);

property(
  "Executor with one worker begins calls of one priority in the order of submission, also when it dies",
  200,
  program([...ordinary, ...handing, prioritized, dying], { maxWorkers: 1, known: HANDED }),
  async (program) => {
    const world = new World(program);
    await world.run();
    for (const priority of new Set(world.calls.map((call) => call.options.priority))) {
      const submitted = world.calls.filter((call) => call.options.priority === priority).map(({ id }) => id);
      const begun = world.ledger.begun.filter((id) => submitted.includes(id));
      assertEquals(begun, submitted.filter((id) => begun.includes(id)), `priority ${priority}`);
    }
  },
);

property(
  "Executor.with() stops calls, and harms no other",
  300,
  program([...ordinary, ...limiting, ...mapping]),
  async (program) => {
    const world = new World(program);
    await world.run();
    const harmed = world.calls.filter((call) => !world.isLimited(call) && world.failedFromOutside(call));
    assertEquals(harmed, []);
  },
);

property(
  "Executor loses no call and runs none twice when workers die, babble or are refused",
  300,
  program([...ordinary, prioritized, ...mapping, ...faults, ending], { refused: [] }),
  (program) => new World(program).run(),
);

property(
  "Executor loses no call and runs none too often when workers die and calls are limited",
  300,
  program([...ordinary, ...limiting, ...mapping, ...faults, ending], { refused: [] }),
  (program) => new World(program).run(),
);

property(
  "Executor loses no call and runs none twice when workers die that were handed calls ahead",
  100,
  program([...handing, ...faults], { known: HANDED }),
  (program) => new World(program).run(),
);

property(
  "Executor that breaks when a worker is lost still ends every call",
  150,
  program([...ordinary, ...limiting, ...mapping, ...faults, ending], { refused: [], onWorkerLost: "break" }),
  (program) => new World(program).run(),
);

property(
  "Executor loses no call and runs none twice, whatever code of the user's does that it calls",
  300,
  program([...ordinary, ...limiting, ...mapping, ...reacting, dying], { refused: [] }),
  (program) => new World(program).run(),
);

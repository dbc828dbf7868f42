// Executor.map() against a model, in random plans: any inputs and options, items that fail, messages in any order, and an
// iteration that ends at any point, also by its own inputs while they are read or closed.

import fc from "fast-check";
import type { Deed, DeedKind, Ending, ItemKind, MapPlan, MapStep } from "./map_plan.ts";
import { MapWorld } from "./map_world.ts";
import { advance, deliver, die, open } from "./network_steps.ts";
import { CLAIMS_KINDS } from "../support/memory_channel.ts";
import { property } from "./properties.ts";

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const successes: ItemKind[] = ["instant", "long", "later", "held", "getter"];
const failures: ItemKind[] = ["throws", "rejects", "unsendable"];

const harmless: DeedKind[] = ["next", "submit"];
const fatal: Ending[] = ["return", "abort", "shutdown", "cancel", "kill"];

const steps: fc.WeightedArbitrary<MapStep>[] = [
  { weight: 6, arbitrary: deliver() },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("next"), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: open },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("give") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("submit") }) },
];

const endings: fc.WeightedArbitrary<MapStep>[] = [
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom(...fatal) }) },
  { weight: 1, arbitrary: advance(1, 40) },
];

const deaths: fc.WeightedArbitrary<MapStep> = { weight: 2, arbitrary: die };

function plan(
  kinds: readonly ItemKind[],
  steps: fc.WeightedArbitrary<MapStep>[],
  deeds: readonly DeedKind[],
): fc.Arbitrary<MapPlan> {
  const deed: fc.Arbitrary<Deed> = fc.record({
    kind: fc.constantFrom(...deeds),
    where: fc.constantFrom("next", "next", "first", "getter", "return"),
    at: fc.oneof(fc.nat(4), fc.nat(40)),
  });
  return fc.record({
    claims: fc.constantFrom(...CLAIMS_KINDS),
    maxWorkers: fc.integer({ min: 1, max: 3 }),
    maxQueue: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 4 }),
    configured: fc.boolean(),
    items: fc.array(fc.constantFrom(...kinds), { maxLength: 40, size: "max" }),
    pace: fc.constantFrom(undefined, undefined, "ready", "hops", "slow"),
    second: optional(fc.nat(40)),
    firstPace: fc.constantFrom(undefined, "ready", "slow"),
    failsAt: fc.option(fc.nat(40), { nil: undefined, freq: 4 }),
    closeThrows: fc.boolean(),
    deeds: fc.array(deed, { maxLength: 3 }),
    chunksize: optional(fc.integer({ min: 1, max: 5 })),
    buffersize: optional(fc.integer({ min: 1, max: 5 })),
    ordered: fc.boolean(),
    settled: fc.boolean(),
    timeout: fc.constantFrom(undefined, undefined, undefined, 30),
    steps: fc.array(fc.oneof(...steps), { maxLength: 30, size: "max" }),
  });
}

property(
  "Executor.map() gives the result of every item, whatever the options and the order of the messages",
  500,
  plan(successes, steps, harmless),
  (plan) => new MapWorld(plan).run(),
);

property(
  "Executor.map() ends with the first error, unless settled, and is over when it is ended",
  500,
  plan([...successes, ...successes, ...successes, ...failures], [...steps, ...endings], [...harmless, ...fatal]),
  (plan) => new MapWorld(plan).run(),
);

property(
  "Executor.map() loses no item and runs none twice when workers die",
  300,
  plan([...successes, ...successes, ...successes, ...failures], [...steps, ...endings, deaths], [
    ...harmless,
    ...fatal,
  ]),
  (plan) => new MapWorld(plan).run(),
);

// The steps that a random program of any kind may take on its network: messages are delivered, calls that are held go on,
// time passes, workers die. What a program asks of its executor is its own: scheduler_program.ts and map_plan.ts.

import fc from "fast-check";
import type { Ledger } from "./ledger.ts";
import type { Network } from "./network.ts";

/** A step. A `choice` is taken modulo the number of things to choose from. */
export type NetworkStep =
  | { readonly kind: "deliver"; readonly choices: readonly number[] }
  | { readonly kind: "open"; readonly choice: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "die"; readonly choice: number; readonly share: number };

/** Any `choice`. */
export const choice: fc.Arbitrary<number> = fc.nat(1000);

/** How much of its messages survives a worker that dies. */
export const share: fc.Arbitrary<number> = fc.constantFrom(0, 0.5, 1);

/** Some messages are delivered, `most` at once. */
export function deliver(most = 12): fc.Arbitrary<NetworkStep & { readonly kind: "deliver" }> {
  return fc.record({ kind: fc.constant("deliver"), choices: fc.array(choice, { maxLength: most }) });
}

/** A call that is held goes on. */
export const open: fc.Arbitrary<NetworkStep & { readonly kind: "open" }> = fc.record({
  kind: fc.constant("open"),
  choice,
});

/** A worker dies. */
export const die: fc.Arbitrary<NetworkStep & { readonly kind: "die" }> = fc.record({
  kind: fc.constant("die"),
  choice,
  share,
});

/** Time passes. */
export function advance(...ms: number[]): fc.Arbitrary<NetworkStep & { readonly kind: "advance" }> {
  return fc.record({ kind: fc.constant("advance"), ms: fc.constantFrom(...ms) });
}

/** Takes a step, and waits until it has had its effects. */
export async function takeNetworkStep(step: NetworkStep, network: Network, ledger: Ledger): Promise<void> {
  switch (step.kind) {
    case "deliver":
      for (const choice of step.choices) await network.deliver(choice);
      return;
    case "open": {
      const call = pick(ledger.held, step.choice);
      if (call !== undefined) await ledger.open(call);
      return;
    }
    case "advance":
      return network.time.advance(step.ms);
    case "die":
      pick(network.alive, step.choice)?.die({ exitCode: 7 }, step.share);
  }
}

/** What a `choice` chooses. */
export function pick<T>(from: readonly T[], choice: number): T | undefined {
  return from[choice % from.length];
}

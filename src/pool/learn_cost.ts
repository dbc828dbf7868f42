// How long the calls of a task are expected to take: what answers of workers say about it.

import type { Call } from "../executor/call.ts";

/** From this cost on, in milliseconds, a call is long: no other waits behind the next one of its task. */
const LONG = 4;

/**
 * Learns from an answer how long calls of its task take.
 *
 * @param calls The answered calls. They are of several tasks only when all are short.
 * @param spent How long they ran, in milliseconds.
 */
export function learnCost(calls: readonly (Call | undefined)[], spent: number): void {
  let answered = 0, mixed = false;
  let task: Call["task"] | undefined;
  for (const call of calls) {
    if (!call) continue;
    answered++;
    call.task.proven++;
    if (task === undefined) task = call.task;
    else if (task !== call.task) mixed = true;
  }
  if (!task) return;
  const cost = spent / answered;
  if (cost >= LONG) task.proven = 0;
  else task.cost = mixed || task.cost === Infinity ? Math.min(task.cost, cost) : (task.cost + cost) / 2;
}

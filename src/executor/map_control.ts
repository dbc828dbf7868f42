// What who has started a map() can do with all of its calls at once, beside leaving its loop.

import { PENDING } from "../future/state.ts";
import type { Mapping } from "./map.ts";
import type { MapIterator } from "./map_options.ts";

/**
 * Ends an iteration none of whose calls has left the queue.
 *
 * @param results The iteration.
 * @param count How many items it has.
 * @returns False when a call has left the queue: then nothing has changed.
 */
export function withdrawMap(results: MapIterator<unknown>, count: number): boolean {
  const { outstanding, calls } = (results as Mapping<unknown>).look;
  if (outstanding < count || calls.some(({ queue }) => !queue)) return false;
  results.return().catch(() => {}); // it never rejects
  return true;
}

/** Ends an iteration, and the calls that have begun together with their workers. */
export function endMap(results: MapIterator<unknown>, reason: unknown): void {
  const { engine, calls } = (results as Mapping<unknown>).look;
  results.return().catch(() => {});
  for (const call of calls) if (call.state === PENDING) engine.endCall(call, reason);
}

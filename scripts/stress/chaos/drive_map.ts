// The program's side of a map: it takes the results, and notes whose they are.

import type { MapIterator } from "../../../mod.ts";
import type { MapEnd, Told } from "./entry.ts";
import { answerOf, answerTo } from "./values.ts";

/** Takes the results until there are no more, or as many as the plan wants. */
export async function driveMap(results: MapIterator<unknown>, end: MapEnd): Promise<void> {
  const { plan, entries, came } = end;
  const byAnswer = new Map(plan.ordered ? [] : entries.map((entry) => [answerTo(entry.job.id), entry]));
  try {
    if (plan.leave === 0) return void (end.how = "left");
    for await (const result of results) {
      const told = (plan.settled ? result : { status: "fulfilled", value: result }) as Told;
      const entry = plan.ordered
        ? entries[came.length]
        : told.status === "fulfilled"
        ? byAnswer.get(answerOf(told.value)!)
        : undefined;
      if (entry) entry.told = told;
      came.push(entry);
      if (came.length === plan.leave) return void (end.how = "left");
    }
    end.how = "complete";
  } catch (error) {
    end.how = "failed";
    end.reason = error;
  } finally {
    // A loop that was never entered has to be left too.
    await results.return();
  }
}

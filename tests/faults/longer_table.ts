// What becomes of what lasts longer than a call, when something happens to its worker, to it, or to its executor: the rows of
// the fault matrix (table.ts) for streams, groups, broadcast(), warmUp(), resize() and finalizers, as data.

import type { Kind } from "../behaviour/behaviour.ts";
import type { Act, Outcome as CallOutcome, Reason } from "./table.ts";

/** What may happen. Of the acts on a call that somebody waits for, all but those that are about waiting. */
export type LongerAct = Exclude<Act, "wait">;

export type LongerOutcome =
  | CallOutcome
  /** return() resolves, and nobody is told of more. */
  | "left"
  /** As "lost", but the call has not begun. */
  | "stranded"
  /** A ShutdownError. */
  | "refused"
  /** It fails nothing: the executor reports it. */
  | "reported";

export type LongerCell = LongerOutcome | Reason;

const because = (reason: string): Reason => ({ because: reason });
const NOT_THERE = because("No worker has it");
const UNTIMED = because("The time is counted from the start of the task, and none has started");
const NO_OPTIONS = because("It has no such option, and no Future");
const LEFT = because("It was left: its signal has aborted, and its grace counts in place of its time");

/** What is under way, and where it is: what a cell stages. `async`: at an await; `sync`: it listens to nothing. */
export interface Longer {
  readonly name: "stream" | "group" | "broadcast" | "warmUp" | "resize" | "finalizer";
  readonly places: readonly string[];
  readonly rows: Readonly<Record<LongerAct, readonly LongerCell[]>>;
}

const everywhere = (cells: LongerCell): readonly LongerCell[] => [cells];

// deno-fmt-ignore
export const LONGER: readonly Longer[] = [
  {
    name: "stream",
    // "paused": at its yield; "input": it waits for an item; "finally": it was left, and its finally block runs.
    places:            ["queued",    "initializer", "sync",    "async",   "paused",  "input",   "finally"],
    rows: {
      exit:             [NOT_THERE,   "broken",      "lost",    "lost",    "lost",    "lost",    "left"],
      forged:           [NOT_THERE,   "broken",      "lost",    "lost",    "lost",    "lost",    "left"],
      SIGKILL:          [NOT_THERE,   "result",      "lost",    "lost",    "lost",    "lost",    "left"],
      SIGTERM:          [NOT_THERE,   "result",      "lost",    "lost",    "lost",    "lost",    "left"],
      cancel:           ["left",      "left",        "left",    "left",    "left",    "left",    "left"],
      signal:           ["never",     "never",       "aborted", "aborted", "aborted", "aborted", "left"],
      timeout:          [UNTIMED,     UNTIMED,       "timeout", "timeout", "timeout", "timeout", LEFT],
      shutdown:         ["result",    "result",      "result",  "result",  "result",  "result",  "left"],
      cancelFutures:    ["cancelled", "cancelled",   "result",  "result",  "result",  "result",  "left"],
      terminateWorkers: ["cancelled", "cancelled",   "ended",   "ended",   "ended",   "ended",   "left"],
      killWorkers:      ["cancelled", "cancelled",   "ended",   "ended",   "ended",   "ended",   "left"],
    },
  },
  {
    name: "group",
    // Of its first call; "inside": in a group inside. A call that was cancelled is no failure of its group.
    places:            ["queued",    "initializer", "sync",    "async",   "inside"],
    rows: {
      exit:             [NOT_THERE,   "broken",      "lost",    "lost",    "lost"],
      forged:           [NOT_THERE,   "broken",      "lost",    "lost",    "lost"],
      SIGKILL:          [NOT_THERE,   "result",      "lost",    "lost",    "lost"],
      SIGTERM:          [NOT_THERE,   "result",      "lost",    "lost",    "lost"],
      cancel:           ["result",    "result",      "result",  "result",  "result"],
      signal:           ["aborted",   "aborted",     "aborted", "aborted", "aborted"],
      timeout:          [UNTIMED,     UNTIMED,       "timeout", "timeout", "timeout"],
      shutdown:         ["result",    "result",      "result",  "result",  "result"],
      cancelFutures:    ["result",    "result",      "result",  "result",  "result"],
      terminateWorkers: ["result",    "result",      "ended",   "ended",   "ended"],
      killWorkers:      ["result",    "result",      "ended",   "ended",   "ended"],
    },
  },
  {
    name: "broadcast",
    // "queued": its worker runs another call, which meets what happens.
    places:            ["queued",    "initializer", "sync",    "async"],
    rows: {
      exit:             ["stranded",  "stranded",    "lost",    "lost"],
      forged:           ["stranded",  "stranded",    "lost",    "lost"],
      SIGKILL:          ["stranded",  "stranded",    "lost",    "lost"],
      SIGTERM:          ["stranded",  "stranded",    "lost",    "lost"],
      cancel:           [NO_OPTIONS,  NO_OPTIONS,    NO_OPTIONS, NO_OPTIONS],
      signal:           [NO_OPTIONS,  NO_OPTIONS,    NO_OPTIONS, NO_OPTIONS],
      timeout:          [NO_OPTIONS,  NO_OPTIONS,    NO_OPTIONS, NO_OPTIONS],
      shutdown:         ["result",    "result",      "result",  "result"],
      cancelFutures:    ["cancelled", "cancelled",   "result",  "result"],
      terminateWorkers: ["cancelled", "cancelled",   "ended",   "ended"],
      killWorkers:      ["cancelled", "cancelled",   "ended",   "ended"],
    },
  },
  {
    name: "warmUp",
    places: ["initializer"],
    rows: {
      exit:             everywhere("broken"),
      forged:           everywhere("broken"),
      SIGKILL:          everywhere("result"),
      SIGTERM:          everywhere("result"),
      cancel:           everywhere(NO_OPTIONS),
      signal:           everywhere(NO_OPTIONS),
      timeout:          everywhere(NO_OPTIONS),
      shutdown:         everywhere("refused"),
      cancelFutures:    everywhere("refused"),
      terminateWorkers: everywhere("refused"),
      killWorkers:      everywhere("refused"),
    },
  },
  {
    name: "resize",
    // "initializer": of a worker that is more, and a call waits for it; then a call in a worker that has become too much.
    places:            ["initializer", "sync",    "async"],
    rows: {
      exit:             ["broken",      "lost",    "lost"],
      forged:           ["broken",      "lost",    "lost"],
      SIGKILL:          ["result",      "lost",    "lost"],
      SIGTERM:          ["result",      "lost",    "lost"],
      cancel:           ["cancelled",   "result",  "result"],
      signal:           ["never",       "aborted", "aborted"],
      timeout:          [UNTIMED,       "timeout", "timeout"],
      shutdown:         ["result",      "result",  "result"],
      cancelFutures:    ["cancelled",   "result",  "result"],
      terminateWorkers: ["cancelled",   "ended",   "ended"],
      killWorkers:      ["cancelled",   "ended",   "ended"],
    },
  },
  {
    name: "finalizer",
    // "retiring": of a worker that resize() ends; "shutdown": of one that a shutdown has ended.
    places:            ["retiring", "shutdown"],
    rows: {
      exit:             ["reported",  "reported"],
      forged:           ["result",    "result"], // one that leaves may send what it likes
      SIGKILL:          ["reported",  "reported"],
      SIGTERM:          ["reported",  "reported"],
      cancel:           [NO_OPTIONS,  NO_OPTIONS],
      signal:           [NO_OPTIONS,  NO_OPTIONS],
      timeout:          [NO_OPTIONS,  NO_OPTIONS],
      shutdown:         ["result",    "result"],
      cancelFutures:    ["result",    "result"],
      terminateWorkers: ["ended",     "ended"],
      killWorkers:      ["ended",     "ended"],
    },
  },
];

/** What must happen with this kind of worker. */
export function longerCellOf({ places, rows }: Longer, act: LongerAct, place: string, kind: Kind): LongerCell {
  if (kind.sharesMemory && act.startsWith("SIG")) return because("A thread cannot be killed from outside");
  return rows[act][places.indexOf(place)]!;
}

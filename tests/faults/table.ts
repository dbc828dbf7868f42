// The fault matrix, as data: how a worker can fail, when, and what must happen then. The row of a fault holds for both
// executors and all runtimes, except for the EXCEPTIONS. A cell that is impossible holds the reason.

import process from "node:process";
import { type Runtime, runtime } from "../support/runtime.ts";
import type { Kind } from "../behaviour/behaviour.ts";

export const PHASES = [
  "start",
  "initializer",
  "load",
  "argument",
  "sync",
  "async",
  "reports",
  "result",
  "idle",
  "shutdown",
] as const;

/** When the fault happens. In "argument" and "result", while these are copied; in "reports", between two reports. */
export type Phase = typeof PHASES[number];

/** What must happen. The neighbours' results are always right, and nothing is left behind. */
export type Outcome =
  /** The running call gets a WorkerLostError of its own; another worker takes over. */
  | "lost"
  /** As "lost", but the worker may or may not have begun the call. */
  | "unknown"
  /** The call has its result; the worker is lost, and replaced when there is work. */
  | "gone"
  /** Three workers fail in a row, then every call gets a Broken... error of its own, with the reason as cause. */
  | "broken"
  /** As "broken", at the first failure, as another worker would fail as well. */
  | "breaks"
  /** The call gets its own error and the worker lives. */
  | "error"
  /** As "error", with a DataCloneError. */
  | "clone"
  /** The call gets a TimeoutError; its worker is ended and replaced. */
  | "timeout"
  /** The call gets the signal's reason; its worker is ended and replaced. */
  | "aborted"
  /** As "aborted", but the call has not begun and no worker is ended. */
  | "never"
  /** The call gets a WorkerLostError; the executor is shut down. */
  | "ended"
  /** As "ended", but the call has not begun and gets a CancelledError. */
  | "cancelled"
  /** The call returns before it can be stopped. */
  | "result";

/** Why a cell is impossible. */
export interface Reason {
  readonly because: string;
}
export type Cell = Outcome | Reason;

/** What goes wrong in the worker. */
export type Way =
  | "exit"
  | "Deno.exit"
  | "close"
  | "SIGKILL"
  | "SIGTERM"
  | "SIGABRT"
  | "memory"
  | "abort"
  | "timer"
  | "rejection"
  | "throw"
  | "uncloneable"
  /** An endless loop, which listens to nothing until the parent ends the worker. */
  | "loop";

/** How the parent ends a worker that listens to nothing. */
export type End = "SIGKILL" | "SIGTERM" | "SIGABRT" | "timeout" | "signal" | "terminateWorkers" | "killWorkers";

/** One row: a fault, and what must happen in each phase. */
export interface Fault {
  readonly name: string;
  readonly way: Way;
  readonly end: End | undefined;
  readonly cells: readonly Cell[];
}

const because = (reason: string): Reason => ({ because: reason });
const PARENT = because("The worker does nothing while the parent copies an argument");
const LATER = because("No timer fires while synchronous code runs: it does when the worker is idle");
const UNTIMED = because("The time is counted from the start of the task, and none has started");
const HARMLESS = because("Nothing has to be copied then");

// deno-fmt-ignore
export const FAULTS: readonly Fault[] = [
  //                                                        start        initializer  load       argument   sync       async      reports    result     idle         shutdown
  row("process.exit(7)", "exit", undefined,                ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("Deno.exit(7)", "Deno.exit", undefined,              ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("self.close()", "close", undefined,                  ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("SIGKILL from inside", "SIGKILL", undefined,         ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("SIGTERM from inside", "SIGTERM", undefined,         ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("SIGABRT from inside", "SIGABRT", undefined,         ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("SIGKILL from outside", "loop", "SIGKILL",           ["broken",    "broken",    "lost",    "gone",    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("SIGTERM from outside", "loop", "SIGTERM",           ["broken",    "broken",    "lost",    "gone",    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("SIGABRT from outside", "loop", "SIGABRT",           ["broken",    "broken",    "lost",    "gone",    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("out of memory", "memory", undefined,                ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("a native abort", "abort", undefined,                ["broken",    "broken",    "lost",    PARENT,    "lost",    "lost",    "lost",    "lost",    "gone",      "lost"]),
  row("an uncaught error in a timer", "timer", undefined,  ["broken",    "broken",    "lost",    PARENT,    LATER,     "lost",     "lost",    LATER,     "gone",      "lost"]),
  row("an unhandled rejection", "rejection", undefined,    ["broken",    "broken",    "lost",    PARENT,    LATER,     "lost",     "lost",    LATER,     "gone",      "lost"]),
  row("an error", "throw", undefined,                      ["broken",    "breaks",    "error",   "error",   "error",   "error",   "error",   "error",   "gone",      "error"]),
  row("what cannot be copied", "uncloneable", undefined,   [HARMLESS,    HARMLESS,    HARMLESS,  "clone",   "clone",   "clone",   "clone",   "clone",   HARMLESS,    "clone"]),
  row("an endless loop, a timeout", "loop", "timeout",     [UNTIMED,     UNTIMED,     "timeout", UNTIMED,   "timeout", "timeout", "timeout", "timeout", UNTIMED,     "timeout"]),
  row("an endless loop, a signal", "loop", "signal",       ["never",     "never",     "aborted", "never",   "aborted", "aborted", "aborted", "aborted", "never",     "aborted"]),
  row("terminateWorkers()", "loop", "terminateWorkers",    ["cancelled", "cancelled", "ended",   "cancelled", "ended",   "ended",   "ended",   "ended",   "cancelled", "ended"]),
  row("killWorkers()", "loop", "killWorkers",              ["cancelled", "cancelled", "ended",   "cancelled", "ended",   "ended",   "ended",   "ended",   "cancelled", "ended"]),
];

/** Cells that differ from the rows. An absent field matches everything; the first exception that matches counts. */
interface Exception {
  readonly kind?: "threads" | "processes";
  readonly runtimes?: readonly Runtime[];
  readonly ways?: readonly Way[];
  readonly ends?: readonly End[];
  readonly phases?: readonly Phase[];
  readonly cell: Cell;
}

const SIGNALS = ["SIGKILL", "SIGTERM", "SIGABRT"] as const;
const ENDINGS = ["terminateWorkers", "killWorkers"] as const;

const WITHOUT_PAGE: readonly Exception[] = [
  { kind: "processes", ends: SIGNALS, phases: ["argument"], cell: "unknown" },
  { kind: "processes", ends: ["signal"], phases: ["argument"], cell: "result" },
  { kind: "processes", ends: ["signal"], phases: ["idle"], cell: "aborted" },
  { kind: "processes", ends: ENDINGS, phases: ["idle"], cell: "unknown" },
];

// deno-fmt-ignore
export const EXCEPTIONS: readonly Exception[] = [
  { kind: "threads", phases: ["start"], cell: because("Nothing that a program says runs in a thread before the initializer") },
  { kind: "threads", ways: SIGNALS, cell: because("A signal to a thread is one to the whole program") },
  { kind: "threads", ends: SIGNALS, cell: because("A thread cannot be killed from outside") },
  { runtimes: ["bun", "node"], ways: ["Deno.exit", "close"], cell: because("Only Deno has it") },
  { kind: "processes", ways: ["close"], phases: ["result"], cell: because("It lets synchronous code run to its end") },
  { runtimes: ["bun"], ways: ["timer", "rejection"], phases: ["start"], cell: because("Bun (1.4) shows the error and goes on to wait for the preloaded module") },
  { runtimes: ["bun"], ways: ["memory"], cell: because("Bun (1.4) has no limit of the heap: the machine's memory would be used up") },
  { kind: "threads", runtimes: ["deno"], ways: ["memory"], cell: because("Deno (2.9): it ends the whole program") },
  { kind: "threads", runtimes: ["node"], ways: ["memory"], cell: because("Node (24): its limit is best effort, and now and then the whole program ends instead (nodejs/node#47224)") },
  { kind: "threads", runtimes: ["deno", "bun"], ways: ["abort"], cell: because("It ends the whole program") },
  // Node refuses process.abort() in threads, by an error.
  { kind: "threads", ways: ["abort"], phases: ["initializer"], cell: "breaks" },
  { kind: "threads", ways: ["abort"], phases: ["load", "sync", "async", "reports", "result", "shutdown"], cell: "error" },
  // A process that shares no page with the program has what it was sent.
  ...(process.platform === "linux" ? [] : WITHOUT_PAGE),
];

/** What must happen on this runtime. */
export function cellOf(fault: Fault, phase: Phase, kind: Kind): Cell {
  const matches = <T>(wanted: readonly T[] | undefined, value: T) => !wanted || wanted.includes(value);
  const backend = kind.sharesMemory ? "threads" : "processes";
  const exception = EXCEPTIONS.find((exception) =>
    (!exception.kind || exception.kind === backend) &&
    matches(exception.runtimes, runtime) &&
    matches(exception.ways, fault.way) &&
    (!exception.ends || (fault.end && exception.ends.includes(fault.end))) &&
    matches(exception.phases, phase)
  );
  const usual = fault.cells[PHASES.indexOf(phase)]!;
  // A cell that is impossible everywhere has its reason in the row.
  return typeof usual === "object" ? usual : exception?.cell ?? usual;
}

function row(name: string, way: Way, end: End | undefined, cells: readonly Cell[]): Fault {
  return { name, way, end, cells };
}

/** Where a call is while the program blocks for its result (tests/world/sync_faults_test.ts). */
export const WAITED = ["queued", "initializer", "sync", "async"] as const;

/** What happens to such a call. Code of the program runs in a done callback meanwhile, and nowhere else. */
export type Act =
  | "exit"
  | "forged"
  | "SIGKILL"
  | "SIGTERM"
  | "cancel"
  | "signal"
  | "timeout"
  | "wait"
  | "shutdown"
  | "cancelFutures"
  | "terminateWorkers"
  | "killWorkers";

const NOT_THERE = because("No worker has the call");

/** What the waiting program gets. */
// deno-fmt-ignore
export const WAITS: readonly { readonly act: Act; readonly cells: readonly Cell[] }[] = [
  //                            queued       initializer  sync       async
  { act: "exit", cells:             [NOT_THERE,   "broken",    "lost",    "lost"] },
  { act: "forged", cells:           [NOT_THERE,   NOT_THERE,   "lost",    "lost"] },
  { act: "SIGKILL", cells:          [NOT_THERE,   "result",    "lost",    "lost"] },
  { act: "SIGTERM", cells:          [NOT_THERE,   "result",    "lost",    "lost"] },
  { act: "cancel", cells:           ["cancelled", "cancelled", "result",  "result"] },
  { act: "signal", cells:           ["never",     "never",     "aborted", "aborted"] },
  { act: "timeout", cells:          [UNTIMED,     UNTIMED,     "timeout", "timeout"] },
  { act: "wait", cells:             ["result",    "result",    "result",  "result"] },
  { act: "shutdown", cells:         ["result",    "result",    "result",  "result"] },
  { act: "cancelFutures", cells:    ["cancelled", "cancelled", "result",  "result"] },
  { act: "terminateWorkers", cells: ["cancelled", "cancelled", "ended",   "ended"] },
  { act: "killWorkers", cells:      ["cancelled", "cancelled", "ended",   "ended"] },
];

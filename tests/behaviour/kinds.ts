// The kinds of local executor, for tests that run with each.

import {
  BrokenExecutor,
  BrokenProcessPool,
  BrokenThreadPool,
  InlineExecutor,
  ProcessPoolExecutor,
  ThreadPoolExecutor,
} from "../../mod.ts";
import type { Kind } from "./behaviour.ts";
import { workerProcesses, workerThreads } from "../support/leaks.ts";

export const THREADS: Kind = {
  name: "ThreadPoolExecutor",
  Executor: ThreadPoolExecutor,
  Broken: BrokenThreadPool,
  sharesMemory: true,
  alive: workerThreads,
};

export const PROCESSES: Kind = {
  name: "ProcessPoolExecutor",
  Executor: ProcessPoolExecutor,
  Broken: BrokenProcessPool,
  sharesMemory: false,
  alive: workerProcesses,
};

export const KINDS: readonly Kind[] = [THREADS, PROCESSES];

const BLOCKS = "its task blocks this very thread, and with it the test that would let it go on";
const SERIAL = "it wants two calls to run at the same time";
const ONE = "it wants several workers, or counts them, and here is one loop";
const GOES_ON = "what it leaves behind goes on in this thread, and would keep the tests' program alive";
const SHARES = "it tells workers apart by the state of a module, which is the program's own here";
const EXITS = "its task ends the worker, which is this program";

/** Calls run one after another in this thread. */
export const INLINE: Kind = {
  name: "InlineExecutor",
  Executor: InlineExecutor,
  Broken: BrokenExecutor,
  sharesMemory: true,
  alive: () => [],
  absent: {
    ".submit() gives Futures that can be cancelled though a worker that is blocked holds them": BLOCKS,
    ".submit(): an idle worker runs what a worker that is blocked holds, and each call runs once": BLOCKS,
    ".shutdown({ cancelFutures: true }) cancels all that a blocked worker has not begun": BLOCKS,
    ".map() whose timeout is over cancels all that a blocked worker has not begun": BLOCKS,
    ".killWorkers() settles a call that never returns to its event loop": BLOCKS,
    ".submit() gives a quick call's result while the call behind it runs, however long": BLOCKS,
    ".submit() runs what is behind a long call on another worker": BLOCKS,
    ".with({ priority }) overtakes calls that a worker was handed and has not begun": BLOCKS,
    ".submit() gives Futures that can all be cancelled but those that run, whatever was quick before": BLOCKS,
    ".map() that runs out of time leaves no item to its workers that has not begun": BLOCKS,
    ".shutdown({ cancelFutures: true }) waits for no call that a worker holds and has not begun": BLOCKS,
    ".submit() rejects with WorkerLostError when the task ends its worker": EXITS,
    " goes on with another worker after a loss, and loses no other call": EXITS,
    ".submit() gives each lost call an error of its own": EXITS,
    ".submit() keeps a result that came before its worker ended": EXITS,
    ".submit() rejects when the task's worker dies of an error that nobody caught": EXITS,
    ".submit() leaves no call pending when workers die with calls handed ahead": EXITS,
    ".shutdown() ends after a loss, with work left to do": EXITS,
    " is broken when workers end before they are ready, instead of starting them for ever": EXITS,
    ".stats() tells why calls have failed": EXITS,
    ".submit() runs as many calls at the same time as there are workers": SERIAL,
    ".submit() loses no answer of a hundred calls that end together": SERIAL,
    ".submit() gives Futures that asCompleted() yields as they end": SERIAL,
    ".map() yields results as they are ready with ordered: false": SERIAL,
    ".map() runs the items of a chunk one after the other in one worker": SERIAL,
    " starts no more than maxWorkers": ONE,
    " has workers that are called by its name and a number": ONE,
    " runs the initializer once in each worker, before its first call": ONE,
    " that becomes broken leaves cancelled calls cancelled, and lets running ones finish": SERIAL,
    ".submit() runs the export of a module with that module's scope and state": SHARES,
    ".submit() loads a module once in each worker": SHARES,
    " lets a worker go that has been idle for idleTimeout": SHARES,
    " replaces a worker after maxTasksPerWorker calls": SHARES,
    " replaces workers during a burst of short calls, and runs none in a worker at its limit": SHARES,
    ".submit() rejects when an export is missing or no function, naming module and export":
      "a function of task() need not be exported here",
    ".maxWorkers tells how many workers there are at most": "it is 1",
    " has as many workers as the machine can run by default": "it has one loop",
    ".shutdown({ cancelFutures: true }) cancels what has not begun, and wakes who waits for it": SERIAL,
    ".with({ grace }) ends the worker of a deaf task, and only that call fails": BLOCKS,
    ".with({ timeout }) stops one call, and its neighbours run elsewhere, once": BLOCKS,
    ".group() waits for all calls, and gives what its block returns": SERIAL,
    ".group() aborts the others when one fails, and throws the failure": SERIAL,
    ".group() in a group: a failure that nobody has seen fails the one outside": SERIAL,
    ".group() in a group is aborted with the one outside, which waits for it": SERIAL,
    ".map() in a group ends when another call fails": SERIAL,
    " gives its workers the indices 0 to maxWorkers - 1": ONE,
    " gives a worker that replaces another its index, and a name of its own": ONE,
    " keeps the index when workers retire": ONE,
    ".warmUp() starts all workers, and resolves when their initializers have run": ONE,
    ".warmUp() starts what is lacking beside workers that are busy": ONE,
    ".warmUp() is not undone by idleTimeout, which counts from its end": ONE,
    ".warmUp() leaves workers that take calls at once": ONE,
    ".resize() with more workers gives waiting calls theirs at once": ONE,
    ".resize() with fewer workers ends idle ones, and busy ones after their call": ONE,
    ".resize() takes back an order that busy workers have not carried out": ONE,
    ".resize() during .warmUp() sets how many workers it waits for": ONE,
    ".resize() refuses what is no number of workers": ONE,
    ".broadcast() runs a call once on every worker, in the order of their indices": ONE,
    ".broadcast() looks at each failure: none is reported as unobserved": ONE,
    ".broadcast() reaches workers that are starting": ONE,
    ".broadcast() counts as a call, and comes before the worker's retirement": ONE,
    ".broadcast() waits for all, and rejects with the first error": ONE,
    ".broadcast() rejects when a worker is lost before its call": EXITS,
    ".broadcast() refuses what cannot be sent to several workers": ONE,
    ".with({ onReport }) gets reports while the task blocks its worker": BLOCKS,
    ".with({ onReport }) can stop a task that reports without an await: timeout": BLOCKS,
    ".with({ onReport }) can stop a task that reports without an await: signal": BLOCKS,
    ".with({ onReport }) can stop a task that reports without an await: terminateWorkers": BLOCKS,
    ".with({ onReport }) can stop a task that reports without an await: killWorkers": BLOCKS,
    ".with({ onReport }) gets what a task has reported before its worker ended": EXITS,
    " runs no finalizer in workers that are lost or killed": EXITS,
    " reports a finalizer that ends its worker, and loses nothing": EXITS,
    ".killWorkers() ends workers in their finalizers": GOES_ON,
    " runs the finalizer once in each worker at the shutdown, which waits for it": ONE,
    " runs the finalizer when resize() ends a worker": ONE,
    ".with({ onReport }) hears nothing of a call that has ended, though its task goes on": GOES_ON,
    ".with({ onReport }) hears nothing after a call was stopped while it reported": GOES_ON,
    ".with({ onReport }) may end the executor in its callback": GOES_ON,
    ".with({ retries }) runs a call again whose worker was lost, which knows its attempt": EXITS,
  },
};

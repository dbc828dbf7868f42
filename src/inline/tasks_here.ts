// Which task asks for currentTask(), where tasks run in the program's own thread: a worker runs nothing else, but here other
// code runs between two steps of a task, and tasks of other executors.

import { asyncContext } from "../runtime.ts";
import { currentTaskFinder, setCurrentTask } from "../task/current.ts";
import type { CurrentTask } from "../task/running_task.ts";

/** Tells the task that runs in one executor. */
export type Finder = () => CurrentTask | undefined;

/** A storage that follows asynchronous code, or as much of one as a browser has. */
interface Context {
  run<T>(store: Finder | undefined, fn: () => T): T;
  getStore(): Finder | undefined;
}

/** In a browser: what runs without an `await` in between is known, and then whoever asks gets the task that began last. */
class LastBegun implements Context {
  #store: Finder | undefined;
  #isInside = false;

  run<T>(store: Finder | undefined, fn: () => T): T {
    const [before, wasInside] = [this.#store, this.#isInside];
    this.#store = store;
    this.#isInside = true;
    try {
      return fn();
    } finally {
      this.#isInside = wasInside;
      if (wasInside || !store) this.#store = before;
    }
  }

  getStore(): Finder | undefined {
    return this.#store;
  }
}

class TasksHere {
  #context: Context | undefined;

  /** Runs a part of a task, or what does not belong to one: `finder` is `undefined` then. */
  run<T>(finder: Finder | undefined, fn: () => T): T {
    return (this.#context ??= this.#open()).run(finder, fn);
  }

  /** Whether the caller is a part of a task of that executor. */
  isIn(finder: Finder): boolean {
    return this.#context?.getStore() === finder;
  }

  #open(): Context {
    const context = asyncContext<Finder | undefined>() ?? new LastBegun();
    // In a worker, whose tasks may have such executors, the worker's own task is found behind those of the executors.
    const outer = currentTaskFinder();
    setCurrentTask(() => {
      const finder = context.getStore();
      return finder ? finder() : outer?.();
    });
    return context;
  }
}

/** The tasks that run in this thread. */
export const tasksHere = new TasksHere();

// Stages what lasts longer than a call, so that something can happen to it (longer_table.ts).

import process from "node:process";
import type { Executor, ExecutorOptions, ExecutorView, Future, StreamIterator } from "../../mod.ts";
import type { ExecutorClass } from "../behaviour/behaviour.ts";
import { isClosed, note } from "../fixtures/tasks/gate_tasks.ts";
import * as tasks from "../fixtures/tasks/longer_tasks.ts";
import type { Gate } from "../support/gate.ts";
import { until } from "../support/until.ts";
import type { Longer, LongerAct } from "./longer_table.ts";

/** How something has ended. */
export type End = { readonly value: unknown } | { readonly error: unknown };

/** What is under way. */
export interface LongerScene {
  readonly executor: Executor;
  readonly controller: AbortController;
  /** How it ends; asked once, when something has happened to it. */
  readonly ended: () => Promise<End>;
  readonly stream?: StreamIterator<number>;
  /** The call of it that is cancelled, in the row of that. */
  readonly call?: Future<unknown> | undefined;
  /** A call that was there before, and that has nothing to do with it. */
  readonly before?: Future<unknown> | undefined;
  /** A call of the same group, which waits behind the other. */
  readonly sibling?: Future<unknown> | undefined;
}

/** Resolves when it is where it shall be. */
export async function stageLonger(
  Executor: ExecutorClass,
  { name }: Longer,
  act: LongerAct,
  place: string,
  gate: Gate,
  keeping: Gate,
): Promise<LongerScene> {
  const { folder } = gate, controller = new AbortController(), { signal } = controller;
  const how: tasks.How = act === "exit" || act === "forged" ? act : "hold";
  const isEarly = place === "queued" || place === "initializer";
  const executor = new Executor({ name: "longer", maxWorkers: 1, onUnobserved() {}, ...options() });
  const limit = act === "timeout" ? { timeout: 500 } : {}; // it has to be where it shall be by then
  const limited = executor.with({ ...limit, ...(act === "signal" && { signal, grace: 10 }), buffersize: 1 });
  const before = place === "queued"
    ? executor.submit(tasks.meetInCall, folder, how, false)
    : name === "resize"
    ? executor.submit(tasks.meetInCall, keeping.folder, "hold", false)
    : undefined;
  if (before) await (name === "resize" ? keeping : gate).noted();

  switch (name) {
    case "stream": {
      const stream = limited.stream(tasks.meetInStream, folder, how, place, input());
      if (!isEarly) await stream.next();
      const left = place === "finally" ? stream.return() : undefined;
      await gate.noted();
      return {
        ...{ executor, controller, before, stream },
        ended: () => endOf(left ?? (act === "cancel" ? stream.return() : Array.fromAsync(stream))),
      };
    }
    case "group": {
      let call, sibling;
      const ended = endOf(executor.group({ signal }, (group) => {
        if (place === "inside") {
          void group.group((inner) => void (call = submitTo(inner.with({ ...limit, grace: 10 }))));
        } else call = submitTo(group.with({ ...limit, grace: 10 }));
        sibling = group.submit(note, folder, "sibling");
      }));
      await gate.noted();
      return { executor, controller, before, call, sibling, ended: () => ended };
    }
    case "broadcast": {
      const warm = place === "queued" ? undefined : executor.warmUp();
      if (!isEarly) await warm;
      const ended = endOf(executor.broadcast(tasks.meetInCall, folder, isEarly ? "hold" : how, place === "sync"));
      await gate.noted();
      return { executor, controller, before, ended: () => ended };
    }
    case "warmUp": {
      const ended = endOf(executor.warmUp());
      await gate.noted();
      return { executor, controller, ended: () => ended };
    }
    case "resize": {
      executor.resize(2);
      const call = submitTo(limited);
      await gate.noted();
      if (!isEarly) executor.resize(1);
      return { executor, controller, before, call, ended: () => endOf(call) };
    }
    case "finalizer": {
      await executor.warmUp();
      if (place === "retiring") executor.resize(1);
      else void executor.shutdown();
      await gate.noted();
      return { executor, controller, ended: () => endOf(place === "retiring" ? gone() : executor.shutdown()) };
    }
  }

  function options(): ExecutorOptions {
    const { meetInInitializer: initializer, meetInFinalizer: finalizer, tell } = tasks;
    if (place === "initializer") return { initializer, initargs: [folder, how, name === "resize" ? 1 : 0] };
    if (place === "retiring") return { maxWorkers: 2, initializer: tell, initargs: [folder, how, 1], finalizer };
    return place === "shutdown" ? { initializer: tell, initargs: [folder, how, 0], finalizer } : {};
  }

  function gone(): Promise<void> {
    return until("the worker is gone", () => executor.stats().workers < 2);
  }

  function submitTo(view: ExecutorView): Future<unknown> {
    return isEarly ? view.submit(note, folder, "ran") : view.submit(tasks.meetInCall, folder, how, place === "sync");
  }

  /** Has no item, and ends when the gate is open. */
  function input(): AsyncIterable<never> {
    const next = async (): Promise<IteratorResult<never>> => {
      await until("the input may end", () => !isClosed(folder));
      return { value: undefined, done: true };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
}

/** Has it happen; what `goesOn` then can do so. */
export function strikeLonger(act: LongerAct, scene: LongerScene, gate: Gate, goesOn: boolean): void {
  const { executor, controller, stream, call } = scene;
  if (act === "SIGKILL" || act === "SIGTERM") {
    process.kill(Number(gate.notes.findLast((line) => /^\d+$/.test(line))), act);
  } else if (act === "cancel") stream ? void stream.return() : void call!.cancel();
  else if (act === "signal") controller.abort(new Error("the signal's reason"));
  else if (act === "shutdown") void executor.shutdown();
  else if (act === "cancelFutures") void executor.shutdown({ cancelFutures: true });
  else if (act === "terminateWorkers" || act === "killWorkers") executor[act]();
  if (goesOn || act === "exit" || act === "forged") gate.open();
}

/** How it ends. */
export async function endOf(promise: PromiseLike<unknown>): Promise<End> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

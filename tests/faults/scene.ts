// Stages one cell of the matrix: a call that the fault hits, the victim, and its neighbours.

import process from "node:process";
import { type Executor, type Future, type ProcessPoolExecutorOptions, taskModule } from "../../mod.ts";
import { runtime } from "../support/runtime.ts";
import type { ExecutorClass } from "../behaviour/behaviour.ts";
import type { Gate } from "../support/gate.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { hold } from "../fixtures/tasks/gate_tasks.ts";
import { workerPid } from "../fixtures/tasks/worker_tasks.ts";
import { blockUntilDead } from "../support/dead.ts";
import { until } from "../support/until.ts";
import {
  arm,
  fail,
  strikeAfter,
  strikeInReports,
  strikeInResult,
  strikeNow,
  strikeSoon,
  strikeWhenIdle,
} from "./strike.ts";
import type { Fault, Outcome, Phase } from "./table.ts";

/** The reason of the signal that stops calls. */
const REASON = new Error("the signal's reason");

/** After this many workers in a row that do not start, an executor is broken. */
export const ATTEMPTS = 3;

const failing = taskModule<typeof import("./failing_module.ts")>(new URL("./failing_module.ts", import.meta.url));

/** Where the workers of a cell wait: those that listen to nothing, the neighbour, and the one that is about to fail. */
export interface Gates {
  readonly deaf: Gate;
  readonly neighbour: Gate;
  readonly strike: Gate;
}

/** A staged cell. */
export interface Scene {
  readonly executor: Executor;
  /** The call that the fault hits. */
  readonly victim: Future<unknown>;
  /** Runs on another worker meanwhile. Absent while workers start. */
  readonly neighbour: Future<number> | undefined;
  /** Wait for a worker meanwhile. Their results are the squares of 2, 3 and 4. */
  readonly queued: readonly Future<number>[];
  /** What the victim has reported: 0, 1, 2, ... in the phase "reports". */
  readonly heard: readonly unknown[];
  /** The signal that stops the victim, in the row of signals. */
  readonly signal: AbortSignal;
}

/** Starts an executor with the calls of a cell, and has the fault happen. */
export async function stage(
  Executor: ExecutorClass,
  { way, end }: Fault,
  phase: Phase,
  outcome: Outcome,
  gates: Gates,
): Promise<Scene> {
  const deaf = gates.deaf.folder;
  const heard: unknown[] = [];
  const early = phase === "start" || phase === "initializer";
  const executor = new Executor({ name: "faults", maxWorkers: early ? 1 : 2, ...options() });
  const controller = new AbortController();
  const limited = end === "timeout"
    ? executor.with({ timeout: 50 })
    : end === "signal"
    ? executor.with({ signal: controller.signal, grace: outcome === "result" ? 60_000 : 10 }) // returns within its grace
    : executor;

  const neighbour = early ? undefined : executor.submit(hold, gates.neighbour.folder, 1);
  if (neighbour) await gates.neighbour.noted();
  const pid = phase === "argument" ? await executor.submit(workerPid) : 0;
  if (phase === "idle" && outcome !== "gone") {
    gates.strike.open();
    await executor.submit(strikeWhenIdle, way, deaf, gates.strike.folder);
    await gates.deaf.noted();
  }
  const victim = submitVictim();
  const over = phase === "argument" && end?.endsWith("Workers"); // it has ended, and takes nothing more
  const queued = over ? [] : [2, 3, 4].map((n) => executor.submit(square, n));

  if (phase === "shutdown") {
    await until("the call has begun", () => victim.running());
    void executor.shutdown();
    gates.strike.open();
  }
  if (phase === "idle" && outcome === "gone") {
    await Promise.all([victim, ...queued]);
    gates.strike.open();
  }
  // A worker notes when it stops to listen. While workers start, there is one after the other.
  for (let n = 0; way === "loop" && end !== "timeout" && n < (outcome === "broken" ? ATTEMPTS : 1); n++) {
    if (phase === "argument") break;
    await gates.deaf.noted(n + 1);
    endWorker(Number(gates.deaf.notes[n]));
  }
  return { executor, victim, neighbour, queued, heard, signal: controller.signal };

  function options(): ProcessPoolExecutorOptions {
    const preload = new URL("./preload.ts", import.meta.url);
    const flag = runtime === "node" ? "--import" : "--preload";
    return {
      ...(way === "memory" && { memoryLimit: 128 }),
      ...(phase === "initializer" && { initializer: strikeNow, initargs: [way, deaf] }),
      ...(phase === "load" && { initializer: arm, initargs: [way, deaf] }),
      ...(phase === "start" && {
        execArgv: [flag, runtime === "bun" ? preload.pathname : preload.href],
        env: { ...process.env, FAULT_WAY: way, FAULT_FOLDER: deaf },
      }),
    };
  }

  function submitVictim(): Future<unknown> {
    switch (phase) {
      case "start":
      case "initializer":
        return limited.submit(square, 1);
      case "load":
        return limited.submit(failing.loaded);
      case "argument":
        return limited.submit(
          (_: unknown, result: string | undefined) => result ?? new Promise(() => {}),
          argument(),
          outcome === "result" ? "result" : outcome === "gone" ? "returned" : undefined,
        );
      case "sync":
        return limited.submit(strikeNow, way, deaf);
      case "async":
        return limited.submit(strikeSoon, way, deaf);
      case "reports":
        return limited.with({ onReport: (n, future) => heard.push(future.done() ? "late" : n) }).submit(
          strikeInReports,
          way,
          deaf,
        );
      case "result":
        return limited.submit(strikeInResult, way, deaf);
      case "idle":
        return outcome === "gone"
          ? limited.submit(strikeWhenIdle, way, deaf, gates.strike.folder)
          : limited.submit(square, 1);
      case "shutdown":
        return limited.submit(strikeAfter, way, deaf, gates.strike.folder);
    }
  }

  /** An argument that has the fault happen while it is copied. */
  function argument(): unknown {
    if (way === "uncloneable") return fail;
    let looks = 0;
    return {
      get part() {
        if (way === "throw") fail();
        if (looks++ === 0) {
          endWorker(pid);
          if (end?.startsWith("SIG")) blockUntilDead(pid); // or else it could begin the call
        }
        return 1;
      },
    };
  }

  function endWorker(pid: number): void {
    if (end === "signal") controller.abort(REASON);
    else if (end === "terminateWorkers" || end === "killWorkers") executor[end]();
    else if (end && end !== "timeout") process.kill(pid, end);
  }
}

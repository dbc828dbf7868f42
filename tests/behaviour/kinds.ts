// The two kinds of local executor, for tests that run with each.

import { BrokenProcessPool, BrokenThreadPool, ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";
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

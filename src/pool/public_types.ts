// The types that the API of every local executor names, for those who import one of the two entries.

export type { WorkerPermissions } from "./backend.ts";
export type { OwnWorker } from "./own_worker.ts";
export type { CallOptions } from "../executor/call_options.ts";
export type { GroupOptions } from "../executor/scope.ts";
export type { ExecutorView, Group, MapResult, ShutdownOptions } from "../executor/executor.ts";
export type { Future, FutureOutcome, ResultOptions } from "../future/future.ts";
export type { AnyIterable, AnyIterables, MapIterator, MapOptions } from "../executor/map_options.ts";
export type { StreamIterator } from "../executor/stream.ts";
export type { CallStats, ExecutorStats, FailureCounts, WorkerStats } from "../executor/stats.ts";
export type { NotCallable, Submittable, Task, TaskFunction } from "../task/task.ts";
export type { UnobservedHandler, UnobservedReport } from "../future/unobserved.ts";
export type { ErrorConstructorLike } from "../wire/error_class.ts";

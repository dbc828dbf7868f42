/**
 * The same executor across machines, on BullMQ and Redis. It needs the packages `bullmq`, `ioredis` and `devalue`.
 *
 * @module
 */

export { BullMQExecutor } from "./submit/bullmq_executor.ts";
export type { BullMQCallOptions, BullMQExecutorView } from "./submit/bullmq_executor.ts";
export type { ClusterStats } from "./submit/cluster_stats.ts";
export { CallNotFoundError, JobLostError, RedisRefusedError } from "./errors.ts";
export type { RedisConnection } from "./connection.ts";
export { type MetricLabels, metricsOf } from "./metrics.ts";
export type { HealthOptions } from "./host/health.ts";
export type { Host } from "./host/host.ts";
export type { BullMQExecutorOptions } from "./submit/options.ts";
export type { HostStats } from "./protocol.ts";
export { serve } from "./host/serve.ts";
export type { ServeOptions } from "./host/serve_options.ts";

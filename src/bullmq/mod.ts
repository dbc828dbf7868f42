/**
 * The same executor across machines, on BullMQ and Redis. It needs the packages `bullmq`, `ioredis` and `devalue`.
 *
 * @module
 */

export { BullMQExecutor, ClusterExecutor } from "./bullmq_executor.ts";
export type { BullMQCallOptions } from "./bullmq_executor.ts";
export type { ClusterStats } from "./cluster_stats.ts";
export type { RedisConnection } from "./connection.ts";
export { Host } from "./host.ts";
export type { HostParts } from "./host.ts";
export type { BullMQExecutorOptions } from "./options.ts";
export type { HostStats } from "./protocol.ts";
export { serve } from "./serve.ts";
export type { ServeOptions } from "./serve_options.ts";

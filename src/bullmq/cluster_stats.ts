// What a cluster is doing.

import type { Link } from "./link.ts";
import { type HostStats, readHost } from "./protocol.ts";

/** What all hosts and executors of a queue are doing. */
export interface ClusterStats {
  /** The hosts that live. */
  readonly hosts: readonly HostStats[];
  /** Workers of all hosts. */
  readonly workers: number;
  /** Calls that no host has. */
  readonly waiting: number;
  /** Calls that a host has. */
  readonly running: number;
  /** Calls that were done within the last seconds, per second. */
  readonly rate: number;
}

/** Asks Redis. */
export async function readCluster({ queue, redis, keys }: Link): Promise<ClusterStats> {
  const [ids, counts] = await Promise.all([
    redis.smembers(keys.hosts),
    queue.getJobCounts("waiting", "prioritized", "delayed", "active"),
  ]);
  const records = await Promise.all(ids.map(async (id) => readHost(await redis.get(keys.host(id)))));
  const hosts = records.filter((record) => record !== undefined);
  const gone = ids.filter((_, i) => !records[i]);
  // A host that ended in order has taken itself from the list.
  if (gone.length > 0) await redis.srem(keys.hosts, ...gone);
  const { active = 0, ...waiting } = counts;
  return {
    hosts,
    workers: sum(hosts.map(({ workers }) => workers)),
    waiting: sum(Object.values(waiting)),
    running: active,
    rate: sum(hosts.map(({ rate }) => rate)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

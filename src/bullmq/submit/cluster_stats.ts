// What a cluster is doing, for BullMQExecutor.cluster().

import { readHosts } from "../hosts.ts";
import type { HostStats } from "../protocol.ts";
import type { Link } from "./link.ts";

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

/** Reads what the hosts of a queue say, and how many jobs it has. */
export async function readCluster({ queue, redis, keys }: Link): Promise<ClusterStats> {
  const [hosts, counts] = await Promise.all([
    readHosts(redis, keys),
    queue.getJobCounts("waiting", "prioritized", "delayed", "active"),
  ]);
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

// What a cluster is doing.

import type { Redis } from "ioredis";
import { isConnectionError } from "../connection.ts";
import type { Link } from "./link.ts";
import { type HostStats, type Keys, LONGEST_HOST, readHost } from "../protocol.ts";

/** So many hosts are asked for at most. */
const MOST_HOSTS = 1000;

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

/** The hosts that live. */
export async function readHosts(redis: Redis, keys: Keys): Promise<HostStats[]> {
  const ids = await redis.srandmember(keys.hosts, MOST_HOSTS);
  const records = await Promise.all(ids.map(async (id) => {
    try {
      // What is too long is cut off, and then is nothing that a host would say.
      return readHost(await redis.getrange(keys.host(id), 0, LONGEST_HOST - 1));
    } catch (error) {
      if (isConnectionError(error)) throw error;
      return undefined; // it is no text
    }
  }));
  // A host that ended in order has taken itself from the list.
  const gone = ids.filter((_, i) => !records[i]);
  if (gone.length > 0) await redis.srem(keys.hosts, ...gone);
  return records.filter((record) => record !== undefined);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

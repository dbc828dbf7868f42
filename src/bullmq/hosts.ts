// Which hosts serve a queue, as they say in Redis.

import type { Redis } from "ioredis";
import { isConnectionError } from "./connection.ts";
import { type HostStats, type Keys, LONGEST_HOST, readHost } from "./protocol.ts";

/** Maximum number of hosts that are asked for. */
const MOST_HOSTS = 1000;

/**
 * Reads what the live hosts of a queue say about themselves. Removes from the set of hosts those that have expired.
 *
 * @param redis A connection.
 * @param keys The queue's keys.
 */
export async function readHosts(redis: Redis, keys: Keys): Promise<HostStats[]> {
  return [...(await readHostsById(redis, keys)).values()];
}

/** As {@linkcode readHosts}, by the hosts' ids. */
export async function readHostsById(redis: Redis, keys: Keys): Promise<Map<string, HostStats>> {
  const ids = await redis.srandmember(keys.hosts, MOST_HOSTS);
  const records = await Promise.all(ids.map(async (id) => {
    try {
      // A record that is too long arrives cut off, and is malformed then.
      return readHost(await redis.getrange(keys.host(id), 0, LONGEST_HOST - 1));
    } catch (error) {
      if (isConnectionError(error)) throw error;
      return undefined; // the key holds something other than text
    }
  }));
  const gone = ids.filter((_, i) => !records[i]); // a host that closes removes itself
  if (gone.length > 0) await redis.srem(keys.hosts, ...gone);
  return new Map(ids.flatMap((id, i) => records[i] ? [[id, records[i]]] as const : []));
}

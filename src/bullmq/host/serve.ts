// serve(): makes a program a host.

import { Guard } from "../../executor/guard.ts";
import { programName } from "../../runtime.ts";
import { connect, holding, opened } from "../connection.ts";
import { Keys, readStop } from "../protocol.ts";
import { endOfStream, StreamReader } from "../stream_reader.ts";
import { checkModules } from "./check_modules.ts";
import { type Host, QueueHost } from "./host.ts";
import { readServeOptions, type ServeOptions, type ServeSettings } from "./serve_options.ts";

/** How far back the host reads stops, in milliseconds: their jobs may only come now. */
const LATE = 60_000;

/**
 * Makes this program a host: it takes the calls of a queue and runs them in a local executor. It keeps the program alive
 * until it is closed.
 *
 * @param options The queue, the modules of tasks and what runs them.
 * @returns The host, when it takes calls. Close it, or hold it by `await using`: it then finishes or hands back what it has.
 * @throws {TypeError} (rejects) when an option is of the wrong kind.
 * @throws {RangeError} (rejects) when an option is out of range.
 * @throws {Error} (rejects) when a worker runs this and none of its tasks does, see `isWorker`.
 * @throws {Error} (rejects) when a module of tasks fails to load in a worker: a host that cannot run calls takes none.
 * @throws {BrokenExecutor} (rejects) when Redis cannot be reached, or the executor has no workers.
 *
 * @example A host with four processes
 * ```ts ignore
 * import { ProcessPoolExecutor } from "@concurrent/futures";
 * import { serve } from "@concurrent/futures/bullmq";
 *
 * await using executor = new ProcessPoolExecutor({ maxWorkers: 4 });
 * const tasks = { words: new URL("./words.ts", import.meta.url) };
 * await using host = await serve({ queue: "words", tasks, executor });
 * await host.closed;
 * ```
 */
export async function serve(options: ServeOptions): Promise<Host> {
  Guard.here()?.check("serve");
  const id = `${programName()}-${crypto.randomUUID().slice(0, 8)}`;
  return await holding(open(readServeOptions(options, id), id));
}

async function open(settings: ServeSettings, id: string): Promise<Host> {
  const { connection, connectTimeout, prefix, queue } = settings;
  const keys = new Keys(prefix, queue);
  const redis = connect(connection);
  try {
    await opened(redis, connectTimeout);
    await checkModules(settings);
    const [last] = (await endOfStream(redis, keys.stops)).split("-");
    const from = `${Math.max(Number(last) - LATE, 0)}-0`;
    const reader = connect(connection);
    const readStops = (onStop: (id: string) => void) =>
      new StreamReader(reader, keys.stops, from, (fields) => {
        const id = readStop(fields);
        if (id !== undefined) onStop(id);
      }, (error) => settings.notices.error(error));
    const host = new QueueHost({ id, settings, redis, readStops });
    try {
      await host.begin();
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  } catch (error) {
    redis.disconnect();
    if (settings.owned) {
      settings.executor.killWorkers();
      await settings.executor.shutdown();
    }
    throw error;
  }
}

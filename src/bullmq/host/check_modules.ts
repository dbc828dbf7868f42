// Loads the modules of a host in a worker before it serves: a host that takes calls which it cannot run would fail them faster
// than all others do their work, and would so get most of them.

import { isModuleNotLoaded, isTaskNotFound, whyNotLoaded } from "./host_errors.ts";
import type { ServeSettings } from "./serve_options.ts";

/** The name of an export that no module has: a worker that looks for it has to load the module. */
const NO_EXPORT = "what the host looks for";

/**
 * Loads each module in a worker of the local executor.
 *
 * @param settings The host's.
 * @throws {Error} (rejects) when one fails to load.
 * @throws {BrokenExecutor} (rejects) when the executor has no workers.
 */
export async function checkModules({ queue, modules, executor }: ServeSettings): Promise<void> {
  for (const [name, tasks] of modules) {
    await executor.ready();
    try {
      await executor.submit(tasks[NO_EXPORT]!);
    } catch (error) {
      if (isTaskNotFound(error)) continue;
      if (!isModuleNotLoaded(error)) throw error;
      throw new Error(`Cannot serve queue '${queue}' as its tasks '${name}' cannot be run: ${whyNotLoaded(error)}`, {
        cause: error.cause,
      });
    }
  }
}

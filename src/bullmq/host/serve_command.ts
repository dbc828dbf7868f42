#!/usr/bin/env node
/**
 * A host as a program of its own:
 *
 * ```sh
 * deno run -A jsr:@concurrent/futures/bullmq/serve --queue words --tasks ./words.ts --workers 4
 * ```
 *
 * @module
 */

import { main } from "./command.ts";

await main();

// The least that a worker can do with a module of tasks.

import { increment } from "./ours_task.ts";

globalThis.onmessage = ({ data: { id, arg } }) => globalThis.postMessage({ id, result: increment(arg) });

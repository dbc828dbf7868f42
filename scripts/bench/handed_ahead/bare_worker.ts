// A bare worker: answers each message when the task has run.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { block } from "./block.ts";

if (parentPort) {
  const port = parentPort;
  port.on("message", (ms: number) => port.postMessage(block(ms)));
} else process.on("message", (ms: number) => void process.send!(block(ms)));

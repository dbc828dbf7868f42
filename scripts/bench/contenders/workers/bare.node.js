import { parentPort } from "node:worker_threads";
import { answer } from "./bare.js";

const send = (message, transfer) => parentPort.postMessage(message, transfer);
parentPort.on("message", (message) => answer(message, send));

import { answer } from "./bare.js";

const send = (message, transfer) => globalThis.postMessage(message, transfer);
globalThis.onmessage = (event) => answer(event.data, send);

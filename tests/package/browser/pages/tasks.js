// Tasks of the pages, with names: bundlers drop those of functions, and make a file of its own of the page and of its workers.
// Import maps do not apply in workers: a page without a build tool imports by URL.
import { currentTask, task, transfer } from "/futures/src/task/mod.js";

export const square = task(import.meta.url, function square(n) {
  return n * n;
}, { name: "square" });

export const fail = task(import.meta.url, function fail() {
  throw new RangeError("out of range", { cause: new TypeError("the cause") });
}, { name: "fail" });

export const loop = task(import.meta.url, function loop() {
  for (;;);
}, { name: "loop" });

export const close = task(import.meta.url, function close() {
  self.close();
}, { name: "close" });

export const throwLater = task(import.meta.url, function throwLater() {
  setTimeout(() => {
    throw new Error("later");
  });
  return new Promise(() => {});
}, { name: "throwLater" });

export const rejectLater = task(import.meta.url, function rejectLater() {
  Promise.reject(new Error("rejected"));
  return new Promise(() => {});
}, { name: "rejectLater" });

export const invert = task(import.meta.url, function invert(bytes) {
  for (let i = 0; i < bytes.length; i++) bytes[i] = 255 - bytes[i];
  return transfer(bytes, [bytes.buffer]);
}, { name: "invert" });

export const untilAborted = task(import.meta.url, function untilAborted() {
  const { signal } = currentTask();
  if (signal.aborted) return "aborted"; // while this module was loaded
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted")));
}, { name: "untilAborted" });

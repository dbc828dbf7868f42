// Tasks of the pages. Import maps do not apply in workers: a page without a build tool imports by URL.
import { currentTask, task, transfer } from "/futures/src/task/mod.js";

export const square = task(import.meta.url, function square(n) {
  return n * n;
});

export const fail = task(import.meta.url, function fail() {
  throw new RangeError("out of range", { cause: new TypeError("the cause") });
});

export const loop = task(import.meta.url, function loop() {
  for (;;);
});

export const close = task(import.meta.url, function close() {
  self.close();
});

export const throwLater = task(import.meta.url, function throwLater() {
  setTimeout(() => {
    throw new Error("later");
  });
  return new Promise(() => {});
});

export const rejectLater = task(import.meta.url, function rejectLater() {
  Promise.reject(new Error("rejected"));
  return new Promise(() => {});
});

export const invert = task(import.meta.url, function invert(bytes) {
  for (let i = 0; i < bytes.length; i++) bytes[i] = 255 - bytes[i];
  return transfer(bytes, [bytes.buffer]);
});

export const untilAborted = task(import.meta.url, function untilAborted() {
  const { signal } = currentTask();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted")));
});

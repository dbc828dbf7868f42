// The page as a bundler has it: its workers start from a file of its own, which every bundler recognises.
import { cases } from "./cases.js";

globalThis.cases = cases({
  worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
});

import { fileURLToPath } from "node:url";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads"];

export const open: Contender["open"] = async ({ workers }) => {
  const { Piscina } = await load("piscina");
  const filename = fileURLToPath(here("workers/piscina.js"));
  const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers });
  return {
    submit: (task, arg) => pool.run(arg, { name: task }),
    move: (bytes) => pool.run(bytes, { name: "giveBack", transferList: [bytes.buffer] }),
    close: () => pool.destroy(),
  };
};

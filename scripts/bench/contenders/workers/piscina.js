import { move } from "piscina";

export * from "../tasks.js";

export const giveBack = (bytes) => move(bytes);

import process from "node:process";
import { answer } from "./bare.js";

const send = (message) => process.send(message);
process.on("message", (message) => answer(message, send));
process.on("disconnect", () => process.exit());

/* @ts-self-types="./entry.relay.d.ts" */
// What the relay thread runs. JavaScript, so that its name is the same in every package.
import { serveRelay } from "./relay_thread.ts";

serveRelay();

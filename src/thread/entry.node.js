/* @ts-self-types="./entry.node.d.ts" */
// What a thread runs on Node. JavaScript, so that its name is the same in every package.
import { serveThread } from "./serve_thread.ts";
import { beforeEnd, open } from "./open.node.ts";

serveThread(open, beforeEnd);

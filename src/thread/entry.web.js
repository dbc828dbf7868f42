/* @ts-self-types="./entry.web.d.ts" */
// What a thread runs on Deno and Bun. JavaScript, so that its name is the same in every package.
import { serveThread } from "./serve_thread.ts";
import { beforeEnd, open } from "./open.web.ts";

serveThread(open, beforeEnd);

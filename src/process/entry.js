/* @ts-self-types="./entry.d.ts" */
// What a worker process runs. JavaScript, so that its name is the same in every package.
import { serveProcess } from "./serve_process.ts";

serveProcess();

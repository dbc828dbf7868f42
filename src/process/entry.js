/* @ts-self-types="./entry.d.ts" */
// What a worker process runs. JavaScript, so that its name is the same in every package.
import { serve } from "../worker/main.ts";
import { port } from "./port.ts";

serve(port);

/* @ts-self-types="./entry.web.d.ts" */
// What a thread runs on Deno and Bun. JavaScript, so that its name is the same in every package.
import { serve } from "../worker/main.ts";
import { openPort } from "./port.web.ts";

serve(openPort());

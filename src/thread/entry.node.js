/* @ts-self-types="./entry.node.d.ts" */
// What a thread runs on Node. JavaScript, so that its name is the same in every package.
import { serve } from "../worker/main.ts";
import { port } from "./port.node.ts";

serve(port);

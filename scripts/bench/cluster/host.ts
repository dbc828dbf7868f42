// A host: the program that measure.ts starts, on the same runtime, and kills.
//
//   <runtime> host.ts ours|plain|threads <Redis> <queue> <workers>

import process from "node:process";
import { type ContenderName, CONTENDERS } from "./contenders.ts";

const [name, url, queue, workers] = process.argv.slice(2);
await CONTENDERS[name as ContenderName].serveTasks(url!, queue!, Number(workers));
process.stdout.write("ready\n");

import { report } from "./outcomes.ts";

await report();

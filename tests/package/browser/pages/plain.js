// The page without a build tool.
import { cases } from "./cases.js";

globalThis.cases = cases();

// A module that fails while it loads, in the way that its worker is armed for.

import { strikeAsArmed } from "./strike.ts";

await strikeAsArmed();

export function loaded(): string {
  return "loaded";
}

// Fails while it loads, in the way that its worker was armed with.

import { strikeAsArmed } from "./strike.ts";

await strikeAsArmed();

export function loaded(): string {
  return "loaded";
}

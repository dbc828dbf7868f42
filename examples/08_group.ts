// The calls of a group end together: when one fails, the others are stopped, and the group throws what went wrong.

import { ProcessPoolExecutor } from "@concurrent/futures";

await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
const group = executor.group((group) => {
  const endless = group.with({ grace: 0 }).submit(() => new Promise(() => {}));
  endless.addDoneCallback((future) => console.log(`${future}`)); // <Future state=cancelled>
  group.submit((text: string) => JSON.parse(text), "no JSON");
});
console.log(await group.catch((error) => error.name)); // SyntaxError

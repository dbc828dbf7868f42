import * as tasks from "../tasks.js";

/**
 * Runs one call, or one for each item, and answers.
 *
 * @param {{ id: number, task: string, arg?: unknown, items?: unknown[] }} message
 * @param {(answer: unknown, transfer?: Transferable[]) => void} send
 */
export function answer({ id, task, arg, items }, send) {
  if (task === "giveBack") return send({ id, result: arg }, [arg.buffer]);
  const fn = tasks[task];
  send({ id, result: items ? items.map((item) => fn(item)) : fn(arg) });
}

// Prints, a line of JSON each, what this program may do, and what workers of each executor that it makes may:
// permissions.ts <executors, questions and deeds as JSON>

import process from "node:process";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";
import type { Deed, Made, Question, Shown } from "../permission_sets.ts";

const { sets, questions, deeds }: { sets: Made[]; questions: Question[]; deeds: Deed[] } = JSON.parse(process.argv[2]!);

/** Inline: a module could not be loaded without the permission to read it. */
const look = async (questions: Question[], deeds: Deed[]): Promise<Shown> => {
  // deno-lint-ignore no-explicit-any
  const { Deno } = globalThis as any;
  const answers = questions.map((question) => {
    try {
      const { state, partial } = Deno.permissions.querySync(question);
      return partial ? "partial" : state;
    } catch (error) {
      return String(error);
    }
  });
  const done = [];
  for (const [kind, what, port] of deeds) {
    try {
      let result = "";
      if (kind === "read") result = Deno.readTextFileSync(what);
      else if (kind === "env") result = Deno.env.get(what).slice(0, 0); // it is undefined where it is to be ignored
      else if (kind === "run") result = new TextDecoder().decode(new Deno.Command(what).outputSync().stdout);
      else if (kind === "import") result = (await import(what)).default;
      else (await Deno.connect({ hostname: what, port })).close();
      done.push(`${kind === "run" ? "" : what} ${result}`);
    } catch (error) {
      done.push(`refused: ${error}`);
    }
  }
  return { answers, done };
};

const print = (shown: unknown) => process.stdout.write(`${JSON.stringify(shown)}\n`);
print(await look(questions, deeds));
for (const { kind, options } of sets) {
  const Executor = kind === "processes" ? ProcessPoolExecutor : ThreadPoolExecutor;
  try {
    const executor = new Executor({ maxWorkers: 1, ...options } as object);
    const future = executor.submit(look, questions, deeds);
    await future.then(print, (error) => print({ broken: `${error}: ${(error as Error).cause}` }));
    await executor.shutdown();
  } catch (error) {
    print({ refused: String(error) });
  }
}

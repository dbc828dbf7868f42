// The same in CommonJS.

const { writeFileSync } = require("node:fs");
const { pathToFileURL } = require("node:url");
const { isWorker, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } = require("@concurrent/futures");
const { task } = require("@concurrent/futures/task");

exports.countWords = task(__filename, function countWords(text) {
  return text.split(/\s+/).length;
});

const prices = taskModule(new URL("./prices.js", pathToFileURL(__filename)));

async function outcome(result, expected) {
  try {
    const actual = await result;
    return actual === expected ? { works: true } : { works: false, error: `The result is ${actual}` };
  } catch (error) {
    return { works: false, error: String(error) };
  }
}

async function report() {
  const outcomes = {};
  for (const [name, Executor] of [["threads", ThreadPoolExecutor], ["processes", ProcessPoolExecutor]]) {
    const executor = new Executor({ maxWorkers: 1 });
    outcomes[name] = {
      inline: await outcome(executor.submit((n) => n * 2, 21), 42),
      task: await outcome(executor.submit(exports.countWords, "one two three"), 3),
      taskModule: await outcome(executor.submit(prices.total, [1, 2, 3]), 6),
    };
    await executor.shutdown();
  }
  writeFileSync("outcomes.json", JSON.stringify(outcomes));
}

if (!isWorker) report();

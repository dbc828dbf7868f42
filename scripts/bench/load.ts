// Other work beside what is measured.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/** Measures while another program keeps one core busy. */
export function besideWork<T>(measure: () => Promise<T>): Promise<T> {
  return beside(spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" }), measure);
}

/** Whether this is the other one of two programs. */
export const isSecond = process.env["FUTURES_BENCH_SECOND"] !== undefined;

/** Measures while a second program does the same, see {@linkcode isSecond}. */
export async function besideSecond<T>(measure: () => Promise<T>): Promise<T> {
  const [program, ...args] = process.argv.slice(1);
  const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : process.execArgv;
  const second = spawn(process.execPath, [...flags, program!, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, FUTURES_BENCH_SECOND: "1" },
  });
  await new Promise((resolve, reject) => {
    second.stdout!.once("data", resolve); // it has warmed up
    second.once("exit", () => reject(new Error("The second program has ended too early")));
  });
  return await beside(second, measure);
}

async function beside<T>(other: ChildProcess, measure: () => Promise<T>): Promise<T> {
  try {
    return await measure();
  } finally {
    other.kill("SIGKILL");
  }
}

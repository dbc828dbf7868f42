// A module that knows nothing of tasks: for taskModule().

let calls = 0;

export function countCalls(): number {
  return ++calls;
}

export async function reverse(text: string): Promise<string> {
  await Promise.resolve();
  return [...text].reverse().join("");
}

export const notCallable = 42;

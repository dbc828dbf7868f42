// The pipe that is the channel between a program and a worker process on Node. While a task does not come to an `await`, nothing
// leaves that the pipe has no room for: some 300 small messages (Node 20, 24), then the memory of the worker grows. A pipe
// that blocks holds the task until the program has read. Deno and Bun show nothing of theirs.

/** Internals of a channel (Node 20, 24). */
interface Pipe {
  /** Whether a write waits for room. */
  setBlocking?(blocks: boolean): void;
  readStart?(): void;
  readStop?(): void;
}

/**
 * Finds how to do something with the channel so that it waits for the program.
 *
 * @param process The worker's process.
 * @returns Does something; without such a pipe, it does not wait.
 */
export function waitsForProgram(process: object): (send: () => void) => void {
  const pipe = inside<Pipe>(process, "kChannelHandle");
  if (typeof pipe?.setBlocking !== "function") return (send) => send();
  const { setBlocking } = pipe;
  return (send) => {
    setBlocking.call(pipe, true);
    try {
      send();
    } finally {
      setBlocking.call(pipe, false); // reads and other messages never block
    }
  };
}

/** Makes a function that sets whether the program reads what a worker sends. */
export function readsFrom(child: object): (reads: boolean) => void {
  let wasReading = true;
  return (reads) => {
    if (reads === wasReading) return;
    wasReading = reads;
    const pipe = inside<Pipe>(child, "kChannelHandle"); // gone when the line is closed
    if (reads) pipe?.readStart?.();
    else pipe?.readStop?.();
  };
}

/** An internal property of an object of Node. */
export function inside<T>(object: object, name: string): T | undefined {
  const symbol = Object.getOwnPropertySymbols(object).find(({ description }) => description === name);
  return symbol && (object as Record<symbol, T>)[symbol];
}

// What code does besides returning: its reports on the console, its timers and its listeners.

/** What is written to `console.error` while `fn` runs: the arguments of each call. `fn` gets those so far. */
export async function reportsOf(fn: (reports: readonly unknown[][]) => unknown): Promise<unknown[][]> {
  const reports: unknown[][] = [];
  const { error } = console;
  Object.assign(console, { error: (...args: unknown[]) => void reports.push(args) });
  try {
    await fn(reports);
  } finally {
    Object.assign(console, { error });
  }
  return reports;
}

/** Timers that were started while `fn` ran, and how many of them are neither cleared nor fired after it. */
export async function timersOf(fn: () => unknown): Promise<{ delays: number[]; left: number }> {
  const delays: number[] = [];
  const live = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  Object.assign(globalThis, {
    setTimeout(callback: () => void, delay: number) {
      const id = setTimeout(() => {
        live.delete(id);
        callback();
      }, delay);
      live.add(id);
      delays.push(delay);
      return id;
    },
    clearTimeout(id: ReturnType<typeof setTimeout>) {
      live.delete(id);
      clearTimeout(id);
    },
  });
  try {
    await fn();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
  return { delays, left: live.size };
}

/** Counts the listeners that a signal has from now on. */
export function listenersOf(signal: AbortSignal): { readonly count: number } {
  const { addEventListener, removeEventListener } = signal;
  let count = 0;
  Object.assign(signal, {
    addEventListener(...args: Parameters<AbortSignal["addEventListener"]>) {
      count++;
      addEventListener.apply(signal, args);
    },
    removeEventListener(...args: Parameters<AbortSignal["removeEventListener"]>) {
      count--;
      removeEventListener.apply(signal, args);
    },
  });
  return {
    get count() {
      return count;
    },
  };
}

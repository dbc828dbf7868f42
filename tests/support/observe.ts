// Records what code does besides returning: its reports on the console, its timers and its listeners.

/** Resolves to the arguments of each call of `console.error` while `fn` runs. `fn` gets those so far. */
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

/** Resolves to the delays of timers that `fn` started, and how many of them were neither cleared nor have fired. */
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

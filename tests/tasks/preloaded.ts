// For `execArgv`: loaded before the worker's entry.

Object.assign(globalThis, { preloaded: true });

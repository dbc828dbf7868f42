// The turns of the event loop.

declare const setImmediate: ((fn: () => void) => unknown) | undefined;

/** The next turn in a browser: a message to itself, as timers wait for 4 ms there, and longer when nobody looks at the page. */
class Messages {
  readonly #waiting: (() => void)[] = [];
  #post: (() => void) | undefined;

  add(fn: () => void): void {
    this.#waiting.push(fn);
    this.#post ??= this.#open();
    this.#post();
  }

  #open(): () => void {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => this.#waiting.shift()!();
    return () => port2.postMessage(undefined);
  }
}

const messages = new Messages();

/** Calls `fn` in the next turn of the event loop, after the messages and events that are there. */
export function nextTurn(fn: () => void): void {
  if (typeof setImmediate === "function") setImmediate(fn);
  else messages.add(fn);
}

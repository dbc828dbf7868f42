// An input of map() that notes when it is read or closed otherwise than a loop would: one next() at a time and none after the
// end, return() once at most, never in the middle of next(), and never after it has ended or thrown by itself.

/** How an async input gives its items: at once, after some microtasks, or when {@linkcode TrackedInput.give} is called. */
export type Pace = "ready" | "hops" | "slow";

/** What an input is like. */
export interface InputOptions {
  /** Async, at this pace; sync without. */
  readonly pace?: Pace | undefined;
  /** The place of the item in whose stead it throws. */
  readonly failsAt?: number | undefined;
  /** Whether its return() throws. */
  readonly closeThrows?: boolean;
  /** Called within each next(), with its place. */
  readonly onNext?: (place: number) => void;
  /** Called within return(). */
  readonly onReturn?: () => void;
}

/** What a failing input throws. */
export const INPUT_ERROR = new Error("input");

const CLOSE_ERROR = new Error("return()");

/** One input; an iterable of one of the two kinds, and its own iterator. */
export class TrackedInput<T> {
  state: "unopened" | "open" | "ended" | "failed" | "closed" = "unopened";
  /** Items that it has given. */
  given = 0;
  /** Calls of return(). */
  closings = 0;
  /** What was done to it that no loop does. */
  readonly violations: string[] = [];
  readonly #values: Iterator<T>;
  readonly #options: InputOptions;
  #within = false;
  #asked = false;
  #place = 0;
  #pending: (() => void) | undefined;

  constructor(values: Iterable<T>, options: InputOptions = {}) {
    this.#values = values[Symbol.iterator]();
    this.#options = options;
    Object.assign(this, { [options.pace ? Symbol.asyncIterator : Symbol.iterator]: () => this.#open() });
  }

  /** Itself, as map() takes it. */
  get iterable(): Iterable<T> | AsyncIterable<T> {
    return this as unknown as Iterable<T>;
  }

  /** Whether it waits for {@linkcode TrackedInput.give}. */
  get waits(): boolean {
    return this.#pending !== undefined;
  }

  /** A slow input gives what it was asked for; false when it was not. */
  give(): boolean {
    const give = this.#pending;
    this.#pending = undefined;
    give?.();
    return give !== undefined;
  }

  next(): IteratorResult<T> | Promise<IteratorResult<T>> {
    this.#mind(!this.#asked, "it is asked for two items at a time");
    this.#mind(this.state === "open", `it is read when it is ${this.state}`);
    const { pace, onNext } = this.#options;
    this.#asked = this.#within = true;
    try {
      onNext?.(this.#place++);
      if (!pace) return this.#seen(this.#settle());
    } finally {
      this.#within = false;
    }
    const asked = pace === "slow"
      ? new Promise<void>((give) => this.#pending = give)
      : microtasks(pace === "hops" ? 5 : 0);
    const result = asked.then(() => this.#settle());
    // Before whoever has asked can see it, and after that cannot but know.
    result.then((result) => this.#seen(result), () => this.#seen());
    return result;
  }

  return(): IteratorResult<T> | Promise<IteratorResult<T>> {
    this.#mind(!this.#within, "it is closed within its own next()");
    this.#mind(this.state === "open", `it is closed when it is ${this.state}`);
    this.state = "closed";
    this.closings++;
    this.#options.onReturn?.();
    const { pace, closeThrows } = this.#options;
    if (closeThrows && !pace) throw CLOSE_ERROR;
    const result = { value: undefined, done: true } as const;
    if (!pace) return result;
    return closeThrows ? Promise.reject(CLOSE_ERROR) : Promise.resolve(result);
  }

  #mind(holds: boolean, violation: string): void {
    if (!holds) this.violations.push(violation);
  }

  #open(): this {
    this.#mind(this.state === "unopened", "it is opened twice");
    this.state = "open";
    return this;
  }

  /** What the last next() has come to. One that was closed meanwhile still gives what it was asked for, as many do. */
  #settle(): IteratorResult<T> {
    const result = this.#values.next();
    if (result.done) return result;
    if (this.given === this.#options.failsAt) {
      if (!this.#options.pace) this.#seen();
      throw INPUT_ERROR;
    }
    this.given++;
    return result;
  }

  /** What next() has come to is seen; an error when there is nothing. */
  #seen(result?: IteratorResult<T>): IteratorResult<T> {
    this.#asked = false;
    if (this.state === "open" && !result) this.state = "failed";
    else if (this.state === "open" && result!.done) this.state = "ended";
    return result!;
  }
}

async function microtasks(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await null;
}

// An input of map() that notes when it is used otherwise than by a loop. A loop calls one next() at a time and none after
// the end; return() once at most, never inside next(), and never after the input has ended or thrown by itself.

/** How an async input gives its items: at once, after some microtasks, or when {@linkcode TrackedInput.give} is called. */
export type Pace = "ready" | "hops" | "slow";

/** Options of an input. */
export interface InputOptions {
  /** The pace of an async input. A sync input has none. */
  readonly pace?: Pace | undefined;
  /** The place of the item that it throws instead of. */
  readonly failsAt?: number | undefined;
  /** Whether its return() throws. */
  readonly closeThrows?: boolean;
  /** Called within each next(), with its place. */
  readonly onNext?: (place: number) => void;
  /** Called within return(). */
  readonly onReturn?: () => void;
}

/** The error of an input that fails. */
export const INPUT_ERROR = new Error("input");

const CLOSE_ERROR = new Error("return()");

/** One input: a sync or async iterable, and its own iterator. */
export class TrackedInput<T> {
  state: "unopened" | "open" | "ended" | "failed" | "closed" = "unopened";
  /** How many items it has given. */
  given = 0;
  /** How often return() was called. */
  closings = 0;
  /** What was done to it that a loop does not do. */
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

  /** Gives the item that a slow input was asked for. Returns false when it was asked for none. */
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
    // Noted before the caller of next() can see the result.
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

  /** The result of a next(). An input that was closed meanwhile still gives its item, as many do. */
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

  /** Notes that the result of a next() is seen: an error when it is absent. */
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

// The values of a stream that have come and were not taken, and how many more may come.
//
//   taken      value value value      due
//   --------|--------------------|----------------|
//           the buffer            its worker may yield so many
//
// The buffer, what is due, and what was taken and not announced are `buffersize` values together: a worker never yields more
// than that ahead of the reader.

/** What {@linkcode StreamBuffer.take} returns while there is no value. */
export const NOTHING = Symbol("nothing");

/** The buffer of one stream. */
export class StreamBuffer {
  /** How many more values may come. */
  #due: number;
  /** How many were taken since the worker was told. */
  #taken = 0;
  /** How many are taken before it is told: a message for each would cost more than the value. */
  readonly #portion: number;
  /** Batches as they have come, the oldest first, and where in that one the next value is. */
  readonly #batches: (readonly unknown[])[] = [];
  #at = 0;

  constructor(buffersize: number) {
    this.#due = buffersize;
    this.#portion = Math.ceil(buffersize / 2);
  }

  /** Adds values that have come; false when they are more than may come. */
  add(values: readonly unknown[]): boolean {
    if (values.length > this.#due || values.length === 0) return false;
    this.#due -= values.length;
    this.#batches.push(values);
    return true;
  }

  /** Takes the next value; {@linkcode NOTHING} while there is none. */
  take(): unknown {
    const [batch] = this.#batches;
    if (batch === undefined) return NOTHING;
    const value = batch[this.#at++];
    this.#taken++;
    if (this.#at === batch.length) {
      this.#batches.shift();
      this.#at = 0;
    }
    return value;
  }

  /** Whether no value is there. */
  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Whether it is worth a message that the worker may yield more than it knows. */
  get isWorthTelling(): boolean {
    return this.#taken >= this.#portion;
  }

  /** How many more the worker may yield than it knows; they are due then. */
  announce(): number {
    const count = this.#taken;
    this.#taken = 0;
    this.#due += count;
    return count;
  }

  /** Whether no more may come, until some are taken. */
  get isFull(): boolean {
    return this.#due === 0;
  }

  /** Drops the values. */
  clear(): void {
    this.#batches.length = this.#at = 0;
  }
}

// A ring of shared memory: one side writes messages of plain values into it, the other reads them.
//
// Positions are in units of eight bytes and only grow; they wrap at 2^32. An entry is there as soon as the writer has stored its
// new tail, by one atomic write: nobody sees half of one, whenever the writer dies. The other side can write anything
// anywhere, at any time: whatever is read here is read once, and checked.

/** No entry: the rest of the ring is empty. */
const SKIP = 0;

/** The shape of a message. Those from DONE on have two numbers before their values. */
export const CALLS = 1, ANSWERS = 2, DONE = 3, YIELDS = 4, PULL = 5, MORE = 6, ITEMS = 7;

/** Units of a ring; a power of two. */
export const RING_UNITS = 8192;
const UNITS = RING_UNITS;

/** Where the two positions are, in words: on cache lines of their own, as each side writes one of them. */
const HEAD_AT = 0, TAIL_AT = 16;

/** Bytes before the units. */
const FRONT = 128;

/** Bytes of a ring. */
export const RING_BYTES = FRONT + UNITS * 8;

/** Units before the values of an entry: its size and the posts before it; its shape and the number of its values. */
const HEAD = 2;

/** Units of an entry at most, so that there is room for more than one. */
const LARGEST = UNITS / 2;

/** Longer texts cross by structured clone, which copies them faster. */
const LONGEST_TEXT = 1024;

const INTEGER = 1, NUMBER = 2, LATIN = 3, WIDE = 4, TRUE = 5, FALSE = 6, UNDEFINED = 7, NULL = 8, BIGINT = 9;

// Taken before a task can replace them.
const { load, store } = Atomics;
const { fromCharCode } = String;
const { asIntN } = BigInt;
const apply = Function.prototype.call.bind(Function.prototype.apply) as (
  fn: typeof fromCharCode,
  self: undefined,
  units: ArrayLike<number>,
) => string;

/** The views of the memory of one ring. */
class Views {
  readonly positions: Int32Array;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly bigints: BigInt64Array;
  readonly wide: Uint16Array;
  readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer, offset: number) {
    this.positions = new Int32Array(memory, offset, FRONT / 4);
    offset += FRONT;
    this.words = new Int32Array(memory, offset, UNITS * 2);
    this.numbers = new Float64Array(memory, offset, UNITS);
    this.bigints = new BigInt64Array(memory, offset, UNITS);
    this.wide = new Uint16Array(memory, offset, UNITS * 4);
    this.bytes = new Uint8Array(memory, offset, UNITS * 8);
  }
}

/** The side that writes. */
export class RingWriter {
  readonly #views: Views;
  /** Where the next entry begins. */
  #tail = 0;

  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#views = new Views(memory, offset);
  }

  /**
   * Writes an entry.
   *
   * @param shape What the values are.
   * @param posts The number of messages that were posted before it.
   * @param values The values.
   * @param first Two more numbers, written before the others: those of shapes which have them.
   * @returns Whether it was written. If not, a value is not plain, or there is no room, and nothing has happened.
   */
  write(shape: number, posts: number, values: readonly unknown[], first?: number, second?: number): boolean {
    const used = (this.#tail - load(this.#views.positions, HEAD_AT)) >>> 0;
    if (used > UNITS) return false; // not a position
    const free = UNITS - used, at = this.#tail & (UNITS - 1), toEnd = UNITS - at;
    const end = this.#encode(at, Math.min(free, toEnd, LARGEST), shape, posts, values, first, second);
    if (end > 0) {
      this.#publish(end - at);
      return true;
    }
    // It may fit at the start of the ring; it does not when a value is not plain.
    if (end < 0 || toEnd > LARGEST || free <= toEnd) return false;
    const wrapped = this.#encode(0, Math.min(free - toEnd, LARGEST), shape, posts, values, first, second);
    if (wrapped <= 0) return false;
    this.#views.words[at * 2] = toEnd;
    this.#views.words[at * 2 + 1] = posts;
    // The last unit of the ring has no room for a shape: an entry of one unit is none.
    if (toEnd > 1) this.#views.words[at * 2 + 2] = SKIP;
    this.#publish(toEnd + wrapped);
    return true;
  }

  #publish(units: number): void {
    this.#tail = (this.#tail + units) | 0;
    store(this.#views.positions, TAIL_AT, this.#tail);
  }

  /** Writes an entry at a unit; returns the unit after it, 0 when there is no room, -1 when a value is not plain. */
  #encode(
    start: number,
    room: number,
    shape: number,
    posts: number,
    values: readonly unknown[],
    first: number | undefined,
    second: number | undefined,
  ): number {
    const { words, numbers } = this.#views;
    const end = start + room, count = values.length;
    let at = start + HEAD;
    if (first !== undefined) {
      if (at + 2 > end) return 0;
      numbers[at++] = first;
      numbers[at++] = second!;
    }
    if (at + count > end) return 0; // each value takes a unit or more
    for (let i = 0; i < count; i++) {
      const value = values[i];
      if (at >= end) return 0;
      if (typeof value === "number") {
        if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
          words[at * 2] = INTEGER;
          words[at * 2 + 1] = value;
          at++;
        } else {
          if (at + 2 > end) return 0;
          words[at * 2] = NUMBER;
          numbers[at + 1] = value;
          at += 2;
        }
      } else if (typeof value === "string") {
        at = this.#encodeText(at, end, value);
        if (at <= 0) return at;
      } else if (value === undefined) words[at++ * 2] = UNDEFINED;
      else if (value === null) words[at++ * 2] = NULL;
      else if (value === true) words[at++ * 2] = TRUE;
      else if (value === false) words[at++ * 2] = FALSE;
      else if (typeof value === "bigint") {
        if (asIntN(64, value) !== value) return -1;
        if (at + 2 > end) return 0;
        words[at * 2] = BIGINT;
        this.#views.bigints[at + 1] = value;
        at += 2;
      } else return -1;
    }
    words[start * 2] = at - start;
    words[start * 2 + 1] = posts;
    words[start * 2 + 2] = shape;
    words[start * 2 + 3] = count;
    return at;
  }

  #encodeText(at: number, end: number, text: string): number {
    const { length } = text;
    if (length > LONGEST_TEXT) return -1;
    const { words, bytes, wide } = this.#views;
    if (at + 1 + ((length + 7) >> 3) > end) return 0;
    const start = (at + 1) * 8;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 255) return encodeWide();
      bytes[start + i] = unit;
    }
    words[at * 2] = LATIN;
    words[at * 2 + 1] = length;
    return at + 1 + ((length + 7) >> 3);

    function encodeWide(): number {
      if (at + 1 + ((length + 3) >> 2) > end) return 0;
      for (let i = 0, unit = (at + 1) * 4; i < length; i++) wide[unit++] = text.charCodeAt(i);
      words[at * 2] = WIDE;
      words[at * 2 + 1] = length;
      return at + 1 + ((length + 3) >> 2);
    }
  }
}

/** What is in a ring is no entry. */
export class RingError extends Error {}

/** The side that reads. */
export class RingReader {
  /** The shape of the entry that was read, and the two numbers before its values. */
  shape = SKIP;
  first = 0;
  second = 0;
  readonly #views: Views;
  #head = 0;

  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#views = new Views(memory, offset);
  }

  /** Whether there is nothing to read. */
  get isEmpty(): boolean {
    return load(this.#views.positions, TAIL_AT) === this.#head;
  }

  /** The number of posts before the next entry. There must be one. */
  get posts(): number {
    return this.#views.words[(this.#head & (UNITS - 1)) * 2 + 1]!;
  }

  /**
   * Reads the next entry. There must be one.
   *
   * @returns Its values; {@linkcode shape} says what they are.
   * @throws {RingError} when it is no entry.
   */
  read(): unknown[] {
    let values = this.#readEntry();
    values ??= this.#readEntry(); // what follows an empty one was published with it
    if (!values) throw new RingError("no values");
    return values;
  }

  #readEntry(): unknown[] | undefined {
    const { words, numbers, positions } = this.#views;
    const start = this.#head & (UNITS - 1);
    const available = (load(positions, TAIL_AT) - this.#head) >>> 0;
    const size = words[start * 2]!;
    if (available > UNITS || size < 1 || size > available || start + size > UNITS) throw new RingError("no entry");
    const end = start + size;
    const shape = this.shape = size < HEAD ? SKIP : words[start * 2 + 2]!;
    let values: unknown[] | undefined;
    if (shape !== SKIP) {
      let at = start + HEAD;
      if (shape < CALLS || shape > ITEMS) throw new RingError("no shape");
      if (shape >= DONE) {
        if (at + 2 > end) throw new RingError("no numbers");
        this.first = numbers[at++]!;
        this.second = numbers[at++]!;
      }
      values = this.#decode(at, end, words[start * 2 + 3]!);
    }
    this.#head = (this.#head + size) | 0;
    store(positions, HEAD_AT, this.#head);
    return values;
  }

  #decode(at: number, end: number, count: number): unknown[] {
    const { words, numbers } = this.#views;
    if (count < 0 || count > end - at) throw new RingError("no count");
    const values: unknown[] = [];
    for (let i = 0; i < count; i++) {
      // Nothing is read behind the entry: a view ends there, or the next entry begins.
      if (at >= end) throw new RingError("no value");
      const tag = words[at * 2]!;
      if (tag === INTEGER) values.push(words[at++ * 2 + 1]!);
      else if (tag === LATIN || tag === WIDE) {
        const length = words[at * 2 + 1]!;
        const units = tag === LATIN ? (length + 7) >> 3 : (length + 3) >> 2;
        if (length < 0 || length > LONGEST_TEXT || at + 1 + units > end) throw new RingError("no text");
        values.push(this.#decodeText(tag, at + 1, length));
        at += 1 + units;
      } else if (tag === UNDEFINED) at = values.push(undefined) && at + 1;
      else if (tag === NULL) at = values.push(null) && at + 1;
      else if (tag === TRUE) at = values.push(true) && at + 1;
      else if (tag === FALSE) at = values.push(false) && at + 1;
      else if (tag === NUMBER || tag === BIGINT) {
        if (at + 2 > end) throw new RingError("no number");
        values.push(tag === NUMBER ? numbers[at + 1]! : this.#views.bigints[at + 1]!);
        at += 2;
      } else throw new RingError("no tag");
    }
    return values;
  }

  #decodeText(tag: number, at: number, length: number): string {
    const { bytes, wide } = this.#views;
    if (tag === LATIN) return apply(fromCharCode, undefined, bytes.subarray(at * 8, at * 8 + length));
    return apply(fromCharCode, undefined, wide.subarray(at * 4, at * 4 + length));
  }
}

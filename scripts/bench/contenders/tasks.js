// What every contender is asked to run. Each function stands for itself, so that it can also be sent by its source.

/** @param {number} n */
export function increment(n) {
  return n + 1;
}

/** @param {number} count */
export function* countTo(count) {
  for (let n = 0; n < count; n++) yield n;
}

/** @param {Uint8Array} bytes */
export function echo(bytes) {
  return bytes;
}

/**
 * Keeps a core busy: always the same work for the same number, however long that takes.
 *
 * @param {number} rounds
 */
export function work(rounds) {
  let x = 1;
  for (let i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/**
 * The same by another name: another task for whoever learns how long one takes.
 *
 * @param {number} rounds
 */
export function brief(rounds) {
  let x = 1;
  for (let i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/**
 * Calls so many new functions of ten lines, each for the first time, which is when an engine compiles it.
 *
 * @param {number} count
 * @returns {number} How long that took, in milliseconds.
 */
export function firstCalls(count) {
  const source = Array.from({ length: count }, (_, i) =>
    `(rows, limit) => {
      const kept${i} = [];
      let sum = ${i}, last;
      for (let at = 0; at < rows.length; at++) {
        const row = rows[at];
        if (row === undefined || row.size > limit) continue;
        last = { at, row, sum: sum += row.size };
        kept${i}.push(last);
      }
      return sum > limit ? undefined : { last, kept: kept${i}, full: kept${i}.length === rows.length };
    }`);
  const functions = (0, eval)(`[${source}]`);
  const rows = [{ size: 1 }, undefined, { size: 5 }];
  const start = performance.now();
  for (const fn of functions) fn(rows, 3);
  return performance.now() - start;
}

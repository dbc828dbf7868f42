// What every contender is asked to run. Each function stands for itself, so that it can also be sent by its source.

/** @param {number} n */
export function increment(n) {
  return n + 1;
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

// What calls get and give, each its own.

/** The result of a call: no other call of the run has it. */
export function answerTo(id: number): number {
  return (Math.imul(id, 2654435761) >>> 0) + 0.5;
}

/** The answer in the result of a call: the result itself, or with what became of its payload. */
export function answerOf(result: unknown): number | undefined {
  return typeof result === "number" ? result : (result as { answer: number } | undefined)?.answer;
}

/** The payload of a call. */
export function payloadOf(id: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(id & 0xff);
  for (let i = 0; i < Math.min(size, 4); i++) bytes[i] = id >>> (8 * i);
  return bytes;
}

/** What a task makes of its payload. */
export function invert(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xff);
}

/** Whether these are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

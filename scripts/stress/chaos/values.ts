// What calls get, give and report, each its own.

import type { ReportsPlan } from "./heard.ts";

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

/** What an attempt of a call reports as its `n`th, from 0 on: no other report of the run is the same. */
export function reportOf(id: number, attempt: number, n: number, { kind, size }: ReportsPlan): unknown {
  if (kind === "text") return `${id} ${attempt} ${n} ${"-".repeat(size)}`;
  return { id, attempt, n, ...(kind === "bytes" && { size, bytes: payloadOf(n, size) }) };
}

/** What a report says; `undefined` when it is none. */
export function readReport(value: unknown): { id: number; attempt: number; n: number } | undefined {
  if (typeof value === "string") {
    const numbers = /^(\d+) (\d+) (\d+) -*$/.exec(value)?.slice(1).map(Number);
    return numbers && { id: numbers[0]!, attempt: numbers[1]!, n: numbers[2]! };
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { id, attempt, n, size, bytes } = value as Record<string, number> & { bytes?: Uint8Array };
  if (bytes && !sameBytes(bytes, payloadOf(n!, size!))) return undefined;
  return { id: id!, attempt: attempt!, n: n! };
}

/** What a task makes of its payload. */
export function invert(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xff);
}

/** Whether these are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

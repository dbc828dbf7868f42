// What tests/bullmq_round_trip_test.ts has hosts run.

export function add(a: number, b: number): number {
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export function fail(message: string): never {
  throw Object.assign(new RangeError(message), { code: 7 });
}

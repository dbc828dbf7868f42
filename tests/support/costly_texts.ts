// Short texts that would cost a host or an executor hours, or all memory, to decode if it trusted them.

const SPARSE = "[-7,4294967295]";

/** An array that repeats one number, and the entry that this number names. */
function times(count: number, name: number, ...entries: string[]): string {
  return `[[${Array(count).fill(name).join()}],${entries.join()}]`;
}

/** Each entry holds the next one twice. */
function doubled(entries: number, entry: (next: number) => string, first = 0): string[] {
  return Array.from({ length: entries }, (_, n) => entry(first + n + 1));
}

/** Many errors that share one long list. */
function sharedMembers(errors: number, members: number): string {
  const first = 5 + members;
  const records = Array.from({ length: errors }, (_, n) => [
    `["Error",${first + 2 * n + 1}]`,
    `{"kind":2,"classes":3,"name":4,"message":4,"stack":-1,"properties":3,"nested":3,"errors":1}`,
  ]);
  return `[[${records.map((_, n) => first + 2 * n)}],[${
    Array.from({ length: members }, (_, n) => 5 + n)
  }],"error",[],"x",` +
    `${Array(members).fill('{"kind":2,"value":-1}')},${records.flat()}]`;
}

/** The texts, by what they try. */
export const COSTLY: Readonly<Record<string, string>> = {
  "a sparse array": `[${SPARSE}]`,
  "a sparse array as an argument": `[[1],${SPARSE}]`,
  "an error with as many members": `[[1],["Error",2],{"kind":3,"errors":6},"error",[],"x",${SPARSE}]`,
  "an error with as many classes": `[[1],["Error",2],{"kind":3,"classes":6},"error",[],"x",${SPARSE}]`,
  "an error whose name is 27 nested arrays":
    `[[1],["Error",2],{"kind":3,"classes":4,"name":5,"message":5,"properties":4,"nested":33},"error",[],` +
    `${doubled(27, (next) => `[${next},${next}]`, 5)},"x",[]]`,
  "a bigint of very many digits": `[[1],["BigInt","${"9".repeat(1_500_000)}"]]`,
  "a bigint that is made of nested arrays": `[[1],["BigInt",${"[".repeat(5000)}1${"]".repeat(5000)}]]`,
  "a long text very often": times(50_000, 1, `"${"x".repeat(100_000)}"`),
  "a long bigint very often": times(50_000, 1, `["BigInt","${"9".repeat(50_000)}"]`),
  "very many views of one buffer":
    `[[${Array.from({ length: 20_000 }, (_, n) => n + 2)}],["ArrayBuffer","${"A".repeat(400_000)}"],` +
    `${Array(20_000).fill('["Uint8Array",1]')}]`,
  "boxes of one long text": `[[${Array.from({ length: 20_000 }, (_, n) => n + 2)}],"${"x".repeat(100_000)}",${
    Array(20_000).fill('["Object",1]')
  }]`,
  "arrays in arrays, very deep": `[${doubled(100_000, (next) => `[${next}]`)},1]`,
  "the same as Maps": `[${doubled(50_000, (next) => `["Map",-1,${next}]`)},1]`,
  "errors that share their members": sharedMembers(5000, 20_000),
  "errors that share their classes": sharedMembers(5000, 20_000).replaceAll('"classes":3', '"classes":1')
    .replaceAll('"errors":1', '"errors":-1'),
  "one error very often":
    `[[${Array.from({ length: 20_000 }, (_, n) => n + 6)}],{"kind":2,"classes":3,"name":4,"message":4,` +
    `"stack":-1,"properties":3,"nested":3,"errors":5},"error",[],"x",[${Array(20_000).fill(1)}],` +
    `${Array(20_000).fill('["Error",1]')}]`,
  "a regular expression with very many named groups": `[[1],["RegExp","${
    Array.from({ length: 40_000 }, (_, n) => `(?<a${n}>x)`).join("")
  }"]]`,
  "regular expressions with many properties": `[[${Array.from({ length: 200 }, (_, n) => n + 1)}],` +
    `${Array(200).fill(`["RegExp","${"\\\\p{RGI_Emoji}".repeat(500)}","v"]`)}]`,
};

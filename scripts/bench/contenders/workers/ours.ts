import { transfer } from "../../../../mod.ts";

export function giveBack(bytes: Uint8Array): Uint8Array {
  return transfer(bytes, [bytes.buffer as ArrayBuffer]);
}

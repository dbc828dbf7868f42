import { transfer } from "@concurrent/futures";

export function giveBack(bytes) {
  return transfer(bytes, [bytes.buffer]);
}

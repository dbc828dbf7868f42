// A page in this program: the bytes that both ends of the claims of a process share.

import { type OwnPage, PAGE_SIZE } from "../../src/wire/page_claims.ts";

/** The bytes of a page, to which both ends come at once. */
export class MemoryPage implements OwnPage {
  readonly shared = 4;
  readonly bytes: Uint8Array = new Uint8Array(PAGE_SIZE);
  /** How often it was closed. */
  closed = 0;

  read(at: number, bytes: Uint8Array, start: number, count: number): void {
    bytes.set(this.bytes.subarray(at + start, at + start + count), start);
  }

  write(at: number, bytes: Uint8Array, start: number, count: number): void {
    this.bytes.set(bytes.subarray(start, start + count), at + start);
  }

  close(): void {
    this.closed++;
  }
}

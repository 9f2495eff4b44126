import { skipReasonOf } from "../manifest/folder-lister.ts";
import type { SkipReason } from "../manifest/manifest.ts";
import type { FileStat } from "../platform/contract.ts";

/** Where an entry's bytes come from: fills `into`, 0 at the end. */
export type Read = (into: Uint8Array) => number;

/** Fills `buffer` from `read`; bytes read. */
export function readFully(read: Read, buffer: Uint8Array): number {
  let total = 0;
  while (total < buffer.byteLength) {
    const count = read(buffer.subarray(total));
    if (count === 0) break;
    total += count;
  }
  return total;
}

/** All of a file that should be `size` bytes, and no more than the buffer takes. */
export function fill(buffer: Uint8Array, read: Read, size: number): number | SkipReason {
  try {
    let total = read(buffer);
    // Only a short read is followed by another one.
    while (total < size) {
      const count = read(buffer.subarray(total));
      if (count === 0) break;
      total += count;
    }
    return total;
  } catch (error) {
    return skipReasonOf(error);
  }
}

/** Both stats are of one open file, so its identity needs no comparing. */
export function isUnchanged(before: FileStat, after: FileStat, bytesRead: number): boolean {
  return (
    bytesRead === before.size &&
    after.size === before.size &&
    after.mtimeNs === before.mtimeNs &&
    after.ctimeNs === before.ctimeNs
  );
}

/** What `chunks` holds. */
export function readOf(chunks: Iterable<Uint8Array>): Read {
  const iterator = chunks[Symbol.iterator]();
  let left = new Uint8Array();
  return (into) => {
    while (left.byteLength === 0) {
      const next = iterator.next();
      if (next.done === true) return 0;
      left = Uint8Array.from(next.value);
    }
    const count = Math.min(left.byteLength, into.byteLength);
    into.set(left.subarray(0, count));
    left = left.subarray(count);
    return count;
  };
}

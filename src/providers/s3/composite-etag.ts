import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

const DIGEST = /^[0-9a-f]{32}$/;
const COMPOSITE = /^[0-9a-f]{32}-\d{1,5}$/;

/**
 * The ETag of the object that is made of parts with these ETags, in order, where a store makes it as AWS does: the MD5
 * of the parts' MD5s and their number. Undefined when the parts' own ETags are none.
 */
function compositeEtag(partEtags: readonly string[]): string | undefined {
  if (partEtags.length === 0 || !partEtags.every((etag) => DIGEST.test(etag))) return undefined;
  return `${bytesToHex(md5(hexToBytes(partEtags.join(""))))}-${partEtags.length}`;
}

/**
 * Whether ETags of one store show that an object is made of other parts than those that were sent. Stores that encrypt
 * with keys of their own, and some others, give ETags that look the same and are no such digests; so one is a reason for
 * doubt only after another one of the same store was right, and then no further one until one is right again: a store
 * that has changed its ways costs one upload more and never fails a good one.
 */
export class CompositeEtags {
  #believed = false;

  /** True when `etag` is the ETag of an object of other parts. */
  deny(etag: string, partEtags: readonly string[]): boolean {
    const composite = compositeEtag(partEtags);
    if (composite === undefined || !COMPOSITE.test(etag)) return false;
    const doubtful = this.#believed && etag !== composite;
    this.#believed = etag === composite;
    return doubtful;
  }
}

import type { NewHasher } from "../core/hash.ts";
import { entriesInOrder } from "./entries-in-order.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";
import { pythonFloat } from "./python-float.ts";
import { Turn } from "../threads/turn.ts";

export interface ManifestDigests {
  /** As the Python studio computes it: path, size, mtime, sha256 of each entry, nothing between. */
  readonly checksum: string;
  /** The same without mtimes: equal content gives an equal digest on any machine. */
  readonly digest: string;
  /** Of all entries together. */
  readonly bytes: number;
}

/** UTF-16 units gathered before they are encoded and hashed: a call for each field would cost more than the hashing. */
const BATCH_LENGTH = 32_768;

/** Both digests of a manifest's entries, and their sizes. @throws SyncError `aborted` */
export async function manifestDigests(
  manifest: Manifest,
  newHasher: NewHasher,
  signal?: AbortSignal,
): Promise<ManifestDigests> {
  const turn = new Turn(signal);
  const checksum = new TextHasher(newHasher);
  const digest = new TextHasher(newHasher);
  let bytes = 0;
  for (const { path, size, mtime, sha256 } of entriesInOrder(manifest)) {
    bytes += size;
    checksum.add(`${path}${size}${pythonFloat(mtime)}${sha256}`);
    if (digest.add(`${path}${size}${sha256}`) && turn.due()) await turn.pause();
  }
  return { checksum: checksum.digestHex(), digest: digest.digestHex(), bytes };
}

/** The checksum alone, as a cached manifest carries it. @throws SyncError `aborted` */
export async function manifestChecksum(
  manifest: Manifest,
  newHasher: NewHasher,
  signal?: AbortSignal,
): Promise<string> {
  const turn = new Turn(signal);
  const checksum = new ChecksumBuilder(newHasher);
  for (const entry of entriesInOrder(manifest)) if (checksum.add(entry) && turn.due()) await turn.pause();
  return checksum.digestHex();
}

/** The checksum of entries that are given one by one, by code point of the path. */
export class ChecksumBuilder {
  readonly #hasher: TextHasher;

  constructor(newHasher: NewHasher) {
    this.#hasher = new TextHasher(newHasher);
  }

  /** True when it was a stretch of work. */
  add({ path, size, mtime, sha256 }: ManifestEntry): boolean {
    return this.#hasher.add(`${path}${size}${pythonFloat(mtime)}${sha256}`);
  }

  digestHex(): string {
    return this.#hasher.digestHex();
  }
}

/** SHA-256 of text in UTF-8, in batches. */
class TextHasher {
  readonly #hasher;
  readonly #encoder = new TextEncoder();
  #pending = "";

  constructor(newHasher: NewHasher) {
    this.#hasher = newHasher();
  }

  /** True when a batch was hashed. */
  add(text: string): boolean {
    this.#pending += text;
    if (this.#pending.length < BATCH_LENGTH) return false;
    this.#flush();
    return true;
  }

  digestHex(): string {
    this.#flush();
    return this.#hasher.digestHex();
  }

  #flush(): void {
    this.#hasher.update(this.#encoder.encode(this.#pending));
    this.#pending = "";
  }
}

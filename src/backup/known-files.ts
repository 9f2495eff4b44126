import type { ManifestEntry } from "../manifest/manifest.ts";

/** What a manifest says of a file. */
export type KnownFile = Omit<ManifestEntry, "path">;

/** What is known of some files, as another thread is told of them. */
export interface KnownPart {
  /** Bytes; NaN for a file of which the manifest does not know. */
  readonly sizes: Float64Array<ArrayBuffer>;
  readonly mtimes: Float64Array<ArrayBuffer>;
  /** 64 hex digits each. */
  readonly digests: Uint8Array<ArrayBuffer>;
}

const DIGEST_LENGTH = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a manifest says of the files of an archive, by their place in its directory. Columns: objects would weigh four times as much. */
export class KnownFiles {
  readonly #columns: KnownPart;

  constructor(columns: KnownPart) {
    this.#columns = columns;
  }

  /** Nothing known yet of any of `length` files. */
  static none(length: number): KnownFiles {
    return new KnownFiles({
      sizes: new Float64Array(length).fill(Number.NaN),
      mtimes: new Float64Array(length),
      digests: new Uint8Array(length * DIGEST_LENGTH),
    });
  }

  set(place: number, { size, mtime, sha256 }: KnownFile): void {
    const { sizes, mtimes, digests } = this.#columns;
    sizes[place] = size;
    mtimes[place] = mtime;
    encoder.encodeInto(sha256, digests.subarray(place * DIGEST_LENGTH, (place + 1) * DIGEST_LENGTH));
  }

  has(place: number): boolean {
    return !Number.isNaN(this.#columns.sizes[place] ?? Number.NaN);
  }

  get(place: number): KnownFile | undefined {
    const { sizes, mtimes, digests } = this.#columns;
    const [size, mtime] = [sizes[place], mtimes[place]];
    if (size === undefined || mtime === undefined || Number.isNaN(size)) return undefined;
    const sha256 = decoder.decode(digests.subarray(place * DIGEST_LENGTH, (place + 1) * DIGEST_LENGTH));
    return { size, mtime, sha256 };
  }

  part(places: readonly number[]): KnownPart {
    const { sizes, mtimes, digests } = this.#columns;
    const first = places[0] ?? 0;
    const end = first + places.length;
    if (isRun(places)) {
      return {
        sizes: sizes.slice(first, end),
        mtimes: mtimes.slice(first, end),
        digests: digests.slice(first * DIGEST_LENGTH, end * DIGEST_LENGTH),
      };
    }
    const part = KnownFiles.none(places.length);
    for (const [at, place] of places.entries()) {
      const known = this.get(place);
      if (known !== undefined) part.set(at, known);
    }
    return part.#columns;
  }
}

/** True for ascending places of which none between is left out. */
function isRun(places: readonly number[]): boolean {
  return (places.at(-1) ?? -1) - (places[0] ?? 0) + 1 === places.length;
}

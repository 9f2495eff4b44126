import { createHash, randomBytes } from "node:crypto";

export interface StoredObject {
  readonly bytes: Uint8Array;
  /** Without quotes. */
  readonly etag: string;
  readonly traits: ObjectTraits;
}

/** What comes with an object and goes out with it again: lower-case header names. */
export type ObjectTraits = Readonly<Record<string, string>>;

export interface StoredUpload {
  readonly key: string;
  readonly traits: ObjectTraits;
  readonly parts: Map<number, StoredObject>;
}

export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, StoredUpload>();
  /** Keys in the order of their UTF-8 bytes; undefined when they changed. */
  #sorted: readonly string[] | undefined;

  put(key: string, object: StoredObject): StoredObject {
    if (!this.objects.has(key)) this.#sorted = undefined;
    this.objects.set(key, object);
    return object;
  }

  delete(key: string): void {
    if (this.objects.delete(key)) this.#sorted = undefined;
  }

  sortedKeys(): readonly string[] {
    this.#sorted ??= [...this.objects.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return this.#sorted;
  }

  begin(key: string, traits: ObjectTraits): string {
    const id = randomBytes(16).toString("hex");
    this.uploads.set(id, { key, traits, parts: new Map() });
    return id;
  }
}

export function objectOf(bytes: Uint8Array, traits: ObjectTraits = {}): StoredObject {
  return { bytes, traits, etag: createHash("md5").update(bytes).digest("hex") };
}

/** The parts as one object, with the tag that S3 gives such objects: not an MD5 of the content. */
export function joinedParts(parts: readonly StoredObject[], traits: ObjectTraits): StoredObject {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(Buffer.from(part.etag, "hex"));
  return {
    bytes: Buffer.concat(parts.map((part) => part.bytes)),
    traits,
    etag: `${md5.digest("hex")}-${parts.length}`,
  };
}

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** A running SHA-256. `digestHex` ends it: 64 lower-case hex digits. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  digestHex(): string;
}

export interface NewHasher {
  (): Hasher;
  /** The digest of bytes that are all there, where the platform has it without a hasher to be made and thrown away. */
  readonly ofBytes?: (bytes: Uint8Array) => string;
}

/** SHA-256 of bytes that are all there: 64 lower-case hex digits. */
export function sha256Hex(newHasher: NewHasher, bytes: Uint8Array): string {
  if (newHasher.ofBytes !== undefined) return newHasher.ofBytes(bytes);
  const hasher = newHasher();
  hasher.update(bytes);
  return hasher.digestHex();
}

/** SHA-256 where the platform has no streaming native one (WebCrypto has none): @noble/hashes, about 0.2 GiB/s. */
export const newPortableHasher: NewHasher = () => {
  const state = sha256.create();
  return {
    update: (chunk) => void state.update(chunk),
    digestHex: () => bytesToHex(state.digest()),
  };
};

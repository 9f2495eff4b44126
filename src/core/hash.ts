import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** A running SHA-256. `digestHex` ends it: 64 lower-case hex digits. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  digestHex(): string;
}

export type NewHasher = () => Hasher;

/** SHA-256 where the platform has no streaming native one (WebCrypto has none): @noble/hashes, about 0.2 GiB/s. */
export const newPortableHasher: NewHasher = () => {
  const state = sha256.create();
  return {
    update: (chunk) => void state.update(chunk),
    digestHex: () => bytesToHex(state.digest()),
  };
};

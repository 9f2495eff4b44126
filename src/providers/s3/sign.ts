import { hexToBytes } from "@noble/hashes/utils.js";
import type { NewHasher } from "../../core/hash.ts";
import { sha256Hex } from "../transfer/content.ts";
import { canonicalQuery } from "./address.ts";
import type { S3Credentials } from "./settings.ts";

/** SHA-256 of nothing: the content of a request without a body. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export interface SignableRequest {
  readonly method: string;
  /** Percent-encoded once. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lower-case hex SHA-256 of the body. The server refuses other bytes. */
  readonly bodySha256: string;
}

/** Gives the headers to send: those of `request`, date, content hash, session token and signature. */
export type Sign = (request: SignableRequest, at: Date) => Record<string, string>;

/**
 * Signature Version 4 for the requests to `host` (with its port), with the key of the day kept. By hand: the AWS SDK's
 * signer, which the tests hold this one against, costs as much CPU as fetch does for a small file, this one a third.
 */
export function newSigner(host: string, region: string, credentials: S3Credentials, newHasher: NewHasher): Sign {
  const keyOf = newDayKeys(region, credentials.secretAccessKey, newHasher);
  const { accessKeyId, sessionToken } = credentials;
  return ({ method, path, query, headers, bodySha256 }, at) => {
    const time = at.toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    const sent: Record<string, string> = { ...headers, "x-amz-content-sha256": bodySha256, "x-amz-date": time };
    if (sessionToken !== undefined) sent["x-amz-security-token"] = sessionToken;
    const names = [...Object.keys(sent), "host"].toSorted();
    const lines = names.map((name) => `${name}:${name === "host" ? host : plainSpaces(sent[name] ?? "")}\n`).join("");
    const signedHeaders = names.join(";");
    const canonical = `${method}\n${path}\n${canonicalQuery(query)}\n${lines}\n${signedHeaders}\n${bodySha256}`;
    const scope = `${day}/${region}/s3/aws4_request`;
    const digest = sha256Hex(utf8.encode(canonical), newHasher);
    const signature = keyOf(day).hex(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`);
    // fetch writes Host itself, from the same address.
    sent["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return sent;
  };
}

const utf8 = new TextEncoder();

/** As the server reads it: no spaces around the value, and one where there are several. */
function plainSpaces(value: string): string {
  return value.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, "");
}

/** The key that signs on a day, `20130524`; the last one is kept. */
function newDayKeys(region: string, secret: string, newHasher: NewHasher): (day: string) => Hmac {
  let last: { readonly day: string; readonly key: Hmac } | undefined;
  return (day) => {
    if (last?.day === day) return last.key;
    let key = new Hmac(utf8.encode(`AWS4${secret}`), newHasher);
    for (const step of [day, region, "s3", "aws4_request"]) key = new Hmac(hexToBytes(key.hex(step)), newHasher);
    last = { day, key };
    return key;
  };
}

/**
 * HMAC-SHA-256 (RFC 2104) over the platform's own hasher: Web Crypto's promises cost four times as much for such short
 * texts.
 */
class Hmac {
  readonly #newHasher: NewHasher;
  /** The blocks that the two hashes begin with. */
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;

  constructor(key: Uint8Array, newHasher: NewHasher) {
    this.#newHasher = newHasher;
    const block = new Uint8Array(64);
    block.set(key.length > block.length ? hexToBytes(sha256Hex(key, newHasher)) : key);
    this.#inner = block.map((byte) => byte ^ 0x36);
    this.#outer = block.map((byte) => byte ^ 0x5c);
  }

  /** Lower-case hex. */
  hex(text: string): string {
    return this.#hash(this.#outer, hexToBytes(this.#hash(this.#inner, utf8.encode(text))));
  }

  #hash(block: Uint8Array, bytes: Uint8Array): string {
    const hasher = this.#newHasher();
    hasher.update(block);
    hasher.update(bytes);
    return hasher.digestHex();
  }
}

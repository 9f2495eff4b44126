import { expect, test } from "bun:test";
import { KeyCache } from "../../src/vault/key-cache.ts";

const NONCE = new Uint8Array(12);

/** What `key` makes of a fixed text: equal for equal keys only. */
async function print(key: CryptoKey): Promise<string> {
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: NONCE }, key, new Uint8Array(16));
  return new Uint8Array(sealed).toHex();
}

test("two keys are the same only for the same passphrase, salt and iterations, wherever the bytes of one end", async () => {
  const derived: number[] = [];
  const cache = new KeyCache((iterations) => void derived.push(iterations));
  const salt = new Uint8Array(16).fill(0x61);
  const inputs = [
    ["pw", { salt, iterations: 1000 }],
    ["pw", { salt, iterations: 1001 }],
    ["pW", { salt, iterations: 1000 }],
    ["pw", { salt: new Uint8Array(16), iterations: 1000 }],
    // Salt and passphrase run together alike.
    ["apw", { salt, iterations: 1000 }],
    ["pw", { salt: new Uint8Array(17).fill(0x61), iterations: 1000 }],
  ] as const;
  const prints = [];
  for (const [passphrase, kdf] of [...inputs, ...inputs]) prints.push(await print(await cache.key(passphrase, kdf)));
  expect(new Set(prints).size).toBe(inputs.length);
  expect(prints.slice(inputs.length)).toEqual(prints.slice(0, inputs.length));
  expect(derived).toHaveLength(inputs.length);
});

test("a key cannot be exported", async () => {
  const key = await new KeyCache(() => undefined).key("pw", { salt: new Uint8Array(16), iterations: 1000 });
  expect(key.extractable).toBe(false);
  expect(key.algorithm).toMatchObject({ name: "AES-GCM", length: 256 });
  const refused = await crypto.subtle.exportKey("raw", key).then(
    () => "exported",
    (error: unknown) => (error instanceof Error ? error.name : "unknown"),
  );
  expect(refused).toBe("InvalidAccessError");
});

import { describe, expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { parseEnvelope, parseVault } from "../../src/vault/envelope.ts";
import { KeyCache } from "../../src/vault/key-cache.ts";
import { decodePayload } from "../../src/vault/payload.ts";
import { openEnvelope } from "../../src/vault/seal.ts";
import { foreignSeal, vector } from "./vault-helpers.ts";

const REFUSALS = new Set(["vault_malformed", "vault_unsupported", "vault_wrong_passphrase"]);

/** As SecretsVault opens, with one cache for all: only a changed salt or work factor costs a derivation. */
async function open(bytes: Uint8Array, passphrase: string, keys: KeyCache): Promise<JsonObject | string> {
  try {
    const envelope = parseEnvelope(parseVault(bytes).root, "the vault");
    return decodePayload(await openEnvelope(envelope, passphrase, keys)).value;
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
}

/** Opens `text` with each byte in turn changed by `mask`. */
async function flipEach(text: string, mask: number, passphrase: string, payload: JsonObject): Promise<void> {
  const sound = new TextEncoder().encode(text);
  const keys = new KeyCache(() => undefined);
  let refused = 0;
  for (let position = 0; position < sound.length; position++) {
    const bytes = sound.slice();
    bytes[position] = (bytes[position] ?? 0) ^ mask;
    const found = await open(bytes, passphrase, keys);
    if (typeof found === "string") {
      expect(REFUSALS).toContain(found);
      refused++;
    } else expect(found).toEqual(payload);
  }
  // The date and the list of backups do not decide what opens; all else does.
  expect(refused).toBeGreaterThan(sound.length - 60);
}

describe("security 12: a byte changed anywhere in the vault gives a refusal or the same payload, never another one", () => {
  test("the lowest bit of each byte of a vector", async () => {
    await flipEach(vector("empty-payload.json"), 1, "x", {});
  }, 60_000);

  const text = JSON.stringify({ ...foreignSeal('{"secret":"first"}', "pw"), backups: [] }, undefined, 2);
  for (let bit = 0; bit < 8; bit++) {
    test(`bit ${bit} of each byte`, async () => {
      await flipEach(text, 1 << bit, "pw", { secret: "first" });
    }, 60_000);
  }
});

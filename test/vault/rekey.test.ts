import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/core/json.ts";
import {
  backupsOf,
  foreignOpen,
  foreignPlaintext,
  foreignSeal,
  parseObject,
  refusal,
  testVault,
  vector,
} from "./vault-helpers.ts";

const OLD = "kksktu7w98hb";
const NEW = "new passphrase";
const SOUND = vector("with-backups.json");

/** A vault under "old" whose backups are `backups`. */
function vaultText(backups: readonly JsonObject[], extra: JsonObject = {}): string {
  return JSON.stringify({ ...foreignSeal('{"n":1}', "old"), backups, ...extra });
}

/** Every object in `value` that could be an envelope, wherever it lies. */
function envelopesIn(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.values(value).flatMap(envelopesIn);
  return "kdf" in value && "cipher" in value ? [value, ...below] : below;
}

describe("rekey", () => {
  test("afterwards the new passphrase opens the root and each backup, with content and dates as they were", async () => {
    const { vault, storage } = testVault(SOUND);
    expect(await vault.rekey(OLD, NEW)).toEqual({ reencrypted: 2, dropped: 0, droppedFields: 0 });
    const root = parseObject(storage.text());
    const backups = backupsOf(storage.text());
    expect(foreignOpen(root, NEW)).toEqual(foreignOpen(parseObject(SOUND), OLD));
    expect(backups.map((entry) => foreignOpen(entry, NEW))).toEqual(
      backupsOf(SOUND).map((entry) => foreignOpen(entry, OLD)),
    );
    const dates = (entry: JsonObject) => [entry["updated_at"], entry["archived_at"]];
    expect(backups.map(dates)).toEqual(backupsOf(SOUND).map(dates));
    expect(await vault.get("n", NEW)).toBe(2);
  });

  test("security 10: afterwards the old passphrase opens nothing anywhere in the file", async () => {
    const stray = { stash: [{ deep: foreignSeal("{}", "old") }] };
    const kept = { ...foreignSeal('{"n":0}', "old"), archived_at: "x", extra: foreignSeal("{}", "old") };
    const { vault, storage } = testVault(vaultText([kept, foreignSeal("{}", "third")], stray));
    expect(
      envelopesIn(parseObject(storage.text())).filter((each) => foreignOpen(each, "old") !== undefined),
    ).toHaveLength(4);
    await vault.rekey("old", NEW, { dropUnopenable: true });
    const envelopes = envelopesIn(parseObject(storage.text()));
    expect(envelopes).toHaveLength(2);
    for (const envelope of envelopes) {
      expect(foreignOpen(envelope, "old")).toBeUndefined();
      expect(foreignOpen(envelope, NEW)).toBeDefined();
    }
  });

  test("makes no backup of what it replaces", async () => {
    const { vault, storage } = testVault(vaultText([]));
    await vault.rekey("old", NEW);
    expect(backupsOf(storage.text())).toEqual([]);
  });

  test("loses nothing before it was agreed to, and says what would go", async () => {
    const unopenable = [foreignSeal("{}", "third"), { broken: true }, { ...foreignSeal("{}", "old"), version: 2 }];
    const text = vaultText([foreignSeal("{}", "old"), ...unopenable], { studio: 1 });
    const { vault, storage } = testVault(text);
    const count = { reencrypted: 1, dropped: 3, droppedFields: 1 };
    expect(await vault.previewRekey("old", NEW)).toEqual(count);
    const error = await refusal(vault.rekey("old", NEW));
    expect(error.code).toBe("vault_rekey_drops");
    expect(error.details).toEqual({ reencrypted: 1, dropped: 3, dropped_fields: 1 });
    expect(storage.text()).toBe(text);
    expect(await vault.rekey("old", NEW, { dropUnopenable: true })).toEqual(count);
    expect(backupsOf(storage.text())).toHaveLength(1);
  });

  test("keeps a backup that is under the new passphrase already", async () => {
    const { vault, storage } = testVault(vaultText([foreignSeal('{"n":0}', NEW)]));
    expect(await vault.rekey("old", NEW)).toEqual({ reencrypted: 1, dropped: 0, droppedFields: 0 });
    expect(foreignOpen(backupsOf(storage.text())[0], NEW)).toEqual({ n: 0 });
  });

  test("counts backups beyond the fifth as dropped", async () => {
    const { vault, storage } = testVault(vaultText(Array.from({ length: 7 }, () => foreignSeal("{}", "old"))));
    expect(await vault.previewRekey("old", NEW)).toEqual({ reencrypted: 5, dropped: 2, droppedFields: 0 });
    await vault.rekey("old", NEW, { dropUnopenable: true });
    expect(backupsOf(storage.text())).toHaveLength(5);
  });

  test("changes no byte of the content, not even digits that JavaScript cannot hold", async () => {
    const plaintext = '{ "id": 12345678901234567890, "f": 1.0 }';
    const text = JSON.stringify({ ...foreignSeal(plaintext, "old"), backups: [foreignSeal(plaintext, "old")] });
    const { vault, storage } = testVault(text);
    await vault.rekey("old", NEW);
    expect(foreignPlaintext(parseObject(storage.text()), NEW)).toBe(plaintext);
    expect(foreignPlaintext(backupsOf(storage.text())[0], NEW)).toBe(plaintext);
  });

  test("an empty new passphrase is refused and changes nothing", async () => {
    const { vault, storage } = testVault(SOUND);
    for (const passphrase of ["", undefined])
      expect((await refusal(vault.rekey(OLD, passphrase))).code).toBe("bad_request");
    expect(storage.text()).toBe(SOUND);
  });

  test("a vault whose work factor the Python reader does not take comes back to its own", async () => {
    const { vault, storage } = testVault(vector("more-iterations.json"), { iterations: 390_000 });
    await vault.rekey("65q6qb3w", NEW);
    expect(parseObject(storage.text())).toHaveProperty("kdf.iterations", 390_000);
  });
});

import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/core/json.ts";
import {
  backupsOf,
  expectCode,
  foreignOpen,
  foreignPlaintext,
  foreignSeal,
  member,
  parseObject,
  testVault,
  vector,
} from "./vault-helpers.ts";

const PASSPHRASE = "kksktu7w98hb";
const SOUND = vector("with-backups.json");

describe("restoreBackup", () => {
  test("makes the backup the content again and what it replaces backup 0; the restored one leaves the list", async () => {
    const { vault, storage } = testVault(SOUND);
    expect(await vault.restoreBackup(1, PASSPHRASE)).toEqual({ backups: 2, backupsDroppedForSize: 0 });
    expect(await vault.get("n", PASSPHRASE)).toBe(0);
    expect(backupsOf(storage.text()).map((entry) => foreignOpen(entry, PASSPHRASE))).toEqual([
      { n: 2, cloud_sync: { s3: { bucket: "b2" } } },
      { n: 1, cloud_sync: { s3: { bucket: "b1" } } },
    ]);
  });

  test("loses none of five backups", async () => {
    const { vault, storage } = testVault();
    for (let n = 0; n < 6; n++) await vault.store({ n }, "pw");
    await vault.restoreBackup(4, "pw");
    const all = [parseObject(storage.text()), ...backupsOf(storage.text())].map((entry) => foreignOpen(entry, "pw"));
    expect(all).toEqual([0, 5, 4, 3, 2, 1].map((n) => ({ n })));
  });

  test("writes under a fresh salt and nonce, with the same bytes of content", async () => {
    const entry = foreignSeal('{ "id": 12345678901234567890 }', "pw");
    const { vault, storage } = testVault(JSON.stringify({ ...foreignSeal("{}", "pw"), backups: [entry] }));
    await vault.restoreBackup(0, "pw");
    const root = parseObject(storage.text());
    expect(foreignPlaintext(root, "pw")).toBe('{ "id": 12345678901234567890 }');
    expect(member(root, "kdf")["salt"]).not.toBe(member(entry, "kdf")["salt"]);
    expect(member(root, "cipher")["nonce"]).not.toBe(member(entry, "cipher")["nonce"]);
  });

  test("is refused for a backup that does not open, is damaged or holds no object, and changes nothing", async () => {
    const entries: readonly JsonObject[] = [foreignSeal("{}", "other"), { kdf: 1 }, foreignSeal("[]", "pw")];
    const text = JSON.stringify({ ...foreignSeal("{}", "pw"), backups: entries });
    const { vault, storage } = testVault(text);
    await expectCode(vault.restoreBackup(0, "pw"), "vault_wrong_passphrase");
    await expectCode(vault.restoreBackup(1, "pw"), "vault_malformed");
    await expectCode(vault.restoreBackup(2, "pw"), "vault_malformed");
    expect(storage.text()).toBe(text);
  });

  test("is refused for a backup that is not there", async () => {
    const { vault, storage } = testVault(SOUND);
    for (const index of [2, -1, 0.5, Number.NaN])
      await expectCode(vault.restoreBackup(index, PASSPHRASE), "vault_backup_missing");
    expect(storage.text()).toBe(SOUND);
  });

  test("rescues a vault whose root is damaged, and keeps the damaged root", async () => {
    const root = parseObject(SOUND);
    const cipher = member(root, "cipher");
    for (const ciphertext of ["AAAA", `A${String(cipher["ciphertext"]).slice(1)}`]) {
      const text = JSON.stringify({ ...root, cipher: { ...cipher, ciphertext } });
      const { vault, storage } = testVault(text);
      await vault.restoreBackup(0, PASSPHRASE);
      expect(await vault.get("n", PASSPHRASE)).toBe(1);
      expect(backupsOf(storage.text())[0]).toMatchObject({ cipher: { ciphertext } });
    }
  });

  test("rescues a vault whose root was damaged into something unsupported", async () => {
    for (const kdf of [{ name: "pbkdf2-hmac-sha512" }, { name: "pbkdf2-hmac-sha256", iterations: 39 }, null]) {
      const { vault } = testVault(JSON.stringify({ ...parseObject(SOUND), kdf }));
      await vault.restoreBackup(0, PASSPHRASE);
      expect(await vault.get("n", PASSPHRASE)).toBe(1);
    }
  });

  test("does not replace the root of a newer version", async () => {
    const text = JSON.stringify({ ...parseObject(SOUND), version: 2 });
    const { vault, storage } = testVault(text);
    await expectCode(vault.restoreBackup(0, PASSPHRASE), "vault_unsupported");
    expect(storage.text()).toBe(text);
  });
});

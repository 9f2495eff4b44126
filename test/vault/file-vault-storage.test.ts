import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Files } from "../../src/platform/contract.ts";
import { VAULT_BYTES_MAX } from "../../src/vault/envelope.ts";
import { fileVaultStorage } from "../../src/vault/file-vault-storage.ts";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { backupsOf, expectCode, foreignSeal, ITERATIONS_FEW, refusal, vector } from "./vault-helpers.ts";

const { files } = bunPlatform();

function vaultAt(path: string, over: Files = files): SecretsVault {
  return new SecretsVault(fileVaultStorage(over, path), { iterations: ITERATIONS_FEW });
}

describe("the vault in a file", () => {
  test("is made with its folder, for its owner alone", async () => {
    const path = join(tempFolder(), "config", "comfyvn.secrets.json");
    await vaultAt(path).create({ a: 1 }, "pw");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await vaultAt(path).unlock("pw")).toEqual({ a: 1 });
  });

  test("that others could read is theirs no longer after the next write", async () => {
    const path = join(tempFolder(), "vault.json");
    writeFileSync(path, JSON.stringify(foreignSeal("{}", "pw")));
    chmodSync(path, 0o644);
    await vaultAt(path).set("a", 1, "pw");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("leaves only the lock beside it, and nothing of a secret in that", async () => {
    const folder = tempFolder();
    await vaultAt(join(folder, "vault.json")).create({ a: "canary" }, "pw");
    expect(readdirSync(folder).toSorted()).toEqual(["vault.json", "vault.json.lock"]);
    expect(readFileSync(join(folder, "vault.json.lock"))).toHaveLength(0);
  });

  test("stays byte-identical, time and all, when equal content is stored or a passphrase is wrong", async () => {
    const path = join(tempFolder(), "vault.json");
    writeFileSync(path, vector("with-backups.json"));
    const before = lstatSync(path, { bigint: true });
    const vault = vaultAt(path);
    const payload = await vault.unlock("kksktu7w98hb");
    expect((await vault.store(payload, "kksktu7w98hb")).written).toBe(false);
    await expectCode(vault.store({}, "wrong"), "vault_wrong_passphrase");
    await expectCode(vault.rekey("wrong", "new"), "vault_wrong_passphrase");
    const after = lstatSync(path, { bigint: true });
    expect([after.ino, after.mtimeNs, after.ctimeNs]).toEqual([before.ino, before.mtimeNs, before.ctimeNs]);
    expect(readFileSync(path, "utf8")).toBe(vector("with-backups.json"));
  });

  test("is not read when it is larger than a vault can be", async () => {
    const path = join(tempFolder(), "vault.json");
    writeFileSync(path, `${vector("plain.json")}${" ".repeat(VAULT_BYTES_MAX)}`);
    await expectCode(vaultAt(path).unlock("pass b8cv3k"), "vault_too_large");
    await expectCode(vaultAt(path).create({}, "pw"), "vault_too_large");
  });

  test("held by another process too long is busy, which a repeat may cure", async () => {
    const path = join(tempFolder(), "vault.json");
    writeFileSync(path, vector("plain.json"));
    const busy: Files = { ...files, lock: (at) => Promise.reject(new SyncError("lock_busy", at, { retryable: true })) };
    const error = await refusal(vaultAt(path, busy).set("a", 1, "pass b8cv3k"));
    expect(error.code).toBe("vault_busy");
    expect(error.retryable).toBe(true);
  });

  test("takes the lock before it reads and frees it when the change fails", async () => {
    const path = join(tempFolder(), "vault.json");
    writeFileSync(path, vector("plain.json"));
    const steps: string[] = [];
    const traced: Files = {
      ...files,
      lock: async (at, options) => {
        steps.push("lock");
        const lock = await files.lock(at, options);
        const release = () => {
          steps.push("release");
          lock.release();
        };
        return { release };
      },
      readBytes: (at, max) => (steps.push("read"), files.readBytes(at, max)),
      writeAtomic: (at, bytes, options) => (steps.push("write"), files.writeAtomic(at, bytes, options)),
    };
    await vaultAt(path, traced).set("a", 1, "pass b8cv3k");
    await expectCode(vaultAt(path, traced).set("a", 2, "wrong"), "vault_wrong_passphrase");
    expect(steps).toEqual(["lock", "read", "write", "release", "lock", "read", "release"]);
  });

  test("temp files of killed saves go with the next save, and no other file", async () => {
    const folder = tempFolder();
    const others = [
      ".vault.json.tmp",
      ".vault.json.a.b.tmp",
      ".vault.json.0123456789abcdef",
      ".other.json.0123.tmp",
      "vault.json.tmp",
    ];
    for (const name of [...others, ".vault.json.0123456789abcdef.tmp"]) writeFileSync(join(folder, name), "");
    await vaultAt(join(folder, "vault.json")).create({}, "pw");
    expect(readdirSync(folder).toSorted()).toEqual([...others, "vault.json", "vault.json.lock"].toSorted());
  });

  test("keeps its old content when the disk is full", async () => {
    const path = join(tempFolder(), "vault.json");
    writeFileSync(path, vector("plain.json"));
    let fired = 0;
    const full: Files = {
      ...files,
      writeAtomic: () => {
        fired++;
        return Promise.reject(new SyncError("disk_full", "the disk is full"));
      },
    };
    await expectCode(vaultAt(path, full).set("a", 1, "pass b8cv3k"), "disk_full");
    expect(fired).toBe(1);
    expect(readFileSync(path, "utf8")).toBe(vector("plain.json"));
  });
});

describe("a vault that is a symlink", () => {
  test("is read and written where it leads, under the lock there, and stays a link", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "private"));
    mkdirSync(join(folder, "config"));
    const target = join(folder, "private", "vault.json");
    const link = join(folder, "config", "comfyvn.secrets.json");
    writeFileSync(target, vector("with-backups.json"));
    symlinkSync(target, link);
    await vaultAt(link).rekey("kksktu7w98hb", "new");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    await expectCode(vaultAt(target).unlock("kksktu7w98hb"), "vault_wrong_passphrase");
    expect(await vaultAt(target).get("n", "new")).toBe(2);
    expect(backupsOf(readFileSync(target, "utf8"))).toHaveLength(2);
    expect(readdirSync(join(folder, "config"))).toEqual(["comfyvn.secrets.json"]);
    expect(readdirSync(join(folder, "private")).toSorted()).toEqual(["vault.json", "vault.json.lock"]);
  });

  test("to nothing makes no file where it leads", async () => {
    const folder = tempFolder();
    const link = join(folder, "vault.json");
    symlinkSync(join(folder, "elsewhere.json"), link);
    await expectCode(vaultAt(link).create({}, "pw"), "vault_missing");
    await expectCode(vaultAt(link).unlock("pw"), "vault_missing");
    expect(existsSync(join(folder, "elsewhere.json"))).toBe(false);
  });

  test("to a file that is no vault never writes over that file", async () => {
    const folder = tempFolder();
    const link = join(folder, "vault.json");
    const target = join(folder, "notes.json");
    writeFileSync(target, '{"mine": true}');
    symlinkSync(target, link);
    await expectCode(vaultAt(link).store({}, "pw"), "vault_malformed");
    await expectCode(vaultAt(link).create({}, "pw"), "vault_exists");
    await expectCode(vaultAt(link).restoreBackup(0, "pw"), "vault_backup_missing");
    expect(readFileSync(target, "utf8")).toBe('{"mine": true}');
  });
});

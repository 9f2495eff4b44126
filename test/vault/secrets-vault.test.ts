import { describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import type { ProductEvent } from "../../src/core/events.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { VAULT_BYTES_MAX } from "../../src/vault/envelope.ts";
import {
  backupsOf,
  expectCode,
  foreignOpen,
  foreignPlaintext,
  foreignSeal,
  member,
  parseObject,
  refusal,
  testVault,
  vector,
} from "./vault-helpers.ts";

const PASSPHRASE = "kksktu7w98hb";
const SOUND = vector("with-backups.json");

/** A vault that holds each of `payloads` in turn. */
async function vaultWith(...payloads: readonly JsonObject[]): Promise<ReturnType<typeof testVault>> {
  const subject = testVault();
  for (const payload of payloads) await subject.vault.store(payload, "pw");
  return subject;
}

describe("a vault that is not there or not unlocked", () => {
  test("is missing, with a passphrase or without", async () => {
    const { vault } = testVault();
    for (const passphrase of ["pw", "", undefined]) {
      await expectCode(vault.unlock(passphrase), "vault_missing");
      await expectCode(vault.get("a", passphrase), "vault_missing");
      await expectCode(vault.set("a", 1, passphrase), "vault_missing");
      await expectCode(vault.unset("a", passphrase), "vault_missing");
      await expectCode(vault.rekey(passphrase, "new"), "vault_missing");
      await expectCode(vault.restoreBackup(0, passphrase), "vault_missing");
      await expectCode(vault.describe(passphrase), "vault_missing");
    }
    await expectCode(vault.backups(), "vault_missing");
  });

  test("is locked without a passphrase or with an empty one", async () => {
    for (const passphrase of ["", undefined]) {
      const { vault, storage } = testVault(SOUND);
      await expectCode(vault.unlock(passphrase), "vault_locked");
      await expectCode(vault.get("n", passphrase), "vault_locked");
      await expectCode(vault.store({}, passphrase), "vault_locked");
      await expectCode(vault.set("n", 1, passphrase), "vault_locked");
      await expectCode(vault.rekey(passphrase, "new"), "vault_locked");
      await expectCode(vault.restoreBackup(0, passphrase), "vault_locked");
      expect(storage.text()).toBe(SOUND);
    }
  });

  test("is not made without a passphrase", async () => {
    const { vault, storage } = testVault();
    await expectCode(vault.create({}, ""), "vault_locked");
    await expectCode(vault.store({}, undefined), "vault_locked");
    expect(storage.text()).toBeUndefined();
  });

  test("refuses a passphrase that UTF-8 cannot spell, which another could pass for", async () => {
    const { vault } = testVault(JSON.stringify(foreignSeal("{}", "a\uFFFD")));
    await expectCode(vault.unlock("a\uD800"), "bad_request");
    await expectCode(testVault().vault.create({}, "a\uDC00"), "bad_request");
  });
});

describe("security 9: a wrong passphrase", () => {
  const verbs: readonly (readonly [string, (vault: ReturnType<typeof testVault>["vault"]) => Promise<unknown>])[] = [
    ["unlock", (vault) => vault.unlock("wrong")],
    ["get", (vault) => vault.get("n", "wrong")],
    ["store", (vault) => vault.store({ n: 9 }, "wrong")],
    ["store of equal content", (vault) => vault.store({ n: 2, cloud_sync: { s3: { bucket: "b2" } } }, "wrong")],
    ["set", (vault) => vault.set("n", 9, "wrong")],
    ["unset", (vault) => vault.unset("n", "wrong")],
    ["update", (vault) => vault.update(() => ({}), "wrong")],
    ["rekey", (vault) => vault.rekey("wrong", "new", { dropUnopenable: true })],
    ["rekey to itself", (vault) => vault.rekey("wrong", "wrong", { dropUnopenable: true })],
    ["restoreBackup", (vault) => vault.restoreBackup(0, "wrong")],
    ["describe", (vault) => vault.describe("wrong")],
  ];
  for (const [name, verb] of verbs) {
    test(`on ${name} is refused and leaves the file byte-identical`, async () => {
      const { vault, storage } = testVault(SOUND);
      const error = await refusal(verb(vault));
      expect(error.code).toBe("vault_wrong_passphrase");
      expect(error.message).toContain("damaged");
      expect(error.message).not.toContain("wrong");
      expect(storage.text()).toBe(SOUND);
    });
  }
});

describe("store", () => {
  test("what is stored opens here and by a foreign implementation", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" })),
        fc.string({ unit: "grapheme", minLength: 1 }),
        async (payload, passphrase) => {
          const { vault, storage } = testVault();
          await vault.store(payload, passphrase);
          expect(JSON.stringify(await vault.unlock(passphrase))).toBe(JSON.stringify(payload));
          expect(JSON.stringify(foreignOpen(parseObject(storage.text()), passphrase))).toBe(JSON.stringify(payload));
        },
      ),
      { numRuns: 25 },
    );
  }, 30_000);

  test("equal content, keys in another order, writes no byte and makes no backup", async () => {
    const { vault, storage } = testVault(SOUND);
    const result = await vault.store({ cloud_sync: { s3: { bucket: "b2" } }, n: 2 }, PASSPHRASE);
    expect(result).toEqual({ written: false, created: false, backups: 2, backupsDroppedForSize: 0 });
    expect(storage.text()).toBe(SOUND);
  });

  test("archives what was there, as it was, with the date", async () => {
    const { vault, storage } = testVault(SOUND, {
      clock: { now: () => 1_763_912_306_789, sleep: () => Promise.resolve() },
    });
    const { backups: _backups, ...before } = parseObject(SOUND);
    const result = await vault.store({ n: 3 }, PASSPHRASE);
    expect(result).toEqual({ written: true, created: false, backups: 3, backupsDroppedForSize: 0 });
    const date = "2025-11-23T15:38:26.789000+00:00";
    expect(backupsOf(storage.text())).toEqual([{ ...before, archived_at: date }, ...backupsOf(SOUND)]);
    expect(parseObject(storage.text())["updated_at"]).toBe(date);
  });

  test("keeps five backups, newest first, and the sixth goes", async () => {
    const { vault, storage } = await vaultWith(...Array.from({ length: 8 }, (_, n) => ({ n })));
    expect(backupsOf(storage.text()).map((entry) => foreignOpen(entry, "pw"))).toEqual(
      [6, 5, 4, 3, 2].map((n) => ({ n })),
    );
    expect(await vault.get("n", "pw")).toBe(7);
  });

  test("keeps a damaged backup as it is", async () => {
    const damaged = { version: 1, kdf: "gone", odd: [1, { x: null }] };
    const { vault, storage } = testVault(JSON.stringify({ ...foreignSeal('{"n":1}', "pw"), backups: [damaged] }));
    await vault.store({ n: 2 }, "pw");
    expect(backupsOf(storage.text())[1]).toEqual(damaged);
  });

  test("keeps root fields that it does not know", async () => {
    const { vault, storage } = testVault(JSON.stringify({ ...foreignSeal("{}", "pw"), studio: { a: [1] } }));
    await vault.set("n", 1, "pw");
    expect(parseObject(storage.text())["studio"]).toEqual({ a: [1] });
    expect(backupsOf(storage.text())[0]).not.toHaveProperty("studio");
  });

  test("a backup copied to the root is archived under its new date only", async () => {
    const { vault, storage } = testVault(JSON.stringify(backupsOf(SOUND)[0]));
    await vault.set("n", 5, PASSPHRASE);
    expect(parseObject(storage.text())).not.toHaveProperty("archived_at");
    expect(backupsOf(storage.text())[0]?.["archived_at"]).not.toBe("2025-11-18T05:00:00+00:00");
  });

  test("gives up old backups rather than write a file too large to read", async () => {
    const filler = "x".repeat(200_000);
    const { vault, storage } = await vaultWith({ n: 0, filler }, { n: 1, filler }, { n: 2, filler });
    const result = await vault.store({ n: 3, filler }, "pw");
    expect(result).toEqual({ written: true, created: false, backups: 2, backupsDroppedForSize: 1 });
    expect(storage.text()?.length).toBeLessThanOrEqual(VAULT_BYTES_MAX);
    expect(backupsOf(storage.text()).map((entry) => member({ at: foreignOpen(entry, "pw") }, "at")["n"])).toEqual([
      2, 1,
    ]);
    expect(await vault.get("n", "pw")).toBe(3);
  });

  test("a payload that alone is too large is refused and changes nothing", async () => {
    const { vault, storage } = await vaultWith({ n: 1 });
    const before = storage.text();
    await expectCode(vault.store({ filler: "x".repeat(VAULT_BYTES_MAX) }, "pw"), "vault_too_large");
    expect(storage.text()).toBe(before);
  });

  test("a payload that is not JSON is refused and changes nothing", async () => {
    const { vault, storage } = testVault(SOUND);
    await expectCode(vault.store({ n: undefined }, PASSPHRASE), "bad_request");
    await expectCode(vault.set("n", Number.NaN, PASSPHRASE), "bad_request");
    expect(storage.text()).toBe(SOUND);
  });
});

describe("create", () => {
  test("makes a vault that opens", async () => {
    const { vault } = testVault();
    expect(await vault.create({ a: 1 }, "pw")).toEqual({
      written: true,
      created: true,
      backups: 0,
      backupsDroppedForSize: 0,
    });
    expect(await vault.unlock("pw")).toEqual({ a: 1 });
  });

  test("never replaces what is there, vault or not", async () => {
    for (const text of [SOUND, "", "not a vault"]) {
      const { vault, storage } = testVault(text);
      await expectCode(vault.create({}, PASSPHRASE), "vault_exists");
      expect(storage.text()).toBe(text);
    }
  });
});

describe("get, set, unset, update", () => {
  test("get finds by dotted path and is undefined where nothing is", async () => {
    const { vault } = testVault(SOUND);
    expect(await vault.get("cloud_sync.s3.bucket", PASSPHRASE)).toBe("b2");
    expect(await vault.get("cloud_sync.s3", PASSPHRASE)).toEqual({ bucket: "b2" });
    expect(await vault.get("cloud_sync.gdrive", PASSPHRASE)).toBeUndefined();
    await expectCode(vault.get("cloud_sync.__proto__", PASSPHRASE), "vault_path");
  });

  test("set changes one value and keeps the rest", async () => {
    const { vault } = testVault(SOUND);
    await vault.set("cloud_sync.s3.region", "eu-1", PASSPHRASE);
    expect(await vault.unlock(PASSPHRASE)).toEqual({ n: 2, cloud_sync: { s3: { bucket: "b2", region: "eu-1" } } });
  });

  test("set of the value that is there, and unset of none, write nothing", async () => {
    const { vault, storage } = testVault(SOUND);
    expect((await vault.set("n", 2, PASSPHRASE)).written).toBe(false);
    expect((await vault.unset("cloud_sync.gdrive", PASSPHRASE)).written).toBe(false);
    expect(storage.text()).toBe(SOUND);
  });

  test("unset removes one value, which stays in the backup", async () => {
    const { vault, storage } = testVault(SOUND);
    expect((await vault.unset("cloud_sync.s3.bucket", PASSPHRASE)).written).toBe(true);
    expect(await vault.unlock(PASSPHRASE)).toEqual({ n: 2, cloud_sync: { s3: {} } });
    expect(foreignOpen(backupsOf(storage.text())[0], PASSPHRASE)).toHaveProperty("cloud_sync.s3.bucket", "b2");
  });

  test("set of one value rounds no other that JavaScript cannot hold", async () => {
    const { vault, storage } = testVault(
      JSON.stringify(foreignSeal('{"id":12345678901234567890,"f":1.0,"n":1}', "pw")),
    );
    await vault.set("n", 2, "pw");
    expect(foreignPlaintext(parseObject(storage.text()), "pw")).toBe('{"id":12345678901234567890,"f":1.0,"n":2}');
  });

  test("update may change its copy in place", async () => {
    const { vault } = testVault(SOUND);
    const result = await vault.update((payload) => {
      payload["n"] = 3;
      return payload;
    }, PASSPHRASE);
    expect(result.written).toBe(true);
    expect(await vault.get("n", PASSPHRASE)).toBe(3);
  });

  test("an update that throws changes nothing and frees the vault", async () => {
    const { vault, storage } = testVault(SOUND);
    const failing = vault.update(() => {
      throw new Error("on purpose");
    }, PASSPHRASE);
    expect(await failing.catch(String)).toBe("Error: on purpose");
    expect(storage.text()).toBe(SOUND);
    expect((await vault.set("n", 4, PASSPHRASE)).written).toBe(true);
  });

  test("sets at the same time lose nothing", async () => {
    const { vault } = await vaultWith({ n: 0 });
    await Promise.all(Array.from({ length: 10 }, (_, i) => vault.set(`k${i}`, i, "pw")));
    expect(Object.keys(await vault.unlock("pw"))).toHaveLength(11);
  });
});

describe("derivations", () => {
  test("an unchanged file pays for one, however often and by however many at once it is opened", async () => {
    const { vault, derivations } = testVault(SOUND);
    await Promise.all([vault.unlock(PASSPHRASE), vault.unlock(PASSPHRASE), vault.get("n", PASSPHRASE)]);
    await vault.unlock(PASSPHRASE);
    expect(derivations).toEqual([390_000]);
  });

  test("a changed file drops the keys", async () => {
    const { vault, storage, derivations } = testVault(SOUND);
    await vault.unlock(PASSPHRASE);
    await storage.update((current) =>
      Promise.resolve({ write: new Uint8Array([...(current ?? []), 0x20]), result: undefined }),
    );
    await vault.unlock(PASSPHRASE);
    expect(derivations).toEqual([390_000, 390_000]);
  });

  test("what was just written opens without another", async () => {
    const { vault, derivations } = await vaultWith({ n: 1 }, { n: 2 });
    const before = derivations.length;
    await vault.unlock("pw");
    await vault.set("n", 3, "pw");
    // The new salt's only: the old key was known.
    expect(derivations.length).toBe(before + 1);
    await vault.rekey("pw", "new");
    const afterRekey = derivations.length;
    await vault.unlock("new");
    expect(derivations.length).toBe(afterRekey);
  });

  test("another passphrase is derived, never served by the first one's key", async () => {
    const { vault, derivations } = testVault(SOUND);
    await vault.unlock(PASSPHRASE);
    await expectCode(vault.unlock(`${PASSPHRASE} `), "vault_wrong_passphrase");
    await expectCode(vault.unlock(`${PASSPHRASE} `), "vault_wrong_passphrase");
    expect(derivations).toHaveLength(2);
  });

  test("guessing does not grow the cache without bound", async () => {
    const text = JSON.stringify(foreignSeal("{}", "pw"));
    const { vault, derivations } = testVault(text);
    await vault.unlock("pw");
    for (let i = 0; i < 20; i++) await expectCode(vault.unlock(`guess ${i}`), "vault_wrong_passphrase");
    await vault.unlock("pw");
    expect(derivations).toHaveLength(22);
  }, 30_000);

  test("a runtime that refuses the work factor is told from a wrong passphrase", async () => {
    const derive = spyOn(crypto.subtle, "deriveKey").mockImplementation(() =>
      Promise.reject(new DOMException("too many", "NotSupportedError")),
    );
    try {
      const { vault } = testVault(SOUND);
      await expectCode(vault.unlock(PASSPHRASE), "vault_unsupported");
      expect(derive).toHaveBeenCalledTimes(1);
      derive.mockRestore();
      // The failure was not kept.
      expect(await vault.get("n", PASSPHRASE)).toBe(2);
    } finally {
      derive.mockRestore();
    }
  });
});

describe("audit events", () => {
  test("tell what was done and refused, and no value, path or passphrase", async () => {
    const events: ProductEvent[] = [];
    const { vault } = testVault(SOUND, { events: { emit: (event) => void events.push(event) } });
    await vault.unlock(PASSPHRASE);
    await vault.unlock("canary-passphrase").catch(() => undefined);
    await vault.unlock("").catch(() => undefined);
    await vault.set("canary_path", "canary-value", PASSPHRASE);
    await vault.set("canary_path", "canary-value", PASSPHRASE);
    await vault.store({}, "canary-passphrase").catch(() => undefined);
    await vault.restoreBackup(7, PASSPHRASE).catch(() => undefined);
    await vault.restoreBackup(0, PASSPHRASE);
    await vault.rekey(PASSPHRASE, "canary-passphrase");
    expect(events.map((event) => JSON.stringify(event)).join("\n")).not.toContain("canary");
    expect(events).toEqual([
      { type: "vault.audit", action: "unlock" },
      { type: "vault.audit", action: "unlock_failed", code: "vault_wrong_passphrase" },
      { type: "vault.audit", action: "unlock_failed", code: "vault_locked" },
      { type: "vault.audit", action: "store" },
      { type: "vault.audit", action: "store", code: "vault_wrong_passphrase" },
      { type: "vault.audit", action: "restore_backup", code: "vault_backup_missing" },
      { type: "vault.audit", action: "restore_backup" },
      { type: "vault.audit", action: "rekey" },
    ]);
  });
});

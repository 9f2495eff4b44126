import { describe, expect, test } from "bun:test";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { VAULT_BYTES_MAX } from "../../src/vault/envelope.ts";
import {
  backupsOf,
  expectCode,
  foreignSeal,
  member,
  parseObject,
  refusal,
  testVault,
  vector,
} from "./vault-helpers.ts";

const PASSPHRASE = "kksktu7w98hb";
const SOUND = vector("with-backups.json");

interface Case {
  readonly name: string;
  readonly code: ErrorCode;
  readonly says: string;
  readonly text: string | Uint8Array;
}

/** The sound vault with one field of one of its objects replaced; undefined removes it. */
function changed(section: "" | "kdf" | "cipher", key: string, value: unknown): string {
  const root = parseObject(SOUND);
  (section === "" ? root : member(root, section))[key] = value;
  return JSON.stringify(root);
}

function base64(bytes: number): string {
  return Buffer.alloc(bytes, 7).toString("base64");
}

const malformed = (name: string, says: string, text: string | Uint8Array): Case => ({
  name,
  code: "vault_malformed",
  says,
  text,
});
const unsupported = (name: string, says: string, text: string): Case => ({
  name,
  code: "vault_unsupported",
  says,
  text,
});

const TEXTS: readonly Case[] = [
  malformed("an empty file", "is empty", ""),
  malformed("a file of zeros, as a crash may leave", "not valid JSON", "\0".repeat(900)),
  malformed("a byte order mark", "byte order mark", `\uFEFF${SOUND}`),
  malformed("bytes that are not UTF-8", "not valid UTF-8", new Uint8Array([0x7b, 0xff, 0x7d])),
  malformed("UTF-16", "not valid", new Uint8Array(Buffer.from(SOUND, "utf16le"))),
  malformed("a comment", "not valid JSON", `// vault\n${SOUND}`),
  malformed("a second value after the object", "not valid JSON", `${SOUND}{}`),
  malformed("an array", "not a JSON object", "[]"),
  malformed("null", "not a JSON object", "null"),
  malformed("a key named twice", "names a key twice", SOUND.replace('"version": 1', '"version": 1, "version": 1')),
  malformed(
    "a key named twice, once escaped",
    "names a key twice",
    SOUND.replace('"salt"', '"s\\u0061lt": "x", "salt"'),
  ),
  malformed("nesting of 100,000 levels", "nested more than", `{"x": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  malformed("unclosed nesting", "nested more than", "[".repeat(100_000)),
  { name: "more than 1 MiB", code: "vault_too_large", says: "too large", text: SOUND + " ".repeat(VAULT_BYTES_MAX) },
];

const FIELDS: readonly Case[] = [
  malformed("no version", "version is missing", changed("", "version", undefined)),
  malformed("a version as text", "version is missing or not a number", changed("", "version", "1")),
  malformed("true as version", "version is missing or not a number", changed("", "version", true)),
  unsupported("version 2", "has version 2", changed("", "version", 2)),
  unsupported("version 0", "has version 0", changed("", "version", 0)),
  unsupported("version 1.5", "has version 1.5", changed("", "version", 1.5)),
  malformed("no kdf", "kdf is missing", changed("", "kdf", undefined)),
  malformed("kdf as text", "kdf is missing or not an object", changed("", "kdf", "pbkdf2")),
  malformed("kdf as array", "kdf is missing or not an object", changed("", "kdf", [])),
  malformed("no cipher", "cipher is missing", changed("", "cipher", undefined)),
  malformed("cipher null", "cipher is missing or not an object", changed("", "cipher", null)),
  malformed("no kdf name", "kdf.name is missing", changed("kdf", "name", undefined)),
  unsupported("an unknown kdf", "kdf.name is not one", changed("kdf", "name", "scrypt")),
  unsupported("a kdf in capitals", "kdf.name is not one", changed("kdf", "name", "PBKDF2-HMAC-SHA256")),
  unsupported("an unknown cipher", "cipher.name is not one", changed("cipher", "name", "aes-ctr")),
  malformed("a cipher name that is a number", "cipher.name is missing or not text", changed("cipher", "name", 1)),
  malformed("no salt", "kdf.salt is missing", changed("kdf", "salt", undefined)),
  malformed("a salt of 15 bytes", "kdf.salt has 15 bytes", changed("kdf", "salt", base64(15))),
  malformed("an empty salt", "kdf.salt has 0 bytes", changed("kdf", "salt", "")),
  malformed("a salt that is a number", "kdf.salt is missing or not text", changed("kdf", "salt", 7)),
  malformed("a nonce of 11 bytes", "cipher.nonce has 11 bytes", changed("cipher", "nonce", base64(11))),
  malformed("a nonce of 13 bytes", "cipher.nonce has 13 bytes", changed("cipher", "nonce", base64(13))),
  malformed("a nonce of 16 bytes", "cipher.nonce has 16 bytes", changed("cipher", "nonce", base64(16))),
  malformed("ciphertext that is the tag alone", "ciphertext has 16 bytes", changed("cipher", "ciphertext", base64(16))),
  malformed("ciphertext shorter than a tag", "ciphertext has 3 bytes", changed("cipher", "ciphertext", base64(3))),
  malformed("base64 in several lines", "ciphertext is not base64", changed("cipher", "ciphertext", `${base64(30)}\n`)),
  malformed("base64 with spaces", "cipher.nonce is not base64", changed("cipher", "nonce", " BwcHBwcHBwcHBwcH")),
  malformed("urlsafe base64", "kdf.salt is not base64", changed("kdf", "salt", "__________________8=")),
  malformed("base64 without padding", "kdf.salt is not base64", changed("kdf", "salt", "BwcHBwcHBwcHBwcHBwcHBw")),
  malformed(
    "base64 with unused bits set",
    "kdf.salt is not base64",
    changed("kdf", "salt", "BwcHBwcHBwcHBwcHBwcHBx=="),
  ),
  malformed("updated_at as a number", "updated_at must be text", changed("", "updated_at", 5)),
  malformed("backups as an object", "backups must be a list", changed("", "backups", {})),
  malformed("backups null", "backups must be a list", changed("", "backups", null)),
  malformed("a backup that is text", "backups must be a list of objects", changed("", "backups", ["x"])),
  malformed("a backup that is an array", "backups must be a list of objects", changed("", "backups", [[]])),
];

const NOT_WHOLE = [3.5, "390000", true, null, undefined, [390_000], {}, 390_000.5];
const OUT_OF_LIMITS = [0, -1, 1, 99_999, 10_000_001, 1e9, 1e12, 2 ** 53, -390_000];

const ITERATIONS: readonly Case[] = [
  ...NOT_WHOLE.map((value) =>
    malformed(`iterations ${JSON.stringify(value)}`, "not a whole number", changed("kdf", "iterations", value)),
  ),
  ...OUT_OF_LIMITS.map((value) =>
    unsupported(`iterations ${value}`, `kdf.iterations is ${value};`, changed("kdf", "iterations", value)),
  ),
  malformed("iterations 1e400", "not a whole number", SOUND.replace('"iterations": 390000', '"iterations": 1e400')),
];

describe("an envelope is refused before any key is derived, with the rule in words:", () => {
  const iterations = ITERATIONS.map((each) => ({ ...each, name: `security 11: ${each.name}` }));
  for (const { name, code, says, text } of [...TEXTS, ...FIELDS, ...iterations]) {
    test(name, async () => {
      const { vault, derivations } = testVault(text);
      const error = await refusal(vault.unlock(PASSPHRASE));
      expect(error.code).toBe(code);
      expect(error.message).toContain(says);
      if (code === "vault_malformed") expect(error.message).toContain("comfyvn-sync vault restore");
      expect(derivations).toEqual([]);
    });
  }

  test("an unknown algorithm's name, which may be anything, is not repeated", async () => {
    const { vault } = testVault(changed("kdf", "name", "hunter2"));
    expect((await refusal(vault.unlock(PASSPHRASE))).message).not.toContain("hunter2");
  });
});

describe("an envelope opens", () => {
  test("at both ends of the limits of iterations", async () => {
    const seal = (iterations: number) => JSON.stringify(foreignSeal('{"n":1}', "pw", iterations));
    expect(await testVault(seal(100_000)).vault.unlock("pw")).toEqual({ n: 1 });
    expect(await testVault(seal(10_000_000)).vault.unlock("pw")).toEqual({ n: 1 });
  }, 30_000);

  test("with damaged backups, of which none is looked at", async () => {
    const { vault } = testVault(changed("", "backups", [{}, { version: 99 }, { kdf: { iterations: 1e12 } }]));
    expect(await vault.get("n", PASSPHRASE)).toBe(2);
  });

  test("with more than five backups and without updated_at", async () => {
    const { backups, updated_at: _date, ...root } = parseObject(SOUND);
    const many = Array.from({ length: 7 }, () => (Array.isArray(backups) ? (backups[0] as JsonObject) : {}));
    expect(await testVault(JSON.stringify({ ...root, backups: many })).vault.get("n", PASSPHRASE)).toBe(2);
  });

  test("under a passphrase as it is spelled, not normalised", async () => {
    const { vault } = testVault(JSON.stringify(foreignSeal("{}", "caf\u00e9")));
    expect(await vault.unlock("caf\u00e9")).toEqual({});
    await expectCode(vault.unlock("cafe\u0301"), "vault_wrong_passphrase");
  });
});

describe("what the plaintext may be", () => {
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["text", '"x"', "not a JSON object"],
    ["null", "null", "not a JSON object"],
    ["an array", "[{}]", "not a JSON object"],
    ["Python's NaN", '{"x": NaN}', "not valid JSON"],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "not valid UTF-8"],
    ["nesting of 100,000 levels", `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "nested more than"],
  ];
  for (const [name, plaintext, says] of cases) {
    test(`${name} is refused, with a passphrase that opens it`, async () => {
      const error = await refusal(testVault(JSON.stringify(foreignSeal(plaintext, "pw"))).vault.unlock("pw"));
      expect(error.code).toBe("vault_malformed");
      expect(error.message).toContain(says);
    });
  }
});

describe("what is written", () => {
  test("has interop's fields in interop's order, indented by two, so that the Python reader takes it", async () => {
    const { vault, storage } = testVault();
    await vault.create({ n: 1 }, "pw");
    await vault.store({ n: 2 }, "pw");
    const text = storage.text() ?? "";
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), undefined, 2)}\n`);
    const fields = ["version", "kdf", "cipher", "updated_at"];
    expect(Object.keys(parseObject(text))).toEqual([...fields, "backups"]);
    for (const entry of [parseObject(text), ...backupsOf(text)]) {
      expect(Object.keys(member(entry, "kdf"))).toEqual(["name", "iterations", "salt"]);
      expect(Object.keys(member(entry, "cipher"))).toEqual(["name", "nonce", "ciphertext"]);
      expect(entry["version"]).toBe(1);
    }
    expect(backupsOf(text).map((entry) => Object.keys(entry))).toEqual([[...fields, "archived_at"]]);
  });

  test("has 390,000 iterations, a salt of 16 and a nonce of 12 bytes, and dates as Python writes them", async () => {
    const { vault, storage } = testVault(undefined, {
      iterations: 390_000,
      clock: { now: () => 0, sleep: () => Promise.resolve() },
    });
    await vault.create({}, "pw");
    const root = parseObject(storage.text());
    expect(member(root, "kdf")["iterations"]).toBe(390_000);
    expect(atob(String(member(root, "kdf")["salt"]))).toHaveLength(16);
    expect(atob(String(member(root, "cipher")["nonce"]))).toHaveLength(12);
    expect(root["updated_at"]).toBe("1970-01-01T00:00:00.000000+00:00");
  });

  test("never repeats a salt or a nonce", async () => {
    const { vault, storage } = testVault();
    const seen = new Set<unknown>();
    for (let n = 0; n < 8; n++) {
      await vault.store({ n }, "pw");
      const root = parseObject(storage.text());
      seen.add(member(root, "kdf")["salt"]).add(member(root, "cipher")["nonce"]);
    }
    expect(seen.size).toBe(16);
  });
});

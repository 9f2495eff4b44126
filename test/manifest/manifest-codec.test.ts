import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SyncError } from "../../src/core/errors.ts";
import { manifestChecksum } from "../../src/manifest/checksum.ts";
import { decodeCacheFile, decodeRemoteManifest } from "../../src/manifest/decode-manifest.ts";
import { encodeCacheFile, encodeRemoteManifest, joinChunks } from "../../src/manifest/encode-manifest.ts";
import { orderedEntries } from "../../src/manifest/entries-in-order.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { expectCode, manifestOf, newHasher, sha256Of } from "./support.ts";

const SHA = "0".repeat(64);

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A remote document whose manifest has these entries, as JSON text. */
function documentOf(entries: string): Uint8Array {
  return bytesOf(`{"manifest": {"name": "n", "root": "/r", "created_at": "t", "entries": ${entries}}}`);
}

async function expectMalformed(bytes: Uint8Array, rule: string): Promise<void> {
  const error = await decodeRemoteManifest(bytes).catch((caught: unknown) => caught);
  if (!(error instanceof SyncError)) throw new Error("it was read", { cause: error });
  expect(error.code).toBe("manifest_malformed");
  expect(error.message).toContain(rule);
}

describe("a manifest that is written", () => {
  test("has the fields, layout and numbers of the Python studio's file", async () => {
    const text = new TextDecoder().decode(await joinChunks(encodeCacheFile("s3", "c", manifestOf({ é: "1" }))));
    expect(text).toBe(`{
  "service": "s3",
  "name": "test",
  "checksum": "c",
  "manifest": {
    "name": "test",
    "root": "/workspace",
    "created_at": "2025-11-18T04:05:06.789000+00:00",
    "entries": {
      "é": {
        "path": "é",
        "size": 1,
        "mtime": 1731912306.0,
        "sha256": "${sha256Of("1")}"
      }
    }
  }
}`);
  });

  test("never becomes one string: a large one comes in many chunks", async () => {
    const many = manifestOf(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`assets/${i}`, "x"])));
    const chunks = [...encodeRemoteManifest(many)];
    expect(chunks.length).toBeGreaterThan(5);
    expect(Math.max(...chunks.map((chunk) => chunk.byteLength))).toBeLessThan(100_000);
    const { manifest } = await decodeRemoteManifest(await joinChunks(chunks));
    expect(manifest).toEqual(many);
  });

  test("keeps what the caller puts beside it, but no second manifest", async () => {
    const extra = { lease: { owner: "a\nb", list: [1, { deep: true }] }, manifest: "mine", nothing: undefined };
    const read = await decodeRemoteManifest(await joinChunks(encodeRemoteManifest(manifestOf({ a: "1" }), extra)));
    expect(read.extra).toEqual({ lease: { owner: "a\nb", list: [1, { deep: true }] } });
    expect(read.manifest).toEqual(manifestOf({ a: "1" }));
    const text = new TextDecoder().decode(await joinChunks(encodeRemoteManifest(manifestOf({}), { a: { b: 1 } })));
    expect(text).toStartWith('{\n  "a": {\n    "b": 1\n  },\n  "manifest": {');
  });
});

test("whatever a manifest holds comes back as it was", async () => {
  const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }).filter((s) => !/^\.{1,2}$|[/\0]/.test(s));
  const path = fc.array(fc.oneof(segment, fc.constantFrom("__proto__", "constructor", "7", "a\\b", '"', "\u2028")), {
    minLength: 1,
    maxLength: 3,
  });
  const entry = fc.record({
    path: path.map((segments) => segments.join("/")),
    size: fc.maxSafeNat(),
    mtime: fc.double({ noNaN: true, noDefaultInfinity: true }),
    sha256: fc.constantFrom(SHA, "f".repeat(64)),
  });
  const property = fc.asyncProperty(fc.array(entry, { maxLength: 8 }), fc.string(), async (entries, root) => {
    const manifest: Manifest = { name: "n", root, created_at: "t", entries: orderedEntries(entries) };
    const checksum = await manifestChecksum(manifest, newHasher);
    const read = await decodeCacheFile(await joinChunks(encodeCacheFile("s3", checksum, manifest)), newHasher);
    expect(read).toEqual({ service: "s3", checksum, manifest });
  });
  await fc.assert(property, { numRuns: 200 });
});

describe("a manifest that is read", () => {
  test("may come in any order, with unknown fields, integer mtimes, and entries without a path", async () => {
    const bytes =
      bytesOf(`\uFEFF { "later": [{}, "]}"], "manifest" :\r\n{"entries":{"b":{"sha256":"${SHA}","size":0,"mtime":5,"new":{"x":[1]}},
      "a":{"path":"a","size":1,"mtime":1e-05,"sha256":"${SHA}"}},"version":9}}\n`);
    const { manifest, extra } = await decodeRemoteManifest(bytes);
    expect([...manifest.entries.values()]).toEqual([
      { path: "a", size: 1, mtime: 1e-5, sha256: SHA },
      { path: "b", size: 0, mtime: 5, sha256: SHA },
    ]);
    expect(extra).toEqual({ later: [{}, "]}"] });
  });

  test("a key named __proto__ is a path like any other", async () => {
    const bytes = documentOf(`{"__proto__": {"size": 1, "mtime": 1.0, "sha256": "${SHA}"}}`);
    const { manifest } = await decodeRemoteManifest(bytes);
    expect(manifest.entries.get("__proto__")).toEqual({ path: "__proto__", size: 1, mtime: 1, sha256: SHA });
  });

  test("a key named __proto__ beside the manifest stays a key", async () => {
    const { extra } = await decodeRemoteManifest(bytesOf(`{"__proto__": {"x": 1}, "manifest": {"entries": {}}}`));
    expect(Object.keys(extra)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(extra)).toBe(Object.prototype);
  });

  test("a manifest without entries is broken, never empty", async () => {
    await expectMalformed(bytesOf(`{"manifest": {"name": "n"}}`), "'entries'");
    await expectMalformed(bytesOf("{}"), "'manifest'");
    await expectMalformed(bytesOf(""), "not a JSON object");
    await expectMalformed(documentOf("[]"), "'entries'");
    await expectMalformed(documentOf("null"), "'entries'");
  });

  test("a document cut short anywhere is refused", async () => {
    const whole = await joinChunks(encodeRemoteManifest(manifestOf({ a: "1", 'b"\\': "2" })));
    for (let length = 0; length < whole.byteLength; length++) {
      await expectCode(() => decodeRemoteManifest(whole.subarray(0, length)), "manifest_malformed");
    }
  });

  test.each([
    `{"manifest": {"entries": {}},}`,
    `{"manifest": {"entries": {}} "a": 1}`,
    `{"manifest": {"entries": {}}} {}`,
    `{"manifest": {"entries": {,}}}`,
    `{"manifest": {"entries": {"a" {}}}}`,
    `{"manifest": {"entries": {"a": ]}}}`,
    `{"manifest": {"entries": {"a": [}}}}`,
    `{"manifest": {"entries": {}}, "a": NaN}`,
    `{"manifest": {"entries": {}}, "a": }`,
    `{"manifest": {"entries": {}}, "a": nul}`,
    `{"manifest": {"entries": {}}, 'a': 1}`,
    `{"manifest": {"entries": {}}, "a\u0001": 1}`,
    `[{"manifest": {"entries": {}}}]`,
  ])("text that is not quite JSON is refused: %s", async (text) => {
    await expectCode(() => decodeRemoteManifest(bytesOf(text)), "manifest_malformed");
  });

  test("bytes that are not UTF-8 are refused", async () => {
    const bytes = documentOf(`{"a": {"size": 1, "mtime": 1.0, "sha256": "${SHA}"}}`);
    bytes[bytes.indexOf(0x61, 70)] = 0xff;
    await expectMalformed(bytes, "UTF-8");
  });

  test("nesting is refused before a parser recurses into it", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    await expectMalformed(bytesOf(`{"x": ${deep}, "manifest": {"entries": {}}}`), "nested");
    await expectMalformed(documentOf(`{"a": ${deep}}`), "nested");
  });

  test.each([
    ["../x", "'..'"],
    ["a/../b", "'..'"],
    ["/etc/passwd", "absolute"],
    ["a//b", "empty segment"],
    ["a/", "empty segment"],
    ["./a", "'.'"],
    ["", "empty segment"],
    ["a\\u0000b", "NUL"],
    ["\\ud83d", "Unicode"],
    ["a".repeat(5_000), "longer"],
  ])("the path %p is refused", async (path, rule) => {
    await expectMalformed(documentOf(`{"${path}": {"size": 1, "mtime": 1.0, "sha256": "${SHA}"}}`), rule);
  });

  test.each(["a\\\\b", "c:x", "..a", "a/...", "a b/c+d%20.txt", "con"])(
    "the path %p exists on some disk and is read",
    async (path) => {
      const { manifest } = await decodeRemoteManifest(
        documentOf(`{"${path}": {"size": 1, "mtime": 1.0, "sha256": "${SHA}"}}`),
      );
      expect(manifest.entries.size).toBe(1);
    },
  );

  test.each([
    [`{"path": "b", "size": 1, "mtime": 1.0, "sha256": "${SHA}"}`, "'path'"],
    [`{"path": null, "size": 1, "mtime": 1.0, "sha256": "${SHA}"}`, "'path'"],
    [`{"size": -1, "mtime": 1.0, "sha256": "${SHA}"}`, "'size'"],
    [`{"size": 1.5, "mtime": 1.0, "sha256": "${SHA}"}`, "'size'"],
    [`{"size": "1", "mtime": 1.0, "sha256": "${SHA}"}`, "'size'"],
    [`{"size": 9007199254740992, "mtime": 1.0, "sha256": "${SHA}"}`, "'size'"],
    [`{"mtime": 1.0, "sha256": "${SHA}"}`, "'size'"],
    [`{"size": 1, "mtime": 1e999, "sha256": "${SHA}"}`, "'mtime'"],
    [`{"size": 1, "mtime": "1.0", "sha256": "${SHA}"}`, "'mtime'"],
    [`{"size": 1, "sha256": "${SHA}"}`, "'mtime'"],
    [`{"size": 1, "mtime": 1.0, "sha256": "${"A".repeat(64)}"}`, "'sha256'"],
    [`{"size": 1, "mtime": 1.0, "sha256": "${"0".repeat(63)}"}`, "'sha256'"],
    [`{"size": 1, "mtime": 1.0, "sha256": "${SHA}\\n"}`, "'sha256'"],
    [`{"size": 1, "mtime": 1.0}`, "'sha256'"],
    ["[]", "not an object"],
    ["null", "not an object"],
  ])("the entry %s is refused", async (entry, rule) => {
    await expectMalformed(documentOf(`{"a": ${entry}}`), rule);
  });

  test.each(["name", "root", "created_at"])("a %s that is not text is refused", async (field) => {
    await expectMalformed(bytesOf(`{"manifest": {"${field}": 7, "entries": {}}}`), `'${field}'`);
  });

  test("an error never repeats what stood in the document", async () => {
    const error = await decodeRemoteManifest(documentOf(`{"../canary": {"sha256": "canary"}}`)).catch(
      (caught: unknown) => caught,
    );
    expect((error as SyncError).message).not.toContain("canary");
  });
});

describe("a cache file", () => {
  test("whose entries were altered is not believed", async () => {
    const manifest = manifestOf({ a: "1" });
    const checksum = await manifestChecksum(manifest, newHasher);
    const altered = manifestOf({ a: "2" });
    await expectCode(
      async () => decodeCacheFile(await joinChunks(encodeCacheFile("s3", checksum, altered)), newHasher),
      "manifest_checksum",
    );
  });

  test("without its checksum or service is malformed", async () => {
    await expectCode(
      async () => decodeCacheFile(await joinChunks(encodeRemoteManifest(manifestOf({}), { service: "s3" })), newHasher),
      "manifest_malformed",
    );
    await expectCode(
      async () => decodeCacheFile(await joinChunks(encodeRemoteManifest(manifestOf({}), { checksum: "c" })), newHasher),
      "manifest_malformed",
    );
  });

  test("is not read on when the caller stops", async () => {
    const bytes = await joinChunks(encodeCacheFile("s3", "c", manifestOf({})));
    await expectCode(() => decodeCacheFile(bytes, newHasher, AbortSignal.abort()), "aborted");
  });
});

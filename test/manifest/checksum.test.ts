import { describe, expect, test } from "bun:test";
import { manifestChecksum, manifestDigests } from "../../src/manifest/checksum.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import vectors from "../vectors/manifest/checksum.json" with { type: "json" };
import { expectCode, manifestOf, newHasher } from "./support.ts";

describe("the checksum", () => {
  test.each(vectors.cases.map((one, index) => [index, one] as const))(
    "of vector %i is the Python studio's",
    async (_, one) => {
      // In the order of the file, which is not that of the paths.
      const manifest = { ...manifestOf({}), entries: new Map(Object.entries(one.entries)) } as Manifest;
      expect(await manifestChecksum(manifest, newHasher)).toBe(one.checksum);
      expect((await manifestDigests(manifest, newHasher)).checksum).toBe(one.checksum);
    },
  );

  test("covers more text than one batch holds", async () => {
    const many = manifestOf(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`a/${i}`, `${i}`])));
    const text = [...many.entries.values()]
      .map(({ path, size, sha256 }) => `${path}${size}1731912306.0${sha256}`)
      .join("");
    const hasher = newHasher();
    hasher.update(new TextEncoder().encode(text));
    expect(await manifestChecksum(many, newHasher)).toBe(hasher.digestHex());
  });

  test("stops when the caller does", async () => {
    await expectCode(() => manifestChecksum(manifestOf({}), newHasher, AbortSignal.abort()), "aborted");
  });
});

describe("the digest", () => {
  test("is the same for equal content with other mtimes, the checksum is not", async () => {
    const here = await manifestDigests(manifestOf({ a: "1", b: "2" }, 1), newHasher);
    const there = await manifestDigests(manifestOf({ b: "2", a: "1" }, 2), newHasher);
    expect(here.digest).toBe(there.digest);
    expect(here.checksum).not.toBe(there.checksum);
  });

  test("differs with the content", async () => {
    const { digest } = await manifestDigests(manifestOf({ a: "1" }), newHasher);
    expect((await manifestDigests(manifestOf({ a: "2" }), newHasher)).digest).not.toBe(digest);
    expect((await manifestDigests(manifestOf({ b: "1" }), newHasher)).digest).not.toBe(digest);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compareCodePoints } from "../../src/core/code-point.ts";
import { diffManifests } from "../../src/manifest/diff.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { manifestOf, sha256Of } from "./support.ts";

describe("the plan between two manifests", () => {
  test("uploads what is new or other, deletes what is gone, skips the rest", () => {
    const diff = diffManifests(
      "s3",
      "nightly",
      manifestOf({ b: "new", c: "changed", d: "same" }),
      manifestOf({ a: "gone", c: "old", d: "same" }),
    );
    expect(diff).toEqual({
      service: "s3",
      snapshot: "nightly",
      uploads: [
        { action: "upload", path: "b", size: 3, sha256: sha256Of("new"), reason: "missing_remote" },
        { action: "upload", path: "c", size: 7, sha256: sha256Of("changed"), reason: "content_mismatch" },
      ],
      deletes: [{ action: "delete", path: "a", size: 4, sha256: sha256Of("gone"), reason: "missing_local" }],
      unchanged: [{ action: "skip", path: "d", size: 4 }],
      retained: [],
      bytes_to_upload: 10,
      files_to_upload: 2,
      files_to_delete: 1,
      files_unchanged: 1,
    });
  });

  test("an mtime alone is no change", () => {
    expect(diffManifests("s3", "x", manifestOf({ a: "1" }, 1), manifestOf({ a: "1" }, 2)).files_to_upload).toBe(0);
  });

  test("without a remote manifest everything is uploaded and nothing deleted", () => {
    const diff = diffManifests("s3", "x", manifestOf({ a: "1", b: "2" }), undefined);
    expect(diff.uploads.map(({ path, reason }) => [path, reason])).toEqual([
      ["a", "missing_remote"],
      ["b", "missing_remote"],
    ]);
    expect(diff.deletes).toEqual([]);
  });

  test("what the caller retains is neither deleted nor lost", () => {
    const remote = manifestOf({ "assets/a": "1", "docs/b": "2" });
    const diff = diffManifests("s3", "x", manifestOf({}), remote, (path) =>
      path.startsWith("docs/") ? "retain" : "delete",
    );
    expect(diff.deletes.map(({ path }) => path)).toEqual(["assets/a"]);
    expect(diff.retained).toEqual([remote.entries.get("docs/b")!]);
  });

  test("a Map filled in another order deletes nothing that is there", () => {
    const ordered = manifestOf({ a: "1", b: "2", c: "3" });
    const shuffled: Manifest = { ...ordered, entries: new Map([...ordered.entries].toReversed()) };
    const diff = diffManifests("s3", "x", ordered, shuffled);
    expect([diff.files_to_upload, diff.files_to_delete, diff.files_unchanged]).toEqual([0, 0, 3]);
  });

  test("is by code point, where UTF-16 would differ", () => {
    const diff = diffManifests("s3", "x", manifestOf({ "😀": "1", "\uFFFD": "2" }), undefined);
    expect(diff.uploads.map(({ path }) => path)).toEqual(["\uFFFD", "😀"]);
  });
});

test("any two manifests differ as sets say they do", () => {
  const content = fc.dictionary(
    fc.constantFrom("a", "a/b", "a-b", "b", "é", "😀", "\uFFFD", "__proto__"),
    fc.constantFrom("1", "2"),
  );
  const property = fc.property(content, content, (here, there) => {
    const local = manifestOf(here);
    const remote = manifestOf(there);
    const diff = diffManifests("s3", "x", local, remote);
    const names = (changes: readonly { readonly path: string }[]) => changes.map(({ path }) => path);
    const isSame = (path: string) => local.entries.get(path)?.sha256 === remote.entries.get(path)?.sha256;
    const mine = [...local.entries.keys()];
    expect(names(diff.uploads)).toEqual(mine.filter((path) => !isSame(path)).toSorted(compareCodePoints));
    expect(names(diff.unchanged)).toEqual(mine.filter(isSame).toSorted(compareCodePoints));
    expect(names(diff.deletes)).toEqual(
      [...remote.entries.keys()].filter((path) => !local.entries.has(path)).toSorted(compareCodePoints),
    );
  });
  fc.assert(property, { numRuns: 300 });
});

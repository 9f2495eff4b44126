import { expect, test } from "bun:test";
import { manifestDigests } from "../../src/manifest/checksum.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { summariseManifest } from "../../src/manifest/summary.ts";
import { manifestOf, newHasher } from "./support.ts";

test("a summary counts entries and bytes and says what was left out", async () => {
  const manifest = manifestOf({ "assets/a": "123", "assets/b": "4567" });
  const scope = createScope({ include: ["assets/"], exclude: ["*.tmp"] });
  const skipped = [{ path: "assets/c", reason: "changed" as const }];
  expect(await summariseManifest(manifest, scope, skipped, newHasher)).toEqual({
    name: "test",
    root: "/workspace",
    created_at: "2025-11-18T04:05:06.789000+00:00",
    entries: 2,
    ...(await manifestDigests(manifest, newHasher)),
    bytes: 7,
    include: ["assets"],
    exclude: ["*.tmp"],
    skipped,
  });
});

/** Paths of a request at which there is nothing: a misspelt one would pass for mirrored. */
import { expect, test } from "bun:test";
import type { ManifestEntry } from "../../src/manifest/manifest.ts";
import { absentPathWarnings } from "../../src/sync/absent-paths.ts";
import { createWorkspace } from "../support/workspace.ts";

test("a path that is nowhere is told by the dry run and by the run", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const paths = ["assets", "asets", "data/sav"];
  const [told, ...others] = (await workspace.dryRun({ paths })).summary.warnings;
  expect(others).toEqual([]);
  expect(told).toBe(
    "there is nothing at 2 of the paths asked for, here or at the destination: asets, data/sav. Check how they are spelt",
  );
  const { summary } = await workspace.run({ paths });
  expect([summary.status, summary.uploads, summary.warnings]).toEqual(["ok", ["assets/a"], [told ?? ""]]);
});

test("a few of many such paths are named", async () => {
  const workspace = await createWorkspace({});
  const paths = Array.from({ length: 5 }, (_, n) => `gone${n}`);
  const [told = ""] = (await workspace.dryRun({ paths })).summary.warnings;
  expect(paths.filter((path) => told.includes(path))).toEqual(paths.slice(0, 3));
});

test("nothing is said of places that a workspace need not have, when nobody asked for them", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  expect((await workspace.dryRun()).summary.warnings).toEqual([]);
});

test("nor of a path that only the destination holds: its deletes are the plan", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "data/d": "D" });
  await workspace.run({ paths: ["assets", "data"] });
  workspace.remove("data");
  const { plan, summary } = await workspace.dryRun({ paths: ["data"] });
  expect([plan.files_to_delete, summary.warnings]).toEqual([1, []]);
});

test("hundreds of them cost one pass over a large mirror, not one each", () => {
  let asked = 0;
  class CountedEntries extends Map<string, ManifestEntry> {
    override *keys(): MapIterator<string> {
      for (const path of super.keys()) {
        asked++;
        yield path;
      }
    }
  }
  const paths = Array.from({ length: 1_000 }, (_, n) => `assets/${n}`);
  const entries = new CountedEntries(paths.map((path) => [path, { path, size: 0, mtime: 0, sha256: "" }]));
  const missingIncludes = Array.from({ length: 256 }, (_, n) => `asets/${n}`);
  const remote = { name: "default", root: "", created_at: "", entries };
  expect(absentPathWarnings({ pathsAsked: true }, { missingIncludes }, remote)).toHaveLength(1);
  expect(asked).toBe(paths.length);
});

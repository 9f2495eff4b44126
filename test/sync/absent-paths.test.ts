/** Paths of a request at which there is nothing: a misspelt one would pass for mirrored. */
import { expect, test } from "bun:test";
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

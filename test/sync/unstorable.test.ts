/** Files whose names the destination cannot hold: a run fails them one by one, and a plan says so before. */
import { expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import { createWorkspace } from "../support/workspace.ts";

/** With `default/` before it 1,024 bytes and a few: what S3, and the store in memory, do not take. */
const LONG = `assets/${Array.from({ length: 4 }, () => "é".repeat(127)).join("/")}/x`;

test("a file with too long a key is told by the dry run, as the run would fail it", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", [LONG]: "B" });
  const { plan, summary } = await workspace.dryRun();
  expect(plan.uploads.map((change) => change.path)).toContain(LONG);
  expect(summary.warnings).toHaveLength(1);
  expect(summary.warnings[0]).toStartWith("1 file(s) cannot be stored at this destination");
  expect(summary.warnings[0]).toContain(LONG);
  const run = await workspace.run();
  expect(run.summary.errors).toMatchObject([{ action: "upload", path: LONG, code: "key_invalid" }]);
});

test("the names that a dry run gives are a few of many", async () => {
  const names = Array.from({ length: 5 }, (_, n) => `${LONG}${n}`);
  const workspace = await createWorkspace(Object.fromEntries(names.map((name) => [name, name])));
  const [warning = ""] = (await workspace.dryRun()).summary.warnings;
  expect(warning).toStartWith("5 file(s) cannot be stored");
  expect(names.filter((name) => warning.includes(name))).toEqual(names.slice(0, 3));
});

test("an object that got its name from another tool is not deleted for a name that we could not give it", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  await workspace.run();
  workspace.wrap = (provider) => ({
    ...provider,
    keyFault: (key) => (key.endsWith("/a") ? "is not to its liking" : undefined),
  });
  const { plan, summary } = await workspace.dryRun();
  expect([plan.files_to_upload, plan.files_to_delete, summary.warnings]).toEqual([0, 0, []]);
});

test("a plan against the cache tells it too, as names need no answer of the destination", async () => {
  const workspace = await createWorkspace({ [LONG]: "B" });
  workspace.wrap = (provider) => ({
    ...provider,
    get: async () => {
      throw new SyncError("provider_denied", "unplugged");
    },
  });
  const { warnings } = (await workspace.dryRun()).summary;
  expect(warnings.some((warning) => warning.includes("cannot be stored"))).toBe(true);
});

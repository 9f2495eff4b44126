/** The local cache of what was last published: written when it would say something else, and only then. */
import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const fileOf = ({ root }: Workspace) => join(root, "cache/cloud/manifests/s3/default.json");
/** A file that is written anew is another one. */
const inodeOf = (workspace: Workspace) => statSync(fileOf(workspace), { bigint: true }).ino;
const textOf = (workspace: Workspace) => readFileSync(fileOf(workspace), "utf8");

/** A cache of several chunks. */
async function published(): Promise<Workspace> {
  const files = Array.from({ length: 800 }, (_, n) => [`assets/${n}`, `${n}`]);
  const workspace = await createWorkspace(Object.fromEntries(files));
  await workspace.run();
  return workspace;
}

test("a run that finds nothing to do leaves the cache as it is", async () => {
  const workspace = await published();
  const before = [inodeOf(workspace), textOf(workspace)];
  const { committed } = await workspace.run();
  expect(committed).toBe(true);
  expect([inodeOf(workspace), textOf(workspace)]).toEqual(before);
});

describe("the cache is written again when", () => {
  for (const [what, damage] of [
    ["it is cut off", (workspace: Workspace) => truncateSync(fileOf(workspace), statSync(fileOf(workspace)).size - 1)],
    ["it is empty", (workspace: Workspace) => writeFileSync(fileOf(workspace), "")],
    ["it is gone", (workspace: Workspace) => workspace.remove("cache/cloud/manifests/s3/default.json")],
    [
      "it has another checksum",
      (workspace: Workspace) =>
        writeFileSync(fileOf(workspace), textOf(workspace).replace(/"checksum": "\w/, '"checksum": "x')),
    ],
    [
      "a digit in its middle is another one",
      (workspace: Workspace) => {
        const text = textOf(workspace);
        const at = text.indexOf('"sha256": "', text.length / 2) + '"sha256": "'.length;
        writeFileSync(fileOf(workspace), `${text.slice(0, at)}${text[at] === "0" ? "1" : "0"}${text.slice(at + 1)}`);
      },
    ],
    [
      "it has something after its end",
      (workspace: Workspace) => writeFileSync(fileOf(workspace), `${textOf(workspace)}garbage`),
    ],
  ] as const) {
    test(what, async () => {
      const workspace = await published();
      const whole = textOf(workspace);
      damage(workspace);
      await workspace.run();
      expect(textOf(workspace)).toBe(whole);
    });
  }

  test("one file of many has changed", async () => {
    const workspace = await published();
    const before = textOf(workspace);
    workspace.write("assets/799", "changed");
    await workspace.run();
    expect(textOf(workspace)).not.toBe(before);
    expect((await workspace.dryRun()).plan.files_to_upload).toBe(0);
  });

  test("another workspace's run has published since", async () => {
    const workspace = await published();
    const other = await createWorkspace({ "assets/other": "o" }, workspace.store);
    await other.run({ confirm_deletes: true });
    const before = textOf(workspace);
    await workspace.run({ paths: ["assets/0"] });
    expect(textOf(workspace)).not.toBe(before);
    expect(JSON.parse(textOf(workspace))).toMatchObject({ manifest: { entries: { "assets/other": { size: 1 } } } });
  });
});

import { expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CreatedBackup } from "../../src/app.ts";
import { createdStatus } from "../../src/cli/backup-status.ts";
import { cliWorkspace } from "./cli-process.ts";

test("backups are created, listed, verified and restored; a damaged one ends with status 1", async () => {
  const workspace = cliWorkspace();
  const { root } = workspace;
  writeFileSync(join(root, "data"), "a file named as a folder");
  const created = await workspace.call(["backup", "create", "--label", "one", "--max-backups", "3", "--json"]);
  expect(created.status).toBe(0);
  const { name, files } = JSON.parse(created.stdout) as { name: string; files: number };
  expect(files).toBe(1);

  const listed = await workspace.call(["backup", "list"]);
  expect(listed.stdout).toContain(name);
  expect((await workspace.call(["backup", "verify", name])).stdout).toContain(`${name}: whole, 1 file`);

  rmSync(join(root, "data"));
  const restored = await workspace.call(["backup", "restore", name]);
  expect(restored).toMatchObject({ status: 0, stdout: `${name}: 1 file restored, 0 skipped\n` });
  expect(existsSync(join(root, "data"))).toBe(true);
  const again = await workspace.call(["backup", "restore", name]);
  expect(again.stdout).toBe(`${name}: 0 files restored, 1 skipped (1 exists)\n`);

  writeFileSync(join(root, "backups/cloud", name), "no archive");
  expect((await workspace.call(["backup", "verify", name])).status).toBe(1);
  const refused = await workspace.call(["backup", "restore", name, "--replace-existing"]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("is no ZIP archive");
});

test("a restore that does not find what it was asked for ends with status 3", async () => {
  const workspace = cliWorkspace();
  writeFileSync(join(workspace.root, "data"), "a file named as a folder");
  const created = await workspace.call(["backup", "create", "--json"]);
  const { name } = JSON.parse(created.stdout) as { name: string };
  const restored = await workspace.call(["backup", "restore", name, "--path", "dat"]);
  expect(restored).toMatchObject({ status: 3, stdout: `${name}: 0 files restored, 1 skipped (1 missing)\n` });
});

test("a backup without what could not be read is partial; without what is never archived it is whole", () => {
  const without = (reason: CreatedBackup["skipped"][number]["reason"]) => [{ path: "assets/a", reason }];
  expect(createdStatus({ skipped: without("unreadable") })).toBe(3);
  expect(createdStatus({ skipped: without("changed") })).toBe(3);
  expect(createdStatus({ skipped: [...without("symlink"), ...without("unportable_name")] })).toBe(0);
});

test("counts that are none are wrong usage", async () => {
  const workspace = cliWorkspace();
  for (const count of ["0", "51", "x", "1.5"]) {
    expect((await workspace.call(["backup", "create", "--max-backups", count])).status).toBe(2);
  }
});

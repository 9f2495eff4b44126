import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { $ } from "bun";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { TreeListing } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { tree } = bunPlatform();

const NOTHING: TreeListing = { files: [], folders: [], symlinks: [], others: [], invalid: [] };

test("a name that is not UTF-8 is told from one that really holds U+FFFD", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "real\uFFFD"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/raw`), Buffer.from([0xff])]), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/raw`), Buffer.from([0xfe])]), "");
  expect(tree.list(folder)).toEqual({ ...NOTHING, files: ["real\uFFFD"], invalid: ["raw\uFFFD"] });
});

test("a lossy name that equals a valid one gives both, each once", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "x\uFFFD"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/x`), Buffer.from([0xff])]), "");
  expect(tree.list(folder)).toEqual({ ...NOTHING, files: ["x\uFFFD"], invalid: ["x\uFFFD"] });
});

test("opening a FIFO or a symlink for a scan neither hangs nor follows", async () => {
  const folder = tempFolder();
  await $`mkfifo ${folder}/pipe && ln -s /etc/hostname ${folder}/link`;
  const pipe = tree.open(join(folder, "pipe"));
  expect(pipe.stat().kind).toBe("other");
  pipe.close();
  expect(() => tree.open(join(folder, "link"))).toThrow("cannot be read (ELOOP)");
});

test("a file that cannot be looked at once it is open is unreadable, and ends no scan", () => {
  const path = join(tempFolder(), "file");
  writeFileSync(path, "");
  const file = tree.open(path);
  // Stands for a network mount that has forgotten it.
  file.close();
  const unreadable = { name: "SyncError", code: "file_unreadable" };
  expect(() => file.stat()).toThrow(expect.objectContaining(unreadable));
  expect(() => file.glance()).toThrow(expect.objectContaining(unreadable));
});

test("a folder that has become a symlink is not listed through it", () => {
  const folder = tempFolder();
  symlinkSync("/etc", join(folder, "was-a-folder"));
  expect(() => tree.list(join(folder, "was-a-folder"))).toThrow("is no folder any more");
});

test("a file that is saved anew while its folder is listed is in every listing", async () => {
  // Where there is one, a memory file system: it leaves such names out, as btrfs does.
  const folder = existsSync("/dev/shm") ? mkdtempSync("/dev/shm/list-") : tempFolder();
  const names = Array.from({ length: 2_000 }, (_, k) => `file-${k}`);
  for (const name of names) writeFileSync(join(folder, name), "");
  const saving = spawn("sh", ["-c", 'while :; do for f in file-*; do : > save~ && mv save~ "$f"; done; done'], {
    cwd: folder,
    stdio: "ignore",
  });
  try {
    await once(saving, "spawn");
    const inode = () => tree.lstat(join(folder, "file-0"))?.inode;
    for (const first = inode(); inode() === first; ) await Bun.sleep(1);
    for (let k = 0; k < 60; k++) {
      const listed = new Set(tree.list(folder).files);
      expect(names.filter((name) => !listed.has(name))).toEqual([]);
    }
  } finally {
    saving.kill("SIGKILL");
    await once(saving, "exit");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

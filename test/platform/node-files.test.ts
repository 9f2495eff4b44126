import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { $ } from "bun";
import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { files } = bunPlatform();
const NODE_FILES = join(import.meta.dir, "../../src/platform/node/node-files.ts");
const bytes = (text: string) => new TextEncoder().encode(text);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
  return "no error";
}

test("another user's folder is not taken for our own, nor is a symlink of theirs", async () => {
  const folder = tempFolder();
  const [ours, link] = [join(folder, "ours"), join(folder, "link")];
  mkdirSync(ours);
  symlinkSync(ours, link);
  expect(await Promise.all([ours, link, join(folder, "missing")].map((path) => files.isOwn(path)))).toEqual([
    true,
    true,
    false,
  ]);
  // Only the superuser can give files away, and to everybody else the root folder is another's.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) lchownSync(link, 12_345, 12_345);
  expect(await files.isOwn(isRoot ? link : "/")).toBe(false);
});

describe("atomic writes", () => {
  test("the new file has its mode exactly and no temp file is left", async () => {
    const folder = tempFolder();
    const path = join(folder, "deep", "secret.json");
    await files.writeAtomic(path, bytes("one"), { mode: 0o600 });
    await files.writeAtomic(path, bytes("two"), { mode: 0o600 });
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "deep"))).toEqual(["secret.json"]);
  });

  test("a writer that is aborted leaves the old file and nothing beside it", async () => {
    const folder = tempFolder();
    const path = join(folder, "a");
    await files.writeAtomic(path, bytes("old"));
    const writer = await files.createAtomic(path);
    await writer.write(bytes("new and unfinished"));
    expect(readFileSync(path, "utf8")).toBe("old");
    await writer.abort();
    await writer.abort();
    expect(readdirSync(folder)).toEqual(["a"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("a name of 255 bytes still gets a temp name that fits", async () => {
    const folder = tempFolder();
    const name = "é".repeat(127);
    await files.writeAtomic(join(folder, name), bytes("x"));
    expect(readdirSync(folder)).toEqual([name]);
  });

  test("a full disk gives disk_full, the old file whole and no temp file", async () => {
    // /dev/full answers every write with ENOSPC; a link to it as the temp name is not possible, so fill a tiny tmpfs.
    const folder = tempFolder();
    const mounted = await $`mount -t tmpfs -o size=64k tmpfs ${folder}`.nothrow().quiet();
    if (mounted.exitCode !== 0) {
      console.warn("not run: mounting a small tmpfs needs root");
      return;
    }
    try {
      const path = join(folder, "vault.json");
      await files.writeAtomic(path, bytes("old"));
      expect(await codeOf(files.writeAtomic(path, new Uint8Array(200_000).fill(7)))).toBe("disk_full");
      expect(readFileSync(path, "utf8")).toBe("old");
      expect(readdirSync(folder)).toEqual(["vault.json"]);
    } finally {
      await $`umount ${folder}`.quiet();
    }
  });
});

describe("reads", () => {
  test("a missing file is undefined, a folder is unreadable, a FIFO does not hang", async () => {
    const folder = tempFolder();
    expect(await files.readBytes(join(folder, "none"))).toBeUndefined();
    expect(await codeOf(files.readBytes(folder))).toBe("file_unreadable");
    await $`mkfifo ${join(folder, "pipe")}`;
    expect(await codeOf(files.readBytes(join(folder, "pipe")))).toBe("file_unreadable");
  });

  test("a file over the bound is refused before it is read", async () => {
    const path = join(tempFolder(), "big");
    writeFileSync(path, "12345");
    expect(await codeOf(files.readBytes(path, 4))).toBe("file_unreadable");
    expect(await files.readBytes(path, 5)).toEqual(bytes("12345"));
  });

  test("a read past the end is short, not padded", async () => {
    const path = join(tempFolder(), "f");
    writeFileSync(path, "abcdef");
    const handle = await files.openRead(path);
    expect(await handle.read(4, 10)).toEqual(bytes("ef"));
    await handle.close();
  });
});

describe("locks", () => {
  test("a second holder in the same process waits, then fails as lock_busy", async () => {
    const path = join(tempFolder(), "x.lock");
    const lock = await files.lock(path);
    expect(await codeOf(files.lock(path, { timeoutMs: 20 }))).toBe("lock_busy");
    lock.release();
    lock.release();
    (await files.lock(path, { timeoutMs: 20 })).release();
    expect(statSync(path).size).toBe(0);
  });

  test("a lock file that may only be read is refused, since two could hold it", async () => {
    const path = join(tempFolder(), "x.lock");
    writeFileSync(path, "", { mode: 0o444 });
    const script = `import { nodeFiles } from ${JSON.stringify(NODE_FILES)};
      console.log(await nodeFiles.lock(${JSON.stringify(path)}).then(() => "held", (error) => error.code));`;
    // To root every file can be written, but for a root without this right.
    const asAnyone = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override", "--"] : [];
    const child = Bun.spawn([...asAnyone, process.execPath, "-e", script], { stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toBe("write_failed\n");
  });

  test("whoever may write in a folder may hold its locks, whatever the umask was", async () => {
    const folder = tempFolder();
    for (const [mode, expected] of [
      [0o755, 0o644],
      [0o775, 0o664],
      [0o700, 0o600],
    ] as const) {
      chmodSync(folder, mode);
      const path = join(folder, `${mode}.lock`);
      (await files.lock(path)).release();
      expect(statSync(path).mode & 0o777).toBe(expected);
    }
  });

  test("a holder killed with SIGKILL frees its lock", async () => {
    const folder = tempFolder();
    const path = join(folder, "x.lock");
    const script = join(folder, "hold.ts");
    writeFileSync(
      script,
      `import { nodeFiles } from ${JSON.stringify(NODE_FILES)};
       await nodeFiles.lock(${JSON.stringify(path)}); console.log("held"); setInterval(() => undefined, 1000);`,
    );
    const child = Bun.spawn([process.execPath, script], { stdout: "pipe" });
    try {
      await child.stdout.getReader().read();
      expect(await codeOf(files.lock(path, { timeoutMs: 20 }))).toBe("lock_busy");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    (await files.lock(path, { timeoutMs: 5_000 })).release();
  });
});

describe("removal", () => {
  test("a symlink is removed, not what it points to", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "target"), "kept");
    symlinkSync(join(folder, "target"), join(folder, "link"));
    expect(await files.remove(join(folder, "link"))).toBe(true);
    expect(await files.remove(join(folder, "link"))).toBe(false);
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("kept");
  });

  test("a folder that is not empty stays", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "d"));
    writeFileSync(join(folder, "d", "f"), "");
    expect(await codeOf(files.remove(join(folder, "d")))).toBe("write_failed");
    expect(readdirSync(join(folder, "d"))).toEqual(["f"]);
  });
});

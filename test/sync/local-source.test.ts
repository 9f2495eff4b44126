import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { localSource } from "../../src/sync/local-source.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { files, tree } = bunPlatform();

// Below and above what is read at once.
describe.each([[1_000], [300_000]])("a file of %d bytes", (size) => {
  const content = Uint8Array.from({ length: size }, (_, i) => i % 251);

  function planted() {
    const path = join(tempFolder(), "file");
    writeFileSync(path, content);
    return { path, source: localSource(files, tree, path, size) };
  }

  test("gives any part in any order, as often as asked", async () => {
    const open = await planted().source.open();
    const into = new Uint8Array(size);
    await open.readInto?.(0, into);
    expect(into).toEqual(content);
    expect(await open.read(500, 300)).toEqual(content.subarray(500, 800));
    expect(await open.read(0, size)).toEqual(content);
    await open.close();
  });

  test("that has grown or shrunk since it was hashed is refused before anything is read", async () => {
    const { path, source } = planted();
    appendFileSync(path, "x");
    await expect(source.open()).rejects.toMatchObject({ code: "file_changed" });
    truncateSync(path, size - 1);
    await expect(source.open()).rejects.toMatchObject({ code: "file_changed" });
  });

  test("that shrinks while it is open is refused, and not filled up with what was in memory", async () => {
    const { path, source } = planted();
    const open = await source.open();
    truncateSync(path, size - 100);
    await expect(open.readInto?.(0, new Uint8Array(size))).rejects.toMatchObject({ code: "file_changed" });
    await expect(open.read(size - 200, 200)).rejects.toMatchObject({ code: "file_changed" });
    await open.close();
  });
});

test("a folder in the place of a file is refused", async () => {
  const path = join(tempFolder(), "folder");
  mkdirSync(path);
  await expect(localSource(files, tree, path, 10).open()).rejects.toMatchObject({ code: "file_unreadable" });
});

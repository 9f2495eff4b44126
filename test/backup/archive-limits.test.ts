import { expect, test } from "bun:test";
import { PathCollisions } from "../../src/backup/archive-names.ts";
import { ArchiveWriter } from "../../src/backup/archive-writer.ts";
import type { AtomicWriter } from "../../src/platform/contract.ts";
import { codeOf } from "../support/workspace.ts";

const nowhere: AtomicWriter = {
  write: async () => undefined,
  writeAt: async () => undefined,
  truncate: async () => undefined,
  commit: async () => undefined,
  abort: async () => undefined,
};

function entry(name: string) {
  const numbers = { method: 0, crc: 0, size: 0, compressedSize: 0, offset: 0, mtime: 0, mode: 0o644 };
  return { name: new TextEncoder().encode(name), ...numbers, roomy: false };
}

test("an archive with more entries than restore takes is not written", async () => {
  const writer = new ArchiveWriter(nowhere, { entriesMax: 2, directoryBytesMax: 1_000 });
  for (const name of ["a", "b"]) await writer.add(entry(name), new Uint8Array());
  expect(await codeOf((async () => await writer.add(entry("c"), new Uint8Array()))())).toBe("backup_too_large");
});

test("an archive with a larger directory than restore takes is not written", async () => {
  const writer = new ArchiveWriter(nowhere, { entriesMax: 9, directoryBytesMax: 1_000 });
  const name = "x".repeat(400);
  for (const last of ["a", "b"]) await writer.add(entry(name + last), new Uint8Array());
  expect(await codeOf((async () => await writer.finish(entry(`${name}c`)))())).toBe("backup_too_large");
});

test("more folders than restore takes are noticed", () => {
  const collisions = new PathCollisions(3);
  for (const path of ["a/b/1", "c/2", "a/b/3"]) expect(collisions.fault(path, false)).toBeUndefined();
  expect(collisions.isFull).toBe(false);
  expect(collisions.fault("a/d/4", false)).toBe("needs more than 3 folders");
  expect(collisions.isFull).toBe(true);
});

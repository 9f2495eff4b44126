/** Other people's ZIP tools read our archives, and theirs restore. Debian: unzip zip p7zip-full libarchive-tools python3. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type BackupBench, backupBench, NAME } from "./backup-bench.ts";

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  "assets/empty": "",
  "assets/text.txt": "text that packs well ".repeat(20_000),
  "assets/large": Buffer.alloc(3_000_000, "some large text of no meaning "),
  "assets/ünï/日本語/😀.txt": "unicode",
  "assets/with space & 'quote'": "quoted",
  "config/x.json": "{}",
};

const PYTHON_READ = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    z.extractall(sys.argv[2])
`;
const PYTHON_WRITE = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for folder, _, names in os.walk("."):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), ".")
            if path.startswith(("assets", "config")):
                z.write(path, path)
`;
const PYTHON_STREAM = PYTHON_WRITE.replace(
  "z.write(path, path)",
  "z.open(zipfile.ZipInfo(path), 'w').write(open(path, 'rb').read())",
)
  .replace("zipfile.ZipFile(sys.argv[1]", "zipfile.ZipFile(Forward(open(sys.argv[1], 'wb'))")
  .replace(
    "with zip",
    "class Forward:\n    def __init__(self, to): self.write, self.flush = to.write, to.flush\nwith zip",
  );

interface Tool {
  readonly name: string;
  readonly command: string;
  /** Tests the archive and, where it says so, unpacks it into a folder. */
  readonly read?: (archive: string, into: string) => readonly (readonly string[])[];
  /** Makes an archive of assets and config, run in the workspace. */
  readonly write?: (archive: string) => readonly string[];
}

const TOOLS: readonly Tool[] = [
  {
    name: "unzip",
    command: "unzip",
    read: (zip, into) => [
      ["unzip", "-tq", zip],
      ["unzip", "-q", zip, "-d", into],
    ],
  },
  {
    name: "7z",
    command: "7z",
    read: (zip, into) => [
      ["7z", "t", zip],
      ["7z", "x", "-y", `-o${into}`, zip],
    ],
  },
  {
    name: "bsdtar",
    command: "bsdtar",
    read: (zip, into) => [
      ["bsdtar", "-tf", zip],
      ["bsdtar", "-xf", zip, "-C", into],
    ],
  },
  { name: "Python's zipfile", command: "python3", read: (zip, into) => [["python3", "-c", PYTHON_READ, zip, into]] },
  { name: "zip", command: "zip", write: (zip) => ["zip", "-qr", zip, "assets", "config"] },
  { name: "zip -0", command: "zip", write: (zip) => ["zip", "-0qr", zip, "assets", "config"] },
  { name: "zip to a pipe", command: "zip", write: (zip) => ["sh", "-c", `zip -qr - assets config | cat >${zip}`] },
  { name: "zip with Zip64 forced", command: "zip", write: (zip) => ["zip", "-fz", "-qr", zip, "assets", "config"] },
  { name: "7z", command: "7z", write: (zip) => ["7z", "a", "-tzip", zip, "assets", "config"] },
  { name: "bsdtar", command: "bsdtar", write: (zip) => ["bsdtar", "-a", "-cf", zip, "assets", "config"] },
  { name: "bsdtar of the current folder", command: "bsdtar", write: (zip) => ["bsdtar", "-a", "-cf", zip, "."] },
  { name: "Python's zipfile", command: "python3", write: (zip) => ["python3", "-c", PYTHON_WRITE, zip] },
  {
    name: "Python's zipfile without going back",
    command: "python3",
    write: (zip) => ["python3", "-c", PYTHON_STREAM, zip],
  },
];

function run(command: readonly string[], cwd: string): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8" },
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${exitCode}\n${String(stdout)}${String(stderr)}`);
}

function isThere({ command }: Tool): boolean {
  if (Bun.which(command) !== null) return true;
  // In CI everything is installed; elsewhere a missing tool is said and goes without.
  if (process.env["CI"] === "true") return true;
  console.warn(`not run: ${command} is not installed`);
  return false;
}

function expectFiles(bench: Pick<BackupBench, "root">): void {
  for (const [path, content] of Object.entries(FILES)) {
    expect(readFileSync(join(bench.root, path)).equals(Buffer.from(content))).toBe(true);
  }
}

describe("an archive of ours is read by", () => {
  for (const tool of TOOLS.filter(isThere)) {
    const { name, read } = tool;
    if (read === undefined) continue;
    test(name, async () => {
      const bench = backupBench(FILES);
      const backup = await createBackup(bench.engine, {});
      const into = tempFolder();
      for (const command of read(join(bench.root, backup.path), into)) run(command, into);
      expectFiles({ root: into });
    });
  }
});

describe("restore and verify take an archive by", () => {
  for (const tool of TOOLS.filter(isThere)) {
    const { name, write } = tool;
    if (write === undefined) continue;
    test(name, async () => {
      const source = backupBench(FILES);
      const bench = backupBench();
      mkdirSync(join(bench.root, "backups/cloud"), { recursive: true });
      run(write(join(bench.root, "backups/cloud", NAME)), source.root);
      expect(await verifyBackup(bench.engine, NAME)).toMatchObject({ ok: true, problems: [], checksum: null });
      const { restored } = await restoreBackup(bench.engine, { name: NAME });
      expect(restored.toSorted()).toEqual(Object.keys(FILES).toSorted());
      expectFiles(bench);
    });
  }
});

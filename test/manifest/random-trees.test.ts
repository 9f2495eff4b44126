import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { compareCodePoints } from "../../src/core/code-point.ts";
import type { SkipReason } from "../../src/manifest/manifest.ts";
import { seededRandom } from "../support/virtual-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { indexedScan } from "./indexed.ts";
import naughtyNames from "./naughty-names.json" with { type: "json" };
import { paths, plant, reasons, scan, sha256Of } from "./support.ts";

const SEEDS = 200;

/** What a scan without symlinks must say, found the plainest way: names as bytes, one lstat each, recursion. */
interface Reference {
  readonly files: Map<string, string>;
  readonly skipped: Map<string, SkipReason>;
}

function look(folder: Buffer, prefix: string, into: Reference): Reference {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (const name of readdirSync(folder, { encoding: "buffer" })) {
    const native = Buffer.concat([folder, Buffer.from("/"), name]);
    const lossy = new TextDecoder("utf-8", { ignoreBOM: true }).decode(name);
    const stat = lstatSync(native);
    let valid = true;
    try {
      strict.decode(name);
    } catch {
      valid = false;
    }
    if (!valid) into.skipped.set(prefix + lossy, "invalid_name");
    else if (stat.isDirectory()) look(native, `${prefix}${lossy}/`, into);
    else if (stat.isFile()) into.files.set(prefix + lossy, sha256Of(readFileSync(native, "latin1")));
    else into.skipped.set(prefix + lossy, stat.isSymbolicLink() ? "symlink" : "not_a_file");
  }
  return into;
}

/** Grows a tree of everything that file systems hold. */
function grow(root: string, seed: number): void {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const folders = [Buffer.from(root)];
  const files: Buffer[] = [];
  for (let k = 0; k < 25; k++) {
    const raw =
      random() < 0.1 ? Buffer.from([0x66, 0x80 + Math.floor(random() * 0x80), 0x2e]) : Buffer.from(pick(naughtyNames));
    const path = Buffer.concat([pick(folders), Buffer.from("/"), raw]);
    const kind = random();
    try {
      if (kind < 0.25) folders.push((mkdirSync(path), path));
      else if (kind < 0.75) files.push((writeFileSync(path, "x".repeat(Math.floor(random() * 9))), path));
      else if (kind < 0.8 && files.length > 0) linkSync(pick(files), path);
      else if (kind < 0.97) symlinkSync(pick([...folders, ...files, "nowhere", ".", "..", raw, "/etc"]), path);
      else execFileSync("mkfifo", [path.toString("latin1")], { stdio: "ignore" });
    } catch {
      // The name is taken, or this file system refuses it: then it is not in the tree.
    }
  }
}

test("any tree is recorded as the plainest reference says", async () => {
  const base = tempFolder();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const root = join(base, `${seed}`);
    mkdirSync(root);
    grow(root, seed);
    const expected = look(Buffer.from(root), "", { files: new Map(), skipped: new Map() });
    const result = await scan(root);
    expect([seed, paths(result)]).toEqual([seed, [...expected.files.keys()].toSorted(compareCodePoints)]);
    expect([seed, reasons(result)]).toEqual([seed, Object.fromEntries(expected.skipped)]);
    for (const { path, sha256 } of result.manifest.entries.values())
      expect(sha256).toBe(expected.files.get(path) ?? "");
    expect((await indexedScan(root)).manifest.entries.size).toBe(result.manifest.entries.size);
    const again = await indexedScan(root);
    expect([...again.manifest.entries.values()].filter(({ path }) => !path.startsWith("cache/"))).toEqual([
      ...result.manifest.entries.values(),
    ]);
  }
}, 60_000);

test("following symlinks ends in any tree, stays inside, and leaves out nothing that is there without", async () => {
  const base = tempFolder();
  let followed = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const root = join(base, `${seed}`);
    mkdirSync(root);
    grow(root, seed);
    const real = realpathSync(root);
    const plain = await scan(root);
    const { manifest } = await scan(root, { followSymlinks: true });
    for (const path of plain.manifest.entries.keys()) expect(manifest.entries.has(path)).toBe(true);
    for (const { path, sha256 } of manifest.entries.values()) {
      if (!plain.manifest.entries.has(path)) followed++;
      expect(realpathSync(join(root, path)).startsWith(`${real}/`)).toBe(true);
      expect(sha256).toBe(sha256Of(readFileSync(join(root, path), "latin1")));
    }
  }
  expect(followed).toBeGreaterThan(SEEDS);
}, 60_000);

test.each([
  // The workspace's own path makes the difference.
  ["the system takes", 20, "unreadable"],
  ["a manifest takes", 250, "invalid_name"],
] as const)("a path longer than %s is skipped, and the rest recorded", async (_, nameLength, reason) => {
  const root = tempFolder();
  plant(root, { "a/before": "1", "z/after": "2" });
  const before = process.cwd();
  const name = "d".repeat(nameLength);
  try {
    process.chdir(join(root, "a"));
    // Each step is short; the whole is longer than PATH_MAX.
    execFileSync("sh", [
      "-c",
      `for k in $(seq ${Math.ceil(4_500 / nameLength)}); do mkdir ${name} && cd -P ${name} || exit 1; done; echo deep > file`,
    ]);
  } finally {
    process.chdir(before);
  }
  const result = await scan(root);
  expect(paths(result)).toEqual(["a/before", "z/after"]);
  const [skipped, ...others] = result.skipped;
  expect([skipped?.reason, others]).toEqual([reason, []]);
  // Node's own removal cannot reach so deep.
  execFileSync("rm", ["-rf", join(root, "a")]);
});

import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { createBackup } from "../../src/backup/create-backup.ts";
import { restoreBackup } from "../../src/backup/restore-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { SyncError } from "../../src/core/errors.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { backupBench, engineAt, filesBelow, NAME } from "./backup-bench.ts";
import { forgeZip, UNIX } from "./zip-forge.ts";

/** `bun run soak:backup` sets more. */
const RUNS = Number(process.env["BACKUP_RUNS"] ?? 150);
/** What no restore of these small archives takes, even on a busy machine. */
const HANG_MS = 20_000;

const CONTENT: Readonly<Record<string, string>> = {
  "assets/a.txt": "text ".repeat(500),
  "assets/b/c.bin": "x",
  "config/d.json": "{}",
};

const forged = forgeZip([
  { name: "assets/", madeBy: UNIX, attributes: 0o040755 * 65_536 },
  ...Object.entries(CONTENT).map(([name, data]) => ({ name, data, method: 8 })),
  { name: "assets/stored", data: "stored" },
]);

async function ownArchive(): Promise<Uint8Array> {
  const bench = backupBench(CONTENT);
  return readFileSync(join(bench.root, (await createBackup(bench.engine, {})).path));
}

/** Values that sizes, offsets and counts turn bad with. */
const INTERESTING = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x504b_0304, 0x0201_4b50];

type Mutation =
  | { readonly kind: "set"; readonly at: number; readonly value: number }
  | { readonly kind: "number"; readonly at: number; readonly value: number; readonly bytes: 2 | 4 }
  | { readonly kind: "cut"; readonly at: number; readonly length: number }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number }
  | { readonly kind: "name"; readonly at: number; readonly text: string };

/** A place by its share of the archive, so that it fits every archive; half of them in the directory at the end. */
const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.7, max: 1, noNaN: true }));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at: place, value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({
    kind: fc.constant("number" as const),
    at: place,
    value: fc.constantFrom(...INTERESTING),
    bytes: fc.constantFrom(2 as const, 4 as const),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: place, length: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant("repeat" as const), at: place, length: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant("name" as const), at: place, text: fc.constantFrom("../", "/", "..\\", "C:/", "\0") }),
);

function mutated(archive: Uint8Array, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(archive);
  for (const change of mutations) {
    const at = Math.floor(change.at * Math.max(0, bytes.byteLength - 1));
    if (change.kind === "set") bytes[at] = change.value;
    else if (change.kind === "number") {
      for (let i = 0; i < change.bytes && at + i < bytes.byteLength; i++)
        bytes[at + i] = (change.value >>> (8 * i)) & 255;
    } else if (change.kind === "cut")
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + change.length)]);
    else if (change.kind === "repeat")
      bytes = Buffer.concat([bytes.subarray(0, at + change.length), bytes.subarray(at)]);
    else {
      // Over a name, where one begins: the length stays, so the archive stays readable.
      const name = bytes.indexOf("assets/", at);
      if (name >= 0) bytes.write(change.text, name, "latin1");
    }
  }
  return bytes;
}

test(`security 14: no mutation of an archive writes outside the workspace, crashes or hangs (${RUNS} archives)`, async () => {
  const archives = [forged, await ownArchive()];
  const outer = tempFolder();
  const root = join(outer, "root");
  let refused = 0;
  let restored = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(archives.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (which, list) => {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(join(root, "backups/cloud"), { recursive: true });
        writeFileSync(join(root, "backups/cloud", NAME), mutated(archives[which] ?? forged, list));
        const engine = engineAt(root);
        const outcome: unknown = await restoreBackup(engine, { name: NAME }).catch((error: unknown) => error);
        const files = filesBelow(outer).filter((path) => !/^root\/(?:backups|cache)\//.test(path));
        if (outcome instanceof Error) {
          refused++;
          expect(outcome).toBeInstanceOf(SyncError);
          expect((outcome as SyncError).code).toBe("archive_invalid");
          expect(files).toEqual([]);
        } else {
          restored++;
          expect(files.every((path) => path.startsWith("root/"))).toBe(true);
          expect(files.some((path) => path.endsWith(".tmp"))).toBe(false);
        }
        await verifyBackup(engine, NAME);
      },
    ),
    // The archives as they are come first: most mutations are refused, and some that are restored have to be among them.
    { numRuns: RUNS, plugins: [fc.timeout(HANG_MS)], examples: archives.map((_, which) => [which, []]) },
  );
  expect(refused).toBeGreaterThan(RUNS / 4);
  expect(restored).toBeGreaterThanOrEqual(archives.length);
}, 600_000);

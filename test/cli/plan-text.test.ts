import { expect, test } from "bun:test";
import type { DryRunResult } from "../../src/app.ts";
import { widthOf } from "../../src/cli/format.ts";
import { planText } from "../../src/cli/plan-text.ts";
import { PLAIN } from "../../src/cli/style.ts";

type Change = DryRunResult["plan"]["uploads"][number];

/** A dry run of `uploads` and `deletes`, with `over` laid over its plan. */
function planned(uploads: readonly Change[], deletes: readonly Change[], over: Partial<DryRunResult["plan"]> = {}) {
  const plan: DryRunResult["plan"] = {
    service: "s3",
    snapshot: "default",
    uploads,
    deletes,
    unchanged: [],
    bytes_to_upload: 0,
    files_to_upload: uploads.length,
    files_to_delete: deletes.length,
    files_unchanged: 0,
    retained: 0,
    guard: null,
    ...over,
  };
  const manifest = { skipped: [{ path: "assets/locked", reason: "unreadable" }] };
  return { manifest, plan, summary: { root: "/studio" } } as unknown as DryRunResult;
}

const upload = (path: string): Change => ({ action: "upload", path, size: 2048 });
const PIPE = { style: PLAIN, columns: undefined };

/** `count` uploads in each of `folders`. */
function many(folders: number, count: number): Change[] {
  return Array.from({ length: folders * count }, (_, index) =>
    upload(`assets/${Math.floor(index / count)}/file-${index % count}.png`),
  );
}

test("a plan of thousands names the first files and counts the rest", () => {
  const lines = planText(planned(many(1, 1_500), []), PIPE).split("\n");
  expect(lines).toContain("  file-21.png                    2.0 KiB");
  expect(lines).toContain("  … and 1,478 more files  1,478  2.9 MiB");
  expect(lines.length).toBeLessThan(40);
});

test("a plan of many folders shows each with its count, and sums up those beyond the table", () => {
  const lines = planText(planned(many(1_000, 3), []), PIPE).split("\n");
  expect(lines).toContain("assets/22/                  3  6.0 KiB");
  expect(lines).toContain("… and 977 more folders  2,931  5.7 MiB");
  expect(lines.some((line) => line.includes("file-"))).toBe(false);
});

test("on a terminal no line of the table is wider than it, whatever the names", () => {
  const long = upload(`assets/${"背景/".repeat(30)}${"あ".repeat(60)}.png`);
  const lines = planText(planned([long, upload("a.png")], []), { style: PLAIN, columns: 80 }).split("\n");
  const table = lines.slice(
    lines.findIndex((line) => line.startsWith("uploads  ")),
    -2,
  );
  expect(Math.max(...table.map(widthOf))).toBe(80);
  expect(table.find((line) => line.includes("あ"))).toMatch(/^ {2}あ+…あ+\.png +2\.0 KiB$/);
});

test("copies, files of the root, what is retained and what was skipped are told apart", () => {
  const copy = { ...upload("assets/moved.png"), source: "assets/old/here.png" };
  const text = planText(
    planned([copy, upload("readme.md")], [{ action: "delete", path: "assets/old/here.png" }], { retained: 1 }),
    PIPE,
  );
  expect(text.split("\n")).toEqual([
    "dry run of snapshot default to s3, workspace /studio",
    "  uploads    2 files, 0 B to send (1 by a copy inside the store)",
    "  deletes    1 file",
    "  unchanged  0 files",
    "  retained   1 file left alone at the destination",
    "  skipped    1 path not recorded; remote files there stay",
    "",
    "uploads                            files     size",
    "assets/                                1",
    "  moved.png ← assets/old/here.png            copy",
    "./                                     1  2.0 KiB",
    "  readme.md                               2.0 KiB",
    "",
    "deletes      files  size",
    "assets/old/      1",
    "  here.png",
    "",
    "skipped here:",
    "  unreadable  assets/locked",
  ]);
});

import { expect, test } from "bun:test";
import type { DryRunResult } from "../../src/app.ts";
import { planText } from "../../src/cli/plan-text.ts";

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

test("a plan of thousands names the first files and counts the rest", () => {
  const text = planText(
    planned(
      Array.from({ length: 1_500 }, (_, index) => upload(`assets/${index}.png`)),
      [],
    ),
  );
  expect(text).toContain("\n    19.png  2.0 KiB\n  … and 1,480 more files");
  expect(text).not.toContain("20.png");
});

test("copies, files of the root, what is retained and what was skipped are told apart", () => {
  const copy = { ...upload("assets/moved.png"), source: "assets/old/here.png" };
  const text = planText(
    planned([copy, upload("readme.md")], [{ action: "delete", path: "assets/old/here.png" }], { retained: 1 }),
  );
  expect(text.split("\n")).toEqual([
    "dry run of snapshot default to s3, workspace /studio",
    "  uploads    2 files, 0 B to send (1 by a copy inside the store)",
    "  deletes    1 file",
    "  unchanged  0 files",
    "  retained   1 file left alone at the destination",
    "  skipped    1 path not recorded; remote files there stay",
    "uploads:",
    "  assets/",
    "    moved.png  copy of assets/old/here.png",
    "  ./",
    "    readme.md  2.0 KiB",
    "deletes:",
    "  assets/old/",
    "    here.png",
    "skipped here:",
    "  unreadable  assets/locked",
  ]);
});

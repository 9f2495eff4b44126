import type { DryRunResult } from "../app.ts";
import { formatBytes, formatCount, formatTable, printable } from "./format.ts";

/** How many files of each kind a plan names; --json has them all. */
const FILES_SHOWN_MAX = 20;

type Plan = DryRunResult["plan"];
type Change = Plan["uploads"][number];

/** A dry run for a person: counts, then the first files by folder. */
export function planText({ manifest, plan, summary }: DryRunResult): string {
  const title = `dry run of snapshot ${plan.snapshot} to ${plan.service}, workspace ${printable(summary.root)}`;
  const parts = [title, formatTable(countRows(plan, manifest.skipped.length), "  ")];
  parts.push(...changesText("uploads", plan.uploads, uploadRemark));
  parts.push(...changesText("deletes", plan.deletes, () => ""));
  parts.push(...skippedText(manifest.skipped));
  if (plan.guard !== null) {
    const { deletes, remote_in_scope: inScope } = plan.guard;
    parts.push(
      `a run would be refused: it would delete ${deletes} of ${formatCount(inScope, "remote file")} in scope; ` +
        "if that is what you want, run with --confirm-deletes",
    );
  }
  return parts.join("\n");
}

function countRows(plan: Plan, skipped: number): string[][] {
  const copies = plan.uploads.filter((change) => change.source !== undefined).length;
  const upload = `${formatCount(plan.files_to_upload, "file")}, ${formatBytes(plan.bytes_to_upload)} to send`;
  const rows = [
    ["uploads", copies === 0 ? upload : `${upload} (${copies} by a copy inside the store)`],
    ["deletes", formatCount(plan.files_to_delete, "file")],
    ["unchanged", formatCount(plan.files_unchanged, "file")],
  ];
  if (plan.retained > 0) rows.push(["retained", `${formatCount(plan.retained, "file")} left alone at the destination`]);
  if (skipped > 0) rows.push(["skipped", `${formatCount(skipped, "path")} not recorded; remote files there stay`]);
  return rows;
}

function uploadRemark({ size, source }: Change): string {
  return source === undefined ? formatBytes(size ?? 0) : `copy of ${printable(source)}`;
}

/** The first files below a heading, each under its folder. */
function changesText(heading: string, changes: readonly Change[], remark: (change: Change) => string): string[] {
  if (changes.length === 0) return [];
  const lines = [`${heading}:`];
  for (const [folder, members] of Map.groupBy(changes.slice(0, FILES_SHOWN_MAX), ({ path }) => folderOf(path))) {
    lines.push(`  ${printable(folder)}`);
    const rows = members.map((change) => [
      printable(change.path.slice(change.path.lastIndexOf("/") + 1)),
      remark(change),
    ]);
    lines.push(formatTable(rows, "    ").replace(/ +$/gm, ""));
  }
  if (changes.length > FILES_SHOWN_MAX)
    lines.push(`  … and ${formatCount(changes.length - FILES_SHOWN_MAX, "more file")}`);
  return [lines.join("\n")];
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "./" : path.slice(0, slash + 1);
}

/** Paths that could not be recorded, with their reasons. */
export function skippedText(skipped: DryRunResult["manifest"]["skipped"]): string[] {
  if (skipped.length === 0) return [];
  const rows = skipped.slice(0, FILES_SHOWN_MAX).map(({ path, reason }) => [reason, printable(path)]);
  const more = skipped.length - rows.length;
  const lines = ["skipped here:", formatTable(rows, "  ")];
  if (more > 0) lines.push(`  … and ${formatCount(more, "more path")}`);
  return [lines.join("\n")];
}

import type { DryRunResult } from "../app.ts";
import { changeTable, type Screen } from "./change-table.ts";
import { formatBytes, formatCount, formatTable, printable } from "./format.ts";

/** How many skipped paths are named; --json has them all. */
const SKIPPED_SHOWN_MAX = 20;

type Plan = DryRunResult["plan"];

/** A dry run for a person: counts, then the files by folder. */
export function planText({ manifest, plan, summary }: DryRunResult, screen: Screen): string {
  const { style } = screen;
  const title = `dry run of snapshot ${plan.snapshot} to ${plan.service}, workspace ${printable(summary.root)}`;
  const parts = [style.bold(title), formatTable(countRows(plan, manifest.skipped.length), "  ")];
  parts.push(...changeTable("uploads", plan.uploads, screen), ...changeTable("deletes", plan.deletes, screen));
  parts.push(...skippedText(manifest.skipped));
  if (plan.guard !== null) {
    const { deletes, remote_in_scope: inScope } = plan.guard;
    parts.push(
      "",
      style.warn(
        `a run would be refused: it would delete ${deletes} of ${formatCount(inScope, "remote file")} in scope;`,
      ),
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

/** Paths that could not be recorded, with their reasons. */
export function skippedText(skipped: DryRunResult["manifest"]["skipped"]): string[] {
  if (skipped.length === 0) return [];
  const rows = skipped.slice(0, SKIPPED_SHOWN_MAX).map(({ path, reason }) => [reason, printable(path)]);
  const more = skipped.length - rows.length;
  const lines = ["", "skipped here:", formatTable(rows, "  ")];
  if (more > 0) lines.push(`  … and ${formatCount(more, "more path")}`);
  return lines;
}

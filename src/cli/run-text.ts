import type { RunResult } from "../app.ts";
import { formatBytes, formatCount, formatTable, printable } from "./format.ts";
import { skippedText } from "./plan-text.ts";
import type { Style } from "./style.ts";

/** How many failed files a run names; --json has them all. */
const ERRORS_SHOWN_MAX = 50;

/** A run for a person: how it ended, counts, what failed. */
export function runText({ manifest, plan, summary, committed }: RunResult, style: Style): string {
  const rows = [
    ["uploaded", `${formatCount(summary.uploads.length, "file")}, ${formatBytes(summary.bytes_uploaded)} sent`],
    ["deleted", formatCount(summary.deletes.length, "file")],
    ["unchanged", formatCount(summary.skipped.length, "file")],
  ];
  if (plan.retained > 0) rows.push(["retained", `${formatCount(plan.retained, "file")} left alone at the destination`]);
  if (summary.errors.length > 0) rows.push(["failed", formatCount(summary.errors.length, "file")]);
  rows.push(["manifest", manifestText(summary.status, committed)]);
  const status = (summary.status === "ok" ? style.good : style.warn)(summary.status);
  const title = `${status}: snapshot ${summary.snapshot} on ${summary.service}, workspace ${printable(summary.root)}`;
  return [title, formatTable(rows, "  "), ...errorsText(summary.errors), ...skippedText(manifest.skipped)].join("\n");
}

function manifestText(status: RunResult["summary"]["status"], committed: boolean): string {
  if (status === "partial") return "not published, since something failed; what arrived stays, run again to finish";
  return committed ? "published" : "published; the local cache is as it was";
}

function errorsText(errors: RunResult["summary"]["errors"]): string[] {
  if (errors.length === 0) return [];
  const lines = errors
    .slice(0, ERRORS_SHOWN_MAX)
    .map(({ action, path, error, code }) => `  ${action} ${printable(path)}: ${printable(error)} [${code}]`);
  const more = errors.length - lines.length;
  if (more > 0) lines.push(`  … and ${formatCount(more, "more error")}`);
  return ["", "errors:", ...lines];
}

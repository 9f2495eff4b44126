import { toSyncError } from "../core/errors.ts";
import type { ProductEvent } from "../core/events.ts";

export interface EventLine {
  readonly level: "info" | "warning" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What stands in the place of a provider for what stays on this machine. */
const ARCHIVES = "backup";

/** The line of an operation that was refused or failed, so that a log holds what did not happen as well. */
export function failureLine(thrown: unknown, provider: string | undefined, durationMs: number): EventLine {
  const { code, message } = toSyncError(thrown);
  const level = code === "aborted" ? "warning" : "error";
  const fields = { provider: provider ?? ARCHIVES, status: "failed", code, error: message, duration_ms: durationMs };
  return { level, fields };
}

/** An event as a line of the log, in the names that notes.md uses; undefined for what is not logged. */
export function eventLine(event: ProductEvent): EventLine | undefined {
  switch (event.type) {
    case "sync.progress":
      return undefined;
    case "sync.dry_run": {
      const { type: _, service, durationMs, ...rest } = event;
      return { level: "info", fields: { provider: service, ...rest, duration_ms: durationMs } };
    }
    case "sync.run": {
      const { type: _, service, durationMs, ...rest } = event;
      const level = { ok: "info", partial: "warning", aborted: "warning", failed: "error" } as const;
      return { level: level[event.status], fields: { provider: service, ...rest, duration_ms: durationMs } };
    }
    case "backup.create":
    case "backup.restore": {
      const { type: _, durationMs, ...rest } = event;
      return { level: "info", fields: { provider: ARCHIVES, ...rest, duration_ms: durationMs } };
    }
    case "vault.audit": {
      const { type: _, ...rest } = event;
      return { level: event.code === undefined ? "info" : "warning", fields: rest };
    }
  }
}

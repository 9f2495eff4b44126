import Type, { type Static, type TObject } from "typebox";
import { SyncError } from "../core/errors.ts";

const service = Type.String({ description: "Provider: s3, gdrive or local." });
const snapshot = Type.String({ description: "Name of the mirror." });
const timestamp = Type.Number({ description: "When it happened, UTC seconds since the epoch." });
const count = (description: string) => Type.Integer({ minimum: 0, description });

const SyncPlanPayload = Type.Object({
  service,
  snapshot,
  uploads: count("Files that a run would upload."),
  deletes: count("Remote files that a run would delete."),
  bytes: count("Bytes that a run would upload."),
  timestamp,
});

const SyncProgressPayload = Type.Object({
  service,
  snapshot,
  phase: Type.Enum(["scan", "upload", "delete", "publish"], { description: "What the run is doing." }),
  files_done: count("Files done so far in this phase's count."),
  files_total: count("Files to do; grows while a scan is finding them."),
  bytes_done: count("Bytes done so far."),
  bytes_total: count("Bytes to do."),
  timestamp,
});

const SyncCompletePayload = Type.Object({
  service,
  snapshot,
  uploads: count("Files uploaded."),
  deletes: count("Remote files deleted."),
  skipped: count("Files that were unchanged."),
  status: Type.Enum(["ok", "partial", "failed", "aborted"], {
    description: "ok; partial: some files failed; failed: an error ended the run; aborted: it was cancelled.",
  }),
  timestamp,
});

const BackupCreatedPayload = Type.Object({
  name: Type.String({ description: "Name of the archive under backups/cloud." }),
  files: count("Files in the archive."),
  bytes: count("Size of the archive."),
  removed: count("Older archives that rotation removed."),
  timestamp,
});

const BackupRestoredPayload = Type.Object({
  name: Type.String({ description: "Name of the archive under backups/cloud." }),
  restored: count("Files written."),
  skipped: count("Files left as they were."),
  timestamp,
});

export interface HookSpec<Payload extends TObject = TObject> {
  readonly description: string;
  readonly payload: Payload;
  /** For the documents, and what a test event is filled up with. */
  readonly example: Static<Payload>;
}

/** Every event that tools can hear of, by name. The payloads of plan and complete are those of the Python studio. */
export const HOOKS = {
  on_cloud_sync_plan: {
    description: "A dry run has computed what a run would do.",
    payload: SyncPlanPayload,
    example: {
      service: "s3",
      snapshot: "nightly",
      uploads: 12,
      deletes: 1,
      bytes: 3_145_728,
      timestamp: 1763438706.789,
    },
  },
  on_cloud_sync_progress: {
    description: "How far a run is; at most five a second, and the last one always.",
    payload: SyncProgressPayload,
    example: {
      service: "s3",
      snapshot: "nightly",
      phase: "upload",
      files_done: 5,
      files_total: 12,
      bytes_done: 1_048_576,
      bytes_total: 3_145_728,
      timestamp: 1763438708.512,
    },
  },
  on_cloud_sync_complete: {
    description: "A run has ended, whether it was ok, partial, failed or aborted.",
    payload: SyncCompletePayload,
    example: {
      service: "s3",
      snapshot: "nightly",
      uploads: 12,
      deletes: 1,
      skipped: 340,
      status: "ok",
      timestamp: 1763438711.034,
    },
  },
  on_backup_created: {
    description: "A backup archive was written.",
    payload: BackupCreatedPayload,
    example: {
      name: "20251118T040512Z-nightly.zip",
      files: 353,
      bytes: 73_400_320,
      removed: 1,
      timestamp: 1763438715.2,
    },
  },
  on_backup_restored: {
    description: "Files were restored from a backup archive.",
    payload: BackupRestoredPayload,
    example: { name: "20251118T040512Z-nightly.zip", restored: 2, skipped: 351, timestamp: 1763438720.9 },
  },
} as const satisfies Readonly<Record<string, HookSpec>>;

export type HookName = keyof typeof HOOKS;
export type HookPayload<Name extends HookName> = Static<(typeof HOOKS)[Name]["payload"]>;

export const HOOK_NAMES = Object.keys(HOOKS) as readonly HookName[];

/** The events that a reader wants. */
export type Topics = ReadonlySet<HookName>;

const ALL_TOPICS: Topics = new Set(HOOK_NAMES);

/** What the studio puts before an event's name to make a WebSocket topic of it. */
export const TOPIC_PREFIX = "modder.";

/**
 * The event that `text` names, with or without the prefix of topics.
 * @throws SyncError `schema` for any other; the message lists the events and does not repeat the text
 */
export function requireHookName(text: string): HookName {
  const name = text.startsWith(TOPIC_PREFIX) ? text.slice(TOPIC_PREFIX.length) : text;
  const known = HOOK_NAMES.find((each) => each === name);
  if (known !== undefined) return known;
  throw new SyncError("schema", `there is no such event; the events are: ${HOOK_NAMES.join(", ")}`);
}

/** The events that a reader names; all when it names none. @throws SyncError as requireHookName */
export function topicsOf(names: readonly string[]): Topics {
  return names.length === 0 ? ALL_TOPICS : new Set(names.map(requireHookName));
}

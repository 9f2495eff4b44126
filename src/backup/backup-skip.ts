import type { RelativePath } from "../core/paths.ts";
import type { SkipReason } from "../manifest/manifest.ts";

/** What was asked for and is not in an archive, and why. */
export interface BackupSkip {
  readonly path: RelativePath;
  readonly reason:
    | SkipReason
    /** An include path of the request at which there is nothing. */
    | "missing"
    /** A name that means something else on another system (archive-names.ts). */
    | "unportable_name"
    /** Differs from another path only in case or Unicode normalisation. */
    | "name_collision"
    /** Below `__meta__`, where the archive keeps its own. */
    | "reserved_name";
}

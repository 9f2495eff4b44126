import type { Clock } from "../core/clock.ts";
import type { EventSink } from "../core/events.ts";
import type { ManifestEntry } from "../manifest/manifest.ts";
import type { ManifestSummary } from "../manifest/summary.ts";
import type { Platform } from "../platform/contract.ts";
import type { OpenProvider } from "../providers/contract.ts";

export interface AppOptions {
  readonly platform: Platform;
  /** Native path of the workspace. */
  readonly root: string;
  /** Opens the vault; undefined leaves it locked. Asked anew for each use, never kept elsewhere. */
  readonly passphrase: () => string | undefined;
  /** Asks a person for the passphrase when a vault has to be opened and `passphrase` has none. */
  readonly askPassphrase?: () => Promise<string | undefined>;
  /** Where a log that cannot be written is complained of. */
  readonly complain: (line: string) => void;
  /** Hears every event beside the log, e.g. a progress bar. */
  readonly listener?: EventSink;
  /** For tests: another time for runs. Default the system's. */
  readonly clock?: Clock;
  /** For tests: another registry of providers. */
  readonly loadProvider?: (service: string) => Promise<OpenProvider>;
}

export interface ManifestRequest {
  readonly snapshot?: string | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly followSymlinks?: boolean | undefined;
  /** Adds the entries to the answer. */
  readonly withEntries?: boolean | undefined;
  /** Reads every file again, whatever the hash index says. */
  readonly rehash?: boolean | undefined;
}

export interface ManifestAnswer extends ManifestSummary {
  /** The entries themselves, by code point of the path; `entries` is their count. */
  readonly detail?: readonly ManifestEntry[];
}

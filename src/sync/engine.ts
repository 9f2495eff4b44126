import type { Clock } from "../core/clock.ts";
import type { EventSink } from "../core/events.ts";
import type { NewHasher } from "../core/hash.ts";
import type { RelativePath } from "../core/paths.ts";
import type { ForgetHashes } from "../manifest/forget-hashes.ts";
import type { TreeHasher } from "../manifest/tree-hasher.ts";
import type { Scope } from "../manifest/scope.ts";
import type { Files, TreeReader } from "../platform/contract.ts";
import type { Provider } from "../providers/contract.ts";
import type { LeaseHolder } from "./lease.ts";
import type { ManifestCache } from "./manifest-cache.ts";
import type { TreeLayout } from "./tree-layout.ts";

/** What syncing needs of its surroundings; app.ts fills it in. */
export interface Engine {
  /** Native path of the workspace. */
  readonly root: string;
  readonly files: Files;
  readonly tree: TreeReader;
  readonly newHasher: NewHasher;
  readonly hashTree: TreeHasher;
  readonly forgetHashes: ForgetHashes;
  readonly cache: ManifestCache;
  readonly events: EventSink;
  readonly clock: Clock;
  /** Most objects in flight at once. */
  readonly concurrencyMax: number;
  /** Who writes, as other machines are told. */
  readonly holder: () => Promise<LeaseHolder>;
}

/** One sync asked for, checked and complete. */
export interface SyncJob {
  readonly service: string;
  readonly layout: TreeLayout;
  readonly scope: Scope;
  /** Whether the request names what to include. Default false: places that a workspace need not have. */
  readonly pathsAsked?: boolean;
  readonly followSymlinks: boolean;
  /** Default false: unchanged files keep the hash that the index remembers. */
  readonly rehash?: boolean;
  readonly signal?: AbortSignal;
}

export interface RunJob extends SyncJob {
  readonly provider: Provider;
  /** Calls `listener` whenever the provider's answers ask for less at once; one listener a run. */
  readonly onStrain: (listener: () => void) => void;
  readonly confirmDeletes: boolean;
  readonly commitManifest: boolean;
}

/** Something that went wrong with one file; the run went on. */
export interface FileError {
  readonly action: "upload" | "delete";
  readonly path: RelativePath;
  readonly error: string;
  readonly code: string;
}
